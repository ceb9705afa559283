//! HTTP handlers of an account's commands on itself: rename, change password, erase.

use infra::{
    Backend, Failure,
    http::{Call, Reply, written},
    limits::Tries,
    vault::{Subject, SubjectKey},
};
use schema::{
    Actor, Problem, Sealed, UserId,
    body::{
        Erasing,
        account::{ChangeMe, ChangePassword, EraseMe},
    },
    sealed::{Opened, Personal},
    value::{Email, Password, PasswordHash},
};

use super::{Account, Command, User, decide, password};
use crate::author::{author_as, said_with_credentials};

pub(crate) async fn rename(backend: &Backend, call: &Call<'_>) -> Result<Reply, Failure> {
    let name = call.body::<ChangeMe>()?.parse()?;
    let (name, said) = (&name, call.said());
    let outcome =
        run(backend, call, &said, |user, key| async move {
            match name {
                Some(name) => Ok(decide(&user, &Command::Rename(key.seal(call.owner.into(), name)))
                    .map_err(Problem::from)?),
                None => user.kept().map(|_| Vec::new()).ok_or_else(|| Problem::not_found().into()),
            }
        });
    Ok(written(200, call.owner.into(), outcome.await?, None, None))
}

pub(crate) async fn change_password(backend: &Backend, call: &Call<'_>) -> Result<Reply, Failure> {
    let (current, new) = call.body::<ChangePassword>()?.parse()?;
    backend.limits.count(Tries::SignInAccount, &call.owner.to_string()).await?;
    let (current, new, said) = (&current, &new, said_with_credentials(backend, call));
    run(backend, call, said.as_ref(), |user, key| async move {
        let account = user.kept().ok_or_else(Problem::not_found)?;
        knows(call.owner, account, &key, current).await?;
        let password = seal_new(call.owner, account, &key, new).await?;
        Ok(decide(&user, &Command::ChangePassword(password)).map_err(Problem::from)?)
    })
    .await?;
    Ok(Reply::empty(204))
}

pub(crate) async fn erase(backend: &Backend, call: &Call<'_>) -> Result<Reply, Failure> {
    let current = &call.body::<EraseMe>()?.parse()?;
    backend.limits.count(Tries::SignInAccount, &call.owner.to_string()).await?;
    let said = said_with_credentials(backend, call);
    run(backend, call, said.as_ref(), |user, key| async move {
        if let Some(account) = user.kept() {
            knows(call.owner, account, &key, current).await?;
        }
        Ok(decide(&user, &Command::Erase).map_err(Problem::from)?)
    })
    .await?;
    Reply::plain(202, &Erasing::default())
}

/// Runs a command on the account that asks; the number of its last event.
async fn run<D, F>(backend: &Backend, call: &Call<'_>, said: &[u8], decide: D) -> Result<u64, Failure>
where
    D: Fn(User, SubjectKey) -> F + Send + Sync,
    F: Future<Output = Result<Vec<schema::user::Event>, Failure>> + Send,
{
    let owner = call.owner;
    let author = author_as(backend, call, Actor::User(owner), owner, Subject::Account(owner), said).await?;
    let decide = &decide;
    let with_key = |user, _| async move {
        let key = backend.vault.key(Subject::Account(owner)).await?.ok_or_else(Problem::not_found)?;
        decide(user, key).await
    };
    Ok(backend.log.transact::<User, _, _, _>(owner.into(), &author, call.expect()?, with_key).await?.seq)
}

/// Refuses unless `password` is the account's current password.
async fn knows(
    user: UserId,
    account: &Account,
    key: &SubjectKey,
    password: &Password,
) -> Result<(), Failure> {
    let hash: PasswordHash = clear(user, key, &account.password)?;
    if password::fits(password, &hash).await? { Ok(()) } else { Err(Problem::wrong_password().into()) }
}

/// Checks a new password, hashes it and seals the hash.
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
        Opened::Damaged => {
            Err(Failure::broken(format!("open the {} of user-{user}", T::FIELD), "it does not fit its key"))
        }
    }
}
