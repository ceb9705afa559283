//! Mails to owners, each with a link: to confirm the address, or to set a new password.

use std::time::Duration;

use commands::user::{Account, REGISTERED_SEQ, User};
use infra::{Failure, log::Read, secret::Mailed, vault::Subject};
use schema::{
    StreamId, Time, UserId,
    agenda::Agenda,
    message::{Kind, MessageId, Skip},
    sealed::Opened,
    value::Language,
};

use super::{
    Attended, Deliver,
    send::{Letter, Way},
};
use crate::wording::{self, ForOwner, Worded};

impl Attended for User {
    fn agenda(&self) -> Option<&Agenda> {
        Self::agenda(self)
    }

    async fn compose(
        deliver: &Deliver,
        stream: StreamId,
        read: &Read<Self>,
        message: MessageId,
        now: Time,
    ) -> Result<Result<Letter, Skip>, Failure> {
        match read.state.kept() {
            Some(account) => compose(deliver, UserId(stream.id), account, message, now).await,
            None => Ok(Err(Skip::Erased)),
        }
    }
}

async fn compose(
    deliver: &Deliver,
    id: UserId,
    account: &Account,
    message: MessageId,
    now: Time,
) -> Result<Result<Letter, Skip>, Failure> {
    if let Err(reason) = account.wants(message, now) {
        return Ok(Err(reason));
    }
    let backend = &deliver.backend;
    let Some(key) = backend.vault.key(Subject::Account(id)).await? else { return Ok(Err(Skip::Erased)) };
    let (Opened::Clear(name), Opened::Clear(email)) =
        (key.open(id.into(), &account.name), key.open(id.into(), &account.email))
    else {
        return Err(Failure::broken(format!("write to {id}"), "name or address do not open"));
    };
    let (Some(entry), Some(good_for_ms)) =
        (account.agenda.messages.entry(message), message.kind.good_for_ms())
    else {
        return Ok(Err(Skip::Needless));
    };
    let ends_at = entry.wanted_at.plus_millis(good_for_ms);
    let confirm = ("confirm", Mailed::Confirmation, REGISTERED_SEQ);
    let ((page, purpose, seq), words): (_, fn(&ForOwner<'_>) -> Worded) = match message.kind {
        Kind::Welcome => (confirm, wording::welcome),
        Kind::Confirmation => (confirm, wording::confirmation),
        Kind::PasswordReset => {
            (("reset", Mailed::PasswordReset, account.password_seq), wording::password_reset)
        }
        Kind::TableReady | Kind::Reminder => return Ok(Err(Skip::Needless)),
    };
    let link =
        format!("{}/{page}#{}", backend.public_url, backend.secrets.mailed_token(purpose, id, ends_at, seq));
    let good_for = Duration::from_millis(u64::try_from(good_for_ms).unwrap_or(0));
    // Nobody asks an account for its language.
    let words = words(&ForOwner { language: Language::En, name: &name, link: &link, good_for });
    let ways = vec![Way::Owner { to: email, words }];
    Ok(Ok(Letter { ways, account: id, confirmed: account.confirmed, texts_per_day: None }))
}
