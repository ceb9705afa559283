//! Commands on lists, as they come over HTTP.

use infra::{
    Backend, Failure,
    http::{Call, Reply, written},
    vault::Subject,
};
use schema::{
    Actor, Problem, UserId, WaitlistId, access,
    body::{ChangeWaitlist, CreateWaitlist, Empty},
    commit::CommandId,
    waitlist::Event,
};

use super::{Command, Waitlist, decide};
use crate::author::{author, by, request_mac};

/// Deleting tells how many parties are left, up to this many.
const ACTIVE_COUNTED_MAX: usize = 500;

pub(crate) async fn create(backend: &Backend, call: &Call<'_>) -> Result<Reply, Failure> {
    let settings = call.body::<CreateWaitlist>()?.parse()?;
    let (idempotency_key, expect) = (call.idempotency_key()?, call.expect_new()?);
    let id = WaitlistId(
        idempotency_key.map_or_else(|| backend.clock.id(backend.clock.now()), |key| call.derived_id(key)),
    );
    // The account's key, so that guests can be put under it: with sign-up in place it is there before the first list.
    let account = Subject::Account(call.owner);
    let account_key = match backend.vault.key(account).await? {
        Some(key) => key,
        None => backend.vault.create(account).await?,
    };
    let author = by(
        call,
        call.actor(),
        call.owner,
        idempotency_key
            .map(|key| CommandId { key, request: Some(request_mac(&account_key, call, &call.said())) }),
    );
    let command = &Command::Create(settings);
    let decide = |list: Waitlist, now| async move { Ok(decide(&list, command, now).map_err(Problem::from)?) };
    let outcome = backend.log.transact(id.into(), &author, expect, decide).await?;
    Ok(written(201, id.into(), outcome.seq, None, Some(format!("/v1/waitlists/{id}"))))
}

pub(crate) async fn change(backend: &Backend, call: &Call<'_>) -> Result<Reply, Failure> {
    run(backend, call, 200, Command::Change(call.body::<ChangeWaitlist>()?)).await
}

pub(crate) async fn open(backend: &Backend, call: &Call<'_>) -> Result<Reply, Failure> {
    call.body::<Empty>()?;
    run(backend, call, 200, Command::Open).await
}

pub(crate) async fn close(backend: &Backend, call: &Call<'_>) -> Result<Reply, Failure> {
    call.body::<Empty>()?;
    run(backend, call, 200, Command::Close).await
}

pub(crate) async fn delete(backend: &Backend, call: &Call<'_>) -> Result<Reply, Failure> {
    call.body::<Empty>()?;
    let active = backend.rows.active(WaitlistId(call.path_id()?), ACTIVE_COUNTED_MAX).await?;
    run(backend, call, 204, Command::Delete { active }).await
}

async fn run(backend: &Backend, call: &Call<'_>, status: u16, command: Command) -> Result<Reply, Failure> {
    let id = WaitlistId(call.path_id()?);
    let author = author(backend, call, Subject::Account(call.owner)).await?;
    let command = &command;
    let decide = |list: Waitlist, now| async move { Ok(decide(&list, command, now).map_err(Problem::from)?) };
    let outcome = backend.log.transact(id.into(), &author, call.expect()?, decide).await?;
    Ok(written(status, id.into(), outcome.seq, None, None))
}

/// A list as it is now, from the log: one item, strongly consistent. Another account's list is none.
pub(crate) async fn latest(backend: &Backend, owner: UserId, id: WaitlistId) -> Result<Waitlist, Failure> {
    let found = at_the_door(backend, id).await?;
    let own = found.filter(|(tenant, _)| access::may(Actor::User(owner), id.into(), *tenant).is_ok());
    Ok(own.map_or(Waitlist::None, |(_, list)| list))
}

/// As [`latest`], whoever's it is, and whose: whoever knows a list's id may join it, as at the restaurant's door.
///
/// # Errors
/// The log cannot be read.
pub async fn at_the_door(backend: &Backend, id: WaitlistId) -> Result<Option<(UserId, Waitlist)>, Failure> {
    let Some(commit) = backend.log.latest(id.into()).await? else { return Ok(None) };
    let facts =
        commit.facts::<Event>().map_err(|cause| Failure::broken(format!("read {}", commit.stream), cause))?;
    Ok(Some((commit.tenant, facts.iter().fold(Waitlist::None, infra::log::Aggregate::evolve))))
}
