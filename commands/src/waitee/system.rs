//! What time does to a visit.

use infra::{Backend, Failure, log::Read, vault::Subject};
use schema::{
    Actor, Problem, Sealed, WaiteeId,
    id::Component,
    value::Reason,
    waitee::{State, Why},
};

use super::{Command, Visit, Waitee, decide};
use crate::waitlist::{self, Waitlist};

/// Why a visit is removed that has lasted for too long.
const EXPIRED: &str = "expired";

/// Why a visit is removed whose list was deleted.
const LIST_DELETED: &str = "list deleted";

/// Marks a party as a no-show whose hold ran out without an answer. Nothing happens when it has answered, or
/// was not told for a fault of ours ([`schema::agenda::Agenda::no_show_at`]).
///
/// # Errors
/// As [`infra::Log::transact`].
pub async fn end_hold(backend: &Backend, id: WaiteeId) -> Result<(), Failure> {
    let Some(read) = backend.log.read::<Waitee>(id.into()).await? else { return Ok(()) };
    run(backend, id, &read, &Command::EndHold).await
}

/// The visit has lasted for too long: it is removed, if it is not over.
///
/// # Errors
/// As [`infra::Log::transact`].
pub async fn expire(backend: &Backend, id: WaiteeId) -> Result<(), Failure> {
    let Some(read) = backend.log.read::<Waitee>(id.into()).await? else { return Ok(()) };
    let why = because(backend, id, &read, EXPIRED).await?;
    run(backend, id, &read, &Command::Expire(why)).await
}

/// The list is gone: a party that was left on it is removed.
///
/// # Errors
/// As [`infra::Log::transact`].
pub async fn clear(backend: &Backend, id: WaiteeId) -> Result<(), Failure> {
    let Some(read) = backend.log.read::<Waitee>(id.into()).await? else { return Ok(()) };
    let Some(visit) = read.state.0.as_ref().filter(|visit| is_left(visit)) else { return Ok(()) };
    let list = waitlist::find(backend, visit.waitlist).await?.map_or(Waitlist::None, |(_, list)| list);
    let why = because(backend, id, &read, LIST_DELETED).await?;
    run(backend, id, &read, &Command::Clear { list, why }).await
}

fn is_left(visit: &Visit) -> bool {
    match visit.state {
        State::Waiting | State::Called | State::Confirmed => !visit.erased,
        State::Seated | State::Left | State::Removed | State::NoShow => false,
    }
}

async fn run(backend: &Backend, id: WaiteeId, read: &Read<Waitee>, command: &Command) -> Result<(), Failure> {
    let author = read.because_of(read.seq, Actor::System(Component::Tick));
    let decide =
        |waitee: Waitee, now| async move { Ok(decide(&waitee, command, now).map_err(Problem::from)?) };
    backend.log.transact(id.into(), &author, None, decide).await.map(drop)
}

/// A reason under the guest's key, as hosts' reasons are; none when that key is gone.
async fn because(
    backend: &Backend,
    guest: WaiteeId,
    read: &Read<Waitee>,
    text: &str,
) -> Result<Why, Failure> {
    let key = backend.vault.key(Subject::Guest { account: read.tenant, guest }).await?;
    let reason: Option<Reason> = Reason::parse(text).ok();
    let sealed: Option<Sealed<Reason>> = key.zip(reason).map(|(key, reason)| key.seal(guest.into(), &reason));
    Ok(Why { reason: sealed })
}
