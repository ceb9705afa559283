//! HTTP requests for mails to an owner.

use infra::{
    Backend, Failure,
    http::{Call, Reply, written},
    limits::Tries,
    vault::Subject,
};
use schema::{
    Actor, MailId, Problem, UserId,
    body::{Empty, account::AskPasswordReset},
    id::Component,
    mail::Kind,
    value::Email,
};

use super::{Mail, decide};
use crate::{author::author_as, floor::Floor, user::User};

pub(crate) async fn ask_confirmation(backend: &Backend, call: &Call<'_>) -> Result<Reply, Failure> {
    call.body::<Empty>()?;
    call.expect()?; // checked for its form alone: the mail's stream begins with this request
    backend.limits.count_from(Tries::MailAddress, call.address()).await?;
    backend.limits.count(Tries::MailAccount, &call.owner.to_string()).await?;
    let id = mail_id(backend, call, call.owner)?;
    let seq = ask(backend, call, call.actor(), call.owner, id, Kind::Confirmation).await?;
    Ok(written(202, id.into(), seq, None, None))
}

/// Asks for a mail with a link that sets a new password. The answer and its time are the same for an unknown address.
pub(crate) async fn ask_reset(backend: &Backend, call: &Call<'_>) -> Result<Reply, Failure> {
    let email = call.body::<AskPasswordReset>()?.parse()?;
    call.idempotency_key()?; // checked here, because it is used only where there is an account
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
    let Some(user) = backend.vault.holder(&backend.secrets.claim(email)).await? else { return Ok(()) };
    let actor = Actor::System(Component::Accounts); // the caller has not signed in
    ask(backend, call, actor, user, mail_id(backend, call, user)?, Kind::PasswordReset).await.map(drop)
}

/// The id of a new mail: the same for a repeated request with an idempotency key.
fn mail_id(backend: &Backend, call: &Call<'_>, user: UserId) -> Result<MailId, Problem> {
    let derived = call.idempotency_key()?.map(|key| call.derived_id_of(user, key));
    Ok(MailId(derived.unwrap_or_else(|| backend.clock.id(backend.clock.now()))))
}

/// Asks for a mail to the owner of `user` and returns the number of its last event: 1 write unit, 1 for the audit index, and
/// reading the account. The account's own stream does not grow.
async fn ask(
    backend: &Backend,
    call: &Call<'_>,
    actor: Actor,
    user: UserId,
    id: MailId,
    kind: Kind,
) -> Result<u64, Failure> {
    let author = author_as(backend, call, actor, user, Subject::Account(user), b"").await?;
    let decide = |mail: Mail, _| async move {
        let read = backend.log.read::<User>(user.into()).await?;
        let (account, seq) = read.map_or((User::None, 0), |read| (read.state, read.seq));
        match decide(&mail, kind, &account, seq) {
            Ok(events) => Ok(events),
            // A refusal would tell a stranger that the account exists and is being forgotten.
            Err(_) if kind == Kind::PasswordReset => Ok(vec![]),
            Err(refusal) => Err(Problem::from(refusal).into()),
        }
    };
    Ok(backend.log.transact::<Mail, _, _, _>(id.into(), &author, None, decide).await?.seq)
}
