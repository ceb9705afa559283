//! Mails to owners, each with a link: to confirm the address, or to set a new password.

use std::time::Duration;

use commands::{
    mail::{Mail, Wanted},
    user::{Account, REGISTERED_SEQ, User},
};
use infra::{Backend, Failure, log::Read, secret::Mailed, vault::Subject};
use schema::{
    StreamId, Time, UserId,
    mail::Kind,
    message::{MessageId, Skip},
    page::Page,
    sealed::Opened,
    value::Language,
};

use super::compose::{Alternative, Compose, Composed, NotComposed};
use crate::wording::{self, ForOwner, Worded};

impl Compose for Mail {
    async fn compose(
        backend: &Backend,
        _: StreamId,
        read: &Read<Self>,
        _: MessageId,
        now: Time,
    ) -> Result<Composed, NotComposed> {
        let wanted = read.state.0.as_ref().ok_or(Skip::Needless)?;
        let user = backend.log.read::<User>(read.tenant.into()).await?;
        let account = user.as_ref().and_then(|user| user.state.kept()).ok_or(Skip::Erased)?;
        compose(backend, read.tenant, account, wanted, now).await
    }
}

async fn compose(
    backend: &Backend,
    id: UserId,
    account: &Account,
    wanted: &Wanted,
    now: Time,
) -> Result<Composed, NotComposed> {
    wanted.suits(account, now)?;
    let key = backend.vault.key(Subject::Account(id)).await.map_err(Failure::from)?.ok_or(Skip::Erased)?;
    let (Opened::Clear(name), Opened::Clear(email)) =
        (key.open(id.into(), &account.name), key.open(id.into(), &account.email))
    else {
        let cause = "the name or the address does not open with the account's key";
        return Err(Failure::broken(format!("compose a mail to the owner of {id}"), cause).into());
    };
    let (page, purpose, bound_to) = match wanted.asked.kind {
        Kind::Welcome | Kind::Confirmation => (Page::Confirm, Mailed::Confirmation, REGISTERED_SEQ),
        Kind::PasswordReset => (Page::Reset, Mailed::PasswordReset, account.password_seq),
    };
    let words: fn(&ForOwner<'_>) -> Worded = match wanted.asked.kind {
        Kind::Welcome => wording::welcome,
        Kind::Confirmation => wording::confirmation,
        Kind::PasswordReset => wording::password_reset,
    };
    let ends_at = wanted.link_ends_at();
    let token = backend.secrets.links().await?.mailed_token(purpose, id, ends_at, bound_to);
    let link = page.link(&backend.public_url, &token);
    let good_for_ms = ends_at.millis() - wanted.asked_at.millis();
    let good_for = Duration::from_millis(u64::try_from(good_for_ms).unwrap_or(0));
    // Accounts have no language.
    let words = words(&ForOwner { language: Language::En, name: &name, link: &link, good_for });
    let alternatives = vec![Alternative::Owner { to: email, words }];
    Ok(Composed { alternatives, account: id, confirmed: account.confirmed, texts_per_day: None })
}
