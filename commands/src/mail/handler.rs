//! HTTP requests for mails to an owner.

use infra::{
    Backend, Failure,
    http::{Call, Reply, written},
    limits::Tries,
    vault::Subject,
};
use schema::{
    Actor, MailId, UserId,
    body::{Empty, account::AskPasswordReset},
    id::Component,
    mail::Kind,
    value::Email,
};

use super::{Command, Mail};
use crate::{
    author::{author, created_id},
    floor::Floor,
    user::User,
};

pub(crate) async fn ask_confirmation(backend: &Backend, call: &Call<'_>) -> Result<Reply, Failure> {
    call.body::<Empty>()?;
    call.expect()?; // only its form matters, because the request creates the mail's stream
    backend.limits.count_from(Tries::MailAddress, call.address()).await?;
    backend.limits.count(Tries::MailAccount, &call.owner.to_string()).await?;
    let (id, seq) = ask(backend, call, call.actor(), call.owner, Kind::Confirmation).await?;
    Ok(written(202, id.into(), seq, None, None))
}

/// Asks for a mail with a link that sets a new password. The answer and its time are the same for an unknown
/// address.
pub(crate) async fn ask_reset(backend: &Backend, call: &Call<'_>) -> Result<Reply, Failure> {
    let email = call.body::<AskPasswordReset>()?.parse()?;
    call.idempotency_key()?; // refused alike for known and unknown addresses
    backend.limits.count_from(Tries::MailAddress, call.address()).await?;
    backend.limits.count(Tries::MailAccount, &email.normalised()).await?;
    backend.limits.count(Tries::ResetAccount, &email.normalised()).await?;
    let floor = Floor::from_now();
    let asked = ask_reset_of(backend, call, &email).await;
    floor.reached().await;
    asked?;
    Ok(Reply::empty(202))
}

async fn ask_reset_of(backend: &Backend, call: &Call<'_>, email: &Email) -> Result<(), Failure> {
    let Some(user) = backend.vault.holder(&backend.claims.of_email(email)?).await? else { return Ok(()) };
    let actor = Actor::System(Component::Accounts); // the caller has not signed in
    ask(backend, call, actor, user, Kind::PasswordReset).await.map(drop)
}

/// Asks for a mail to the owner of `user` and returns its id and the number of its last event: 1 write unit,
/// 1 for the audit index, and reading the account. The account's own stream does not grow.
async fn ask(
    backend: &Backend,
    call: &Call<'_>,
    actor: Actor,
    user: UserId,
    kind: Kind,
) -> Result<(MailId, u64), Failure> {
    let id = MailId(created_id(backend, call, user)?);
    let author = author(backend, call, actor, Subject::Account(user), b"").await?;
    let ask = |_| async {
        let read = backend.log.read::<User>(user.into()).await?;
        let (account, user_seq) = read.map_or((User::None, 0), |read| (read.state, read.seq));
        Ok(Command::Ask { kind, account, user_seq })
    };
    let outcome = backend.log.execute_with::<Mail, _, _>(id.into(), &author, None, ask).await?;
    Ok((id, outcome.seq))
}
