//! HTTP handlers of hosts' commands on visits.

use infra::{
    Backend, Failure,
    http::{Call, Reply, written},
    log::Outcome,
    vault::{Subject, SubjectKey},
};
use schema::{
    Actor, Problem, Sealed, UserId, WaiteeId, WaitlistId, access,
    body::{ChangeWaitee, Empty, Erasing, Move, MoveTo, Transition},
    value::Reason,
    waitee::{JoinedBy, Why},
};

use super::{
    Command, ErasureCommand, HostCommand, Target, Visit, Waitee,
    join::{self, Joining, region},
    seal,
};
use crate::{author::author, waitlist};

pub(crate) async fn add(backend: &Backend, call: &Call<'_>) -> Result<Reply, Failure> {
    let id = WaitlistId(call.path_id()?);
    let list = waitlist::handler::latest(backend, call.owner, id).await?;
    let joining = Joining { tenant: call.owner, id, list, by: JoinedBy::Host };
    let (id, outcome) = join::put_on(backend, call, &joining, &call.body()?).await?;
    Ok(answer(201, id, outcome, Some(format!("/v1/waitees/{id}"))))
}

pub(crate) async fn change(backend: &Backend, call: &Call<'_>) -> Result<Reply, Failure> {
    let id = WaiteeId(call.path_id()?);
    let body = &call.body::<ChangeWaitee>()?;
    run(backend, call, 200, |visit| async move {
        let region = region(&waitlist::handler::latest(backend, call.owner, visit.waitlist).await?)?;
        let patch = body.clone().parse(region)?;
        let key = key(backend, guest(call.owner, id)).await?;
        Ok(HostCommand::Change(seal::patch(&key, id.into(), &patch)))
    })
    .await
}

pub(crate) async fn call(backend: &Backend, call: &Call<'_>) -> Result<Reply, Failure> {
    call.body::<Empty>()?;
    run(backend, call, 202, |visit| async move {
        Ok(HostCommand::Call { list: waitlist::handler::latest(backend, call.owner, visit.waitlist).await? })
    })
    .await
}

pub(crate) async fn restore(backend: &Backend, call: &Call<'_>) -> Result<Reply, Failure> {
    let reason = &call.body::<Transition>()?.parse()?;
    run(backend, call, 200, |visit| async move {
        let list = waitlist::handler::latest(backend, call.owner, visit.waitlist).await?;
        let reason = seal_reason(backend, call, reason.as_ref()).await?;
        Ok(HostCommand::Restore { list, why: Why { reason } })
    })
    .await
}

pub(crate) async fn erase(backend: &Backend, call: &Call<'_>) -> Result<Reply, Failure> {
    call.body::<Empty>()?;
    let id = WaiteeId(call.path_id()?);
    let author = author(backend, call, call.actor(), guest(call.owner, id), &call.said()).await?;
    let erase = Command::Erasure(ErasureCommand::Erase);
    backend.log.execute::<Waitee>(id.into(), &author, call.expect()?, &erase).await?;
    Reply::plain(202, &Erasing::default())
}

pub(crate) async fn transition(
    backend: &Backend,
    call: &Call<'_>,
    command: fn(Why) -> HostCommand,
) -> Result<Reply, Failure> {
    let reason = &call.body::<Transition>()?.parse()?;
    run(backend, call, 200, |_| async move {
        Ok(command(Why { reason: seal_reason(backend, call, reason.as_ref()).await? }))
    })
    .await
}

pub(crate) async fn move_beside(backend: &Backend, call: &Call<'_>) -> Result<Reply, Failure> {
    let id = WaiteeId(call.path_id()?);
    let (beside, reason) = &call.body::<Move>()?.parse()?;
    let beside = *beside;
    let (pointer, other) = match beside {
        MoveTo::Before(other) => ("/before", other),
        MoveTo::After(other) => ("/after", other),
    };
    if other == id {
        return Err(Problem::invalid_value(
            pointer,
            "must be the id of a different party than the one being moved",
        )
        .into());
    }
    run(backend, call, 200, |visit| async move {
        let target = target(backend, call.owner, &visit, id, beside, other).await?;
        Ok(HostCommand::Move { beside, target, reason: seal_reason(backend, call, reason.as_ref()).await? })
    })
    .await
}

/// Reads the party to move next to. Its rank comes from the log, because its row may not show an earlier move
/// yet; its neighbour's rank comes from the rows.
async fn target(
    backend: &Backend,
    owner: UserId,
    visit: &Visit,
    id: WaiteeId,
    beside: MoveTo,
    other: WaiteeId,
) -> Result<Option<Target>, Failure> {
    let Some((_, found)) = read(backend, Actor::User(owner), other).await? else { return Ok(None) };
    let backwards = matches!(beside, MoveTo::Before(_));
    let neighbour = backend.rows.neighbour(visit.waitlist, &found.rank, backwards, [id, other]).await?;
    Ok(Some(Target {
        waitlist: found.waitlist,
        active: found.state.is_active(),
        rank: found.rank,
        neighbour,
    }))
}

/// Runs a command on the visit in the path. `command` builds it from the visit as loaded, and is called again
/// after each conflict.
async fn run<C, F>(backend: &Backend, call: &Call<'_>, status: u16, command: C) -> Result<Reply, Failure>
where
    C: Fn(Visit) -> F + Send + Sync,
    F: Future<Output = Result<HostCommand, Failure>> + Send,
{
    let id = WaiteeId(call.path_id()?);
    let author = author(backend, call, call.actor(), guest(call.owner, id), &call.said()).await?;
    let command = &command;
    let command = |waitee: Waitee| async move {
        let visit = waitee.0.ok_or_else(Problem::not_found)?;
        Ok(Command::Host(command(visit).await?))
    };
    let outcome = backend.log.execute_with(id.into(), &author, call.expect()?, command).await?;
    Ok(answer(status, id, outcome, None))
}

/// Reads a visit and the account it belongs to from the log. `None` when the visit does not exist or `caller`
/// may not access it.
pub(super) async fn read(
    backend: &Backend,
    caller: Actor,
    id: WaiteeId,
) -> Result<Option<(UserId, Visit)>, Failure> {
    let found = backend.log.read::<Waitee>(id.into()).await?;
    let own = found.filter(|found| access::may(caller, id.into(), found.tenant).is_ok());
    Ok(own.and_then(|found| Some((found.tenant, found.state.0?))))
}

pub(super) fn answer(status: u16, id: WaiteeId, outcome: Outcome<Waitee>, location: Option<String>) -> Reply {
    written(status, id.into(), outcome.seq, outcome.state.0.map(|visit| visit.state), location)
}

fn guest(account: UserId, guest: WaiteeId) -> Subject {
    Subject::Guest { account, guest }
}

async fn key(backend: &Backend, subject: Subject) -> Result<SubjectKey, Failure> {
    let key = backend.vault.key(subject).await?;
    key.ok_or_else(|| Problem::erased().into())
}

async fn seal_reason(
    backend: &Backend,
    call: &Call<'_>,
    reason: Option<&Reason>,
) -> Result<Option<Sealed<Reason>>, Failure> {
    let Some(reason) = reason else { return Ok(None) };
    let id = WaiteeId(call.path_id()?);
    Ok(Some(key(backend, guest(call.owner, id)).await?.seal(id.into(), reason)))
}
