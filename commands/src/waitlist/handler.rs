//! HTTP handlers of commands on lists.

use std::future::ready;

use infra::{
    Backend, Failure,
    http::{Call, Reply, written},
    vault::{Held, Subject, VaultError},
};
use schema::{
    Actor, Problem, UserId, WaitlistId, access,
    body::{ChangeWaitlist, CreateWaitlist, Empty},
};

use super::{Command, Waitlist};
use crate::author::{author, author_with_key, created_id};

/// The parties on a board are counted up to this number when a list is deleted.
const ACTIVE_COUNTED_MAX: usize = 500;

pub(crate) async fn create(backend: &Backend, call: &Call<'_>) -> Result<Reply, Failure> {
    let settings = call.body::<CreateWaitlist>()?.parse()?;
    let id = WaitlistId(created_id(backend, call, call.owner)?);
    let expect = call.expect_new()?;
    // Creates the account's key if it has none, because guests' keys are wrapped by it. Locally, a token can name an account that
    // never registered. In AWS every account has a key, and the role of the lambda `hosts` may not create one.
    let account = Subject::Account(call.owner);
    let key = match backend.vault.held(account).await? {
        Held::Key(key) => key,
        Held::Tombstone => return Err(VaultError::Erased { subject: account }.into()),
        Held::Nothing => backend.vault.create(account).await?,
    };
    let author = author_with_key(call, call.actor(), account, Some(&key), &call.said())?;
    let create = Command::Create(settings);
    let outcome = backend.log.execute::<Waitlist>(id.into(), &author, expect, &create).await?;
    Ok(written(201, id.into(), outcome.seq, None, Some(format!("/v1/waitlists/{id}"))))
}

pub(crate) async fn change(backend: &Backend, call: &Call<'_>) -> Result<Reply, Failure> {
    let patch = &call.body::<ChangeWaitlist>()?;
    run(backend, call, 200, |list| match list {
        Waitlist::Kept(state) => Ok(Command::Change(patch.apply(&state.settings)?)),
        Waitlist::None | Waitlist::Deleted => Err(Problem::not_found()),
    })
    .await
}

pub(crate) async fn open(backend: &Backend, call: &Call<'_>) -> Result<Reply, Failure> {
    call.body::<Empty>()?;
    run(backend, call, 200, |_| Ok(Command::Open)).await
}

pub(crate) async fn close(backend: &Backend, call: &Call<'_>) -> Result<Reply, Failure> {
    call.body::<Empty>()?;
    run(backend, call, 200, |_| Ok(Command::Close)).await
}

pub(crate) async fn delete(backend: &Backend, call: &Call<'_>) -> Result<Reply, Failure> {
    call.body::<Empty>()?;
    let active = backend.rows.active(WaitlistId(call.path_id()?), ACTIVE_COUNTED_MAX).await?;
    run(backend, call, 204, |_| Ok(Command::Delete { active })).await
}

/// Runs a command on the list in the path. `command` builds it from the list as loaded, and is called again after a
/// conflict.
async fn run(
    backend: &Backend,
    call: &Call<'_>,
    status: u16,
    command: impl Fn(Waitlist) -> Result<Command, Problem> + Send + Sync,
) -> Result<Reply, Failure> {
    let id = WaitlistId(call.path_id()?);
    let author = author(backend, call, call.actor(), Subject::Account(call.owner), &call.said()).await?;
    let command = |list| ready(command(list).map_err(Failure::from));
    let outcome = backend.log.execute_with(id.into(), &author, call.expect()?, command).await?;
    Ok(written(status, id.into(), outcome.seq, None, None))
}

/// Reads a list of the account `owner` from the log: one item, strongly consistent. Returns `Waitlist::None` for another account's
/// list.
pub(crate) async fn latest(backend: &Backend, owner: UserId, id: WaitlistId) -> Result<Waitlist, Failure> {
    let found = find(backend, id).await?;
    let own = found.filter(|(tenant, _)| access::may(Actor::User(owner), id.into(), *tenant).is_ok());
    Ok(own.map_or(Waitlist::None, |(_, list)| list))
}

/// Reads a list and its account without checking the owner, because a guest needs no more than the id to join.
pub async fn find(backend: &Backend, id: WaitlistId) -> Result<Option<(UserId, Waitlist)>, Failure> {
    let read = backend.log.read_latest::<Waitlist>(id.into()).await?;
    Ok(read.map(|read| (read.tenant, read.state)))
}
