//! Mails to owners, each with a link: to confirm the address, or to set a new password.

use std::time::Duration;

use commands::{
    mail::{Mail, Wanted},
    user::{Account, REGISTERED_SEQ, User},
};
use infra::{Failure, log::Read, secret::Mailed, vault::Subject};
use schema::{
    StreamId, Time, UserId,
    agenda::Agenda,
    mail::Kind,
    message::{MessageId, Skip},
    sealed::Opened,
    value::Language,
};

use super::{
    Attended, Deliver,
    send::{Letter, Way},
};
use crate::wording::{self, ForOwner, Worded};

impl Attended for Mail {
    fn agenda(&self) -> Option<&Agenda> {
        self.0.as_ref().map(|wanted| &wanted.agenda)
    }

    async fn compose(
        deliver: &Deliver,
        _: StreamId,
        read: &Read<Self>,
        _: MessageId,
        now: Time,
    ) -> Result<Result<Letter, Skip>, Failure> {
        let Some(wanted) = &read.state.0 else { return Ok(Err(Skip::Needless)) };
        let user = deliver.backend.log.read::<User>(read.tenant.into()).await?;
        match user.as_ref().and_then(|user| user.state.kept()) {
            Some(account) => compose(deliver, read.tenant, account, wanted, now).await,
            None => Ok(Err(Skip::Erased)),
        }
    }
}

async fn compose(
    deliver: &Deliver,
    id: UserId,
    account: &Account,
    wanted: &Wanted,
    now: Time,
) -> Result<Result<Letter, Skip>, Failure> {
    if let Err(reason) = wanted.suits(account, now) {
        return Ok(Err(reason));
    }
    let backend = &deliver.backend;
    let Some(key) = backend.vault.key(Subject::Account(id)).await? else { return Ok(Err(Skip::Erased)) };
    let (Opened::Clear(name), Opened::Clear(email)) =
        (key.open(id.into(), &account.name), key.open(id.into(), &account.email))
    else {
        return Err(Failure::broken(format!("write to {id}"), "name or address do not open"));
    };
    let (page, purpose, bound_to) = match wanted.asked.kind {
        Kind::Welcome | Kind::Confirmation => ("confirm", Mailed::Confirmation, REGISTERED_SEQ),
        Kind::PasswordReset => ("reset", Mailed::PasswordReset, account.password_seq),
    };
    let words: fn(&ForOwner<'_>) -> Worded = match wanted.asked.kind {
        Kind::Welcome => wording::welcome,
        Kind::Confirmation => wording::confirmation,
        Kind::PasswordReset => wording::password_reset,
    };
    let ends_at = wanted.link_ends_at();
    let token = backend.secrets.mailed_token(purpose, id, ends_at, bound_to);
    let link = format!("{}/{page}#{token}", backend.public_url);
    let good_for_ms = ends_at.millis() - wanted.asked_at.millis();
    let good_for = Duration::from_millis(u64::try_from(good_for_ms).unwrap_or(0));
    // An account has no language.
    let words = words(&ForOwner { language: Language::En, name: &name, link: &link, good_for });
    let ways = vec![Way::Owner { to: email, words }];
    Ok(Ok(Letter { ways, account: id, confirmed: account.confirmed, texts_per_day: None }))
}
