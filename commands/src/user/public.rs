//! What anyone may ask about accounts without being signed in: to register, and what hangs on mailed links.

use infra::{
    Backend, Failure,
    http::{Call, Reply, written},
    limits::Tries,
    log::Decision,
    secret::{Mailed, MailedToken},
    vault::{Subject, SubjectKey},
};
use schema::{
    Actor, Problem, Slug, UserId,
    body::account::{AskPasswordReset, ConfirmEmail, NewAccount, Register, ResetPassword},
    commit::CommandId,
    id::Component,
    sealed::Personal,
    user::Registered,
    value::Email,
};

use super::{Command, User, decide, handler::seal_new, password};
use crate::{
    author::{author_as, by, request_mac},
    floor::Floor,
};

/// A registration's number in its stream: what the welcome mail's link hangs on.
pub const REGISTERED_SEQ: u64 = 1;

pub(crate) async fn register(backend: &Backend, call: &Call<'_>) -> Result<Reply, Failure> {
    let new = call.body::<Register>()?.parse()?;
    backend.limits.count_from(Tries::RegisterAddress, call.address()).await?;
    password::check(&new.password, &[new.name.clear(), new.email.clear()]).await?;
    backend.limits.count(Tries::RegisterAccount, &new.email.normalised()).await?;
    let id = match call.idempotency_key()? {
        Some(key) => UserId(call.derived_id(key)),
        None => UserId(backend.clock.id(backend.clock.now())),
    };
    match register_as(backend, call, id, &new, false).await {
        // The same request at the same time may have made the account first, under a key that this one did not know of.
        Err(Failure::Refused(problem)) if problem.slug == Slug::IdempotencyKeyReused => {
            register_as(backend, call, id, &new, true).await
        }
        done => done,
    }
}

/// The account's first fact, its key and the claim on its address are one transaction: there is no half of an account.
async fn register_as(
    backend: &Backend,
    call: &Call<'_>,
    id: UserId,
    new: &NewAccount,
    is_there: bool,
) -> Result<Reply, Failure> {
    let idempotency_key = call.idempotency_key()?;
    let known = if idempotency_key.is_some() { backend.vault.key(Subject::Account(id)).await? } else { None };
    let (fresh_key, keep_key) = backend.vault.prepare(id).await?;
    let is_forgotten = is_there && known.is_none(); // then the idempotency key alone decides
    let key = known.unwrap_or(fresh_key);
    let said = [new.email.clear(), new.name.clear()].join("\n");
    let request = (!is_forgotten).then(|| request_mac(&key, call, said.as_bytes()));
    let command = idempotency_key.map(|tag| CommandId { key: tag, request });
    let author = by(call, Actor::User(id), id, command);
    let claim = backend.secrets.claim(&new.email);
    let (key, keep_key, claim) = (&key, &keep_key, &claim);
    let decide = |user: User, _| async move {
        // Looked at on every attempt: a transaction that fails does not say whether it met a claim or a rival.
        if user == User::None && backend.vault.holder(claim).await?.is_some_and(|holder| holder != id) {
            return Err(Problem::new(Slug::EmailTaken, "Sign in, or ask for a new password.").into());
        }
        let events = decide(&user, &Command::Register(seal(key, id, new).await?)).map_err(Problem::from)?;
        Ok::<_, Failure>(Decision {
            events,
            extra_puts: vec![keep_key.clone(), backend.vault.claim(claim, id)?],
        })
    };
    let outcome = backend.log.transact::<User, _, _, _>(id.into(), &author, None, decide).await?;
    Ok(written(201, id.into(), outcome.seq, None, Some("/v1/me".into())))
}

async fn seal(key: &SubjectKey, id: UserId, new: &NewAccount) -> Result<Registered, Failure> {
    Ok(Registered {
        name: key.seal(id.into(), &new.name),
        email: key.seal(id.into(), &new.email),
        password: key.seal(id.into(), &password::hash(&new.password).await?),
    })
}

pub(crate) async fn confirm(backend: &Backend, call: &Call<'_>) -> Result<Reply, Failure> {
    let ConfirmEmail { token } = call.body()?;
    let token = &read(backend, call, &token).await?;
    if !backend.secrets.was_mailed(Mailed::Confirmation, token, REGISTERED_SEQ) {
        return Err(void());
    }
    let author =
        author_as(backend, call, Actor::User(token.user), token.user, Subject::Account(token.user), b"")
            .await?;
    // A link that was followed has served its purpose, and one to an account that is gone has none.
    let decide = |user: User, _| async move { decide(&user, &Command::ConfirmEmail).map_err(|_| void()) };
    backend.log.transact::<User, _, _, _>(token.user.into(), &author, None, decide).await?;
    Ok(Reply::empty(204))
}

pub(crate) async fn ask_reset(backend: &Backend, call: &Call<'_>) -> Result<Reply, Failure> {
    let email = call.body::<AskPasswordReset>()?.parse()?;
    call.idempotency_key()?; // only where there is an account is it used, and a bad one would tell
    backend.limits.count_from(Tries::MailAddress, call.address()).await?;
    backend.limits.count(Tries::MailAccount, &email.normalised()).await?;
    let floor = Floor::from_now(); // the wait does not tell whether there is such an account
    let asked = ask_reset_of(backend, call, &email).await;
    floor.reached().await;
    asked?;
    Ok(Reply::empty(202))
}

async fn ask_reset_of(backend: &Backend, call: &Call<'_>, email: &Email) -> Result<(), Failure> {
    let Some(user) = backend.vault.holder(&backend.secrets.claim(email)).await? else { return Ok(()) };
    let actor = Actor::System(Component::Accounts); // whoever asks has not shown who they are
    let author = author_as(backend, call, actor, user, Subject::Account(user), b"").await?;
    // An account that is being forgotten gets no mail, and nobody learns that it was there.
    let decide =
        |user: User, _| async move { Ok(decide(&user, &Command::AskPasswordReset).unwrap_or_default()) };
    backend.log.transact::<User, _, _, _>(user.into(), &author, None, decide).await.map(drop)
}

pub(crate) async fn reset(backend: &Backend, call: &Call<'_>) -> Result<Reply, Failure> {
    let (token, new) = call.body::<ResetPassword>()?.parse()?;
    let token = &read(backend, call, &token).await?;
    let author =
        author_as(backend, call, Actor::User(token.user), token.user, Subject::Account(token.user), b"")
            .await?;
    let new = &new;
    let decide = |user: User, _| async move {
        let account = user.kept().ok_or_else(void)?;
        // It hangs on the password that it is to replace: once that has changed, the link is void.
        if !backend.secrets.was_mailed(Mailed::PasswordReset, token, account.password_seq) {
            return Err(void());
        }
        let key = backend.vault.key(Subject::Account(token.user)).await?.ok_or_else(void)?;
        let password = seal_new(token.user, account, &key, new).await?;
        Ok(decide(&user, &Command::ChangePassword(password)).map_err(Problem::from)?)
    };
    backend.log.transact::<User, _, _, _>(token.user.into(), &author, None, decide).await?;
    Ok(Reply::empty(204))
}

/// A mailed token that has the form of one and has not ended. Whether it is one of ours is still to be asked.
async fn read(backend: &Backend, call: &Call<'_>, text: &str) -> Result<MailedToken, Failure> {
    backend.limits.count_from(Tries::TokenAddress, call.address()).await?;
    MailedToken::parse(text).filter(|token| backend.clock.now() < token.ends_at).ok_or_else(void)
}

fn void() -> Failure {
    Problem::new(Slug::InvalidToken, "The link is spent or too old; ask for a new one.").into()
}
