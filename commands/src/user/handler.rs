//! HTTP handlers of an account's commands on itself: rename, change password, erase.

use std::sync::OnceLock;

use infra::{
    Backend, Failure,
    http::{Call, Reply, written},
    limits::Tries,
    vault::{Subject, SubjectKey},
};
use schema::{
    Problem, Sealed, UserId,
    body::{
        Erasing,
        account::{ChangeMe, ChangePassword, EraseMe, NewPassword},
    },
    sealed::{Opened, Personal},
    value::{Email, Password, PasswordHash},
};
use tokio::sync::OnceCell;

use super::{Account, Command, User, password};
use crate::author::{author, content_with_credentials};

pub(crate) async fn rename(backend: &Backend, call: &Call<'_>) -> Result<Reply, Failure> {
    let name = &call.body::<ChangeMe>()?.parse()?;
    let seal = |_, key: SubjectKey| async move {
        Ok(Command::Rename(name.as_ref().map(|name| key.seal(call.owner.into(), name))))
    };
    let seq = run(backend, call, &call.said(), seal).await?;
    Ok(written(200, call.owner.into(), seq, None, None))
}

pub(crate) async fn change_password(backend: &Backend, call: &Call<'_>) -> Result<Reply, Failure> {
    let NewPassword { current, new } = &call.body::<ChangePassword>()?.parse()?;
    backend.limits.count(Tries::SignInAccount, &call.owner.to_string()).await?;
    let content = content_with_credentials(backend, call)?;
    let (proven, sealed) = (&Proven::default(), &OnceCell::new());
    run(backend, call, content.as_ref(), |user, key| async move {
        let account = user.kept().ok_or_else(Problem::not_found)?;
        check_current(call.owner, account, &key, current, proven).await?;
        let seal = || seal_new(call.owner, account, &key, new);
        Ok(Command::ChangePassword(sealed.get_or_try_init(seal).await?.clone()))
    })
    .await?;
    Ok(Reply::empty(204))
}

pub(crate) async fn erase(backend: &Backend, call: &Call<'_>) -> Result<Reply, Failure> {
    let current = &call.body::<EraseMe>()?.parse()?;
    backend.limits.count(Tries::SignInAccount, &call.owner.to_string()).await?;
    let content = content_with_credentials(backend, call)?;
    let proven = &Proven::default();
    run(backend, call, content.as_ref(), |user, key| async move {
        if let Some(account) = user.kept() {
            check_current(call.owner, account, &key, current, proven).await?;
        }
        Ok(Command::Erase)
    })
    .await?;
    Reply::plain(202, &Erasing::default())
}

/// Runs a command on the caller's account and returns the number of the account's last event.
async fn run<C, F>(backend: &Backend, call: &Call<'_>, content: &[u8], command: C) -> Result<u64, Failure>
where
    C: Fn(User, SubjectKey) -> F + Send + Sync,
    F: Future<Output = Result<Command, Failure>> + Send,
{
    let subject = Subject::Account(call.owner);
    let author = author(backend, call, call.actor(), subject, content).await?;
    let command = &command;
    let with_key = |user| async move {
        let key = backend.vault.key(subject).await?.ok_or_else(Problem::not_found)?;
        command(user, key).await
    };
    let outcome = backend.log.execute_with(call.owner.into(), &author, call.expect()?, with_key).await?;
    Ok(outcome.seq)
}

/// The stored hash that the request's password fits. A command that is decided again compares no hash twice:
/// waiting for a hash may be the reason why it is decided again.
type Proven = OnceLock<Sealed<PasswordHash>>;

/// Refuses unless `password` is the account's current password.
async fn check_current(
    user: UserId,
    account: &Account,
    key: &SubjectKey,
    password: &Password,
    proven: &Proven,
) -> Result<(), Failure> {
    if proven.get() == Some(&account.password) {
        return Ok(());
    }
    let hash: PasswordHash = clear(user, key, &account.password)?;
    if !password::fits(password, &hash).await? {
        return Err(Problem::wrong_password().into());
    }
    let _first = proven.set(account.password.clone());
    Ok(())
}

/// Checks a new password, hashes it and seals the hash. Callers keep the result while a command is decided
/// again, because hashing may be the reason why it is.
pub(super) async fn seal_new(
    user: UserId,
    account: &Account,
    key: &SubjectKey,
    new: &Password,
) -> Result<Sealed<PasswordHash>, Failure> {
    let email: Email = clear(user, key, &account.email)?;
    password::check(new, &[email.clear()]).await?;
    Ok(key.seal(user.into(), &password::hash(new).await?))
}

/// Opens a value sealed in an account. A value that its key does not open is damaged: broken, not a wrong
/// password.
pub(crate) fn clear<T: Personal>(user: UserId, key: &SubjectKey, sealed: &Sealed<T>) -> Result<T, Failure> {
    match key.open(user.into(), sealed) {
        Opened::Clear(value) => Ok(value),
        Opened::Erased => Err(Problem::not_found().into()),
        Opened::Damaged => Err(Failure::broken(
            format!("open the {} of user-{user}", T::FIELD),
            "its ciphertext does not fit the account's key",
        )),
    }
}
