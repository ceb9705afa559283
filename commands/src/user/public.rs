//! Requests about accounts by callers who have not signed in: registering, and following mailed links.

use infra::{
    Backend, Failure,
    http::{Call, Reply, written},
    limits::Tries,
    log::{Decider as _, Decision},
    secret::{Mailed, MailedToken},
    vault::{Subject, SubjectKey},
};
use schema::{
    Actor, Commit, MailId, Problem, Slug, StreamId, Time, UserId,
    body::account::{ConfirmEmail, NewAccount, Register, ResetPassword},
    commit::{Author, Tail},
    mail,
    sealed::Personal,
    user::Registered,
};
use tokio::sync::OnceCell;

use super::{Command, Refusal, User, handler::seal_new, password};
use crate::author::{author, author_with_key, content_with_credentials, created_id};

/// Number of the event `registered` in its stream: a confirmation link is bound to it.
pub const REGISTERED_SEQ: u64 = 1;

pub(crate) async fn register(backend: &Backend, call: &Call<'_>) -> Result<Reply, Failure> {
    let new = call.body::<Register>()?.parse()?;
    backend.limits.count_from(Tries::RegisterAddress, call.address()).await?;
    password::check(&new.password, &[new.name.clear(), new.email.clear()]).await?;
    backend.limits.count(Tries::RegisterAccount, &new.email.normalised()).await?;
    let id = UserId(created_id(backend, call, call.owner)?);
    match register_as(backend, call, id, &new, false).await {
        // A concurrent identical request may have created the account with another key than the one used
        // here.
        Err(Failure::Refused(problem)) if problem.slug == Slug::IdempotencyKeyReused => {
            register_as(backend, call, id, &new, true).await
        }
        done => done,
    }
}

/// Registers in one transaction: the account's first event, its key, the claim on its address and its welcome
/// mail.
async fn register_as(
    backend: &Backend,
    call: &Call<'_>,
    id: UserId,
    new: &NewAccount,
    is_there: bool,
) -> Result<Reply, Failure> {
    let has_idempotency_key = call.idempotency_key()?.is_some();
    let known = if has_idempotency_key { backend.vault.key(Subject::Account(id)).await? } else { None };
    let (fresh_key, keep_key) = backend.vault.prepare(id).await?;
    let is_forgotten = is_there && known.is_none(); // the idempotency key alone decides
    let key = known.unwrap_or(fresh_key);
    let content = content_with_credentials(backend, call)?;
    let mac_key = (!is_forgotten).then_some(&key);
    let author = author_with_key(call, Actor::User(id), Subject::Account(id), mac_key, content.as_ref())?;
    let claim = backend.claims.of_email(&new.email)?;
    let (key, keep_key, claim, author, sealed) = (&key, &keep_key, &claim, &author, &OnceCell::new());
    let decide = |user: User, now| async move {
        // Checked in every attempt: a failed transaction does not tell a claimed address from a concurrent
        // registration.
        if user == User::None && backend.vault.holder(claim).await?.is_some_and(|holder| holder != id) {
            return Err(Problem::new(Slug::EmailTaken, "Sign in, or ask for a new password.").into());
        }
        // The password is hashed once: waiting for its hash may be the reason why this is decided again.
        let registered: &Registered = sealed.get_or_try_init(|| seal(key, id, new)).await?;
        let register = Command::Register(registered.clone());
        let events = user.decide(&register, now).map_err(Problem::from)?;
        let also = vec![welcome_mail(backend, id, author, now)?];
        let extra_puts = vec![keep_key.clone(), backend.vault.claim(claim, id)?];
        Ok::<_, Failure>(Decision { events, also, extra_puts })
    };
    let outcome =
        backend.log.transact::<User, _, _, _>(id.into(), author, call.expect_new()?, decide).await?;
    Ok(written(201, id.into(), outcome.seq, None, Some("/v1/me".into())))
}

/// The first commit of the welcome mail. It belongs to the transaction of the registration: an account
/// without a welcome mail would need a process that notices and adds it.
fn welcome_mail(backend: &Backend, id: UserId, author: &Author, now: Time) -> Result<Commit, Failure> {
    let asked = mail::Event::Asked(mail::Asked { kind: mail::Kind::Welcome, user_seq: REGISTERED_SEQ });
    let causation = Some(format!("{}@{REGISTERED_SEQ}", StreamId::from(id)));
    let author = Author { command: None, causation, ..author.clone() };
    Commit::new(MailId(id.0).into(), &Tail::EMPTY, now, backend.clock.id(now), &author, &[asked])
        .map_err(|cause| Failure::broken(format!("write the welcome mail of {id}"), cause))
}

async fn seal(key: &SubjectKey, id: UserId, new: &NewAccount) -> Result<Registered, Failure> {
    Ok(Registered {
        name: key.seal(id.into(), &new.name),
        email: key.seal(id.into(), &new.email),
        password: key.seal(id.into(), &password::hash(&new.password).await?),
    })
}

/// Confirms an address by a mailed link. Mail scanners and double clicks follow a link more than once, so it
/// answers 204 for as long as the address that it confirms is confirmed, also after its end.
pub(crate) async fn confirm(backend: &Backend, call: &Call<'_>) -> Result<Reply, Failure> {
    let ConfirmEmail { token } = call.body()?;
    let token = &read(backend, call, &token).await?;
    if !backend.secrets.was_mailed(Mailed::Confirmation, token, REGISTERED_SEQ).await? {
        return Err(void());
    }
    let author = owner_author(backend, call, token).await?;
    let confirm = Command::ConfirmEmail { link_ends_at: token.ends_at };
    backend.log.execute::<User>(token.user.into(), &author, None, &confirm).await?;
    Ok(Reply::empty(204))
}

pub(crate) async fn reset(backend: &Backend, call: &Call<'_>) -> Result<Reply, Failure> {
    let (token, new) = call.body::<ResetPassword>()?.parse()?;
    let token = &read(backend, call, &token).await?;
    if backend.clock.now() >= token.ends_at {
        return Err(void());
    }
    let author = owner_author(backend, call, token).await?;
    let (new, sealed) = (&new, &OnceCell::new());
    let change = |user: User| async move {
        let account = user.kept().ok_or_else(void)?;
        // The link is bound to the password that it replaces: a changed password makes it void.
        if !backend.secrets.was_mailed(Mailed::PasswordReset, token, account.password_seq).await? {
            return Err(void());
        }
        let key = backend.vault.key(Subject::Account(token.user)).await?.ok_or_else(void)?;
        let seal = || seal_new(token.user, account, &key, new);
        Ok(Command::ChangePassword(sealed.get_or_try_init(seal).await?.clone()))
    };
    backend.log.execute_with(token.user.into(), &author, None, change).await?;
    Ok(Reply::empty(204))
}

/// The owner whose mailed token this is, as the author of commits on the account.
async fn owner_author(backend: &Backend, call: &Call<'_>, token: &MailedToken) -> Result<Author, Failure> {
    let content = content_with_credentials(backend, call)?;
    author(backend, call, Actor::User(token.user), Subject::Account(token.user), content.as_ref()).await
}

/// Parses a mailed token. The caller checks its MAC and its end.
async fn read(backend: &Backend, call: &Call<'_>, text: &str) -> Result<MailedToken, Failure> {
    backend.limits.count_from(Tries::TokenAddress, call.address()).await?;
    MailedToken::parse(text).ok_or_else(void)
}

fn void() -> Failure {
    Problem::from(Refusal::InvalidLink).into()
}
