//! Commands of the tick on visits. The deliver lambda runs them.

use infra::{Backend, Failure, log::Read, vault::Subject};
use schema::{Actor, WaiteeId, id::Component, value::Reason, waitee::Why};

use super::{Command, TickCommand, Waitee};
use crate::waitlist::{self, Waitlist};

/// The reason for removing a party whose visit has lasted too long.
const EXPIRED: &str = "expired";

/// The reason for removing a party whose list was deleted.
const LIST_DELETED: &str = "list deleted";

/// Marks a party as a no-show when its hold has run out without an answer. No-op when the party has answered,
/// or was not told through a fault of ours ([`schema::agenda::Agenda::no_show_at`]).
pub async fn end_hold(backend: &Backend, id: WaiteeId) -> Result<(), Failure> {
    let Some(read) = backend.log.read::<Waitee>(id.into()).await? else { return Ok(()) };
    run(backend, id, &read, TickCommand::EndHold).await
}

/// Removes a party whose visit has lasted too long.
pub async fn expire(backend: &Backend, id: WaiteeId) -> Result<(), Failure> {
    let Some(read) = backend.log.read::<Waitee>(id.into()).await? else { return Ok(()) };
    let why = because(backend, id, &read, EXPIRED).await?;
    run(backend, id, &read, TickCommand::Expire(why)).await
}

/// Removes a party whose list was deleted.
pub async fn clear(backend: &Backend, id: WaiteeId) -> Result<(), Failure> {
    let Some(read) = backend.log.read::<Waitee>(id.into()).await? else { return Ok(()) };
    let on_board = read.state.0.as_ref().filter(|visit| visit.state.is_active() && !visit.erased);
    let Some(visit) = on_board else { return Ok(()) };
    let list = waitlist::find(backend, visit.waitlist).await?.map_or(Waitlist::None, |(_, list)| list);
    let why = because(backend, id, &read, LIST_DELETED).await?;
    run(backend, id, &read, TickCommand::Clear { list, why }).await
}

async fn run(
    backend: &Backend,
    id: WaiteeId,
    read: &Read<Waitee>,
    command: TickCommand,
) -> Result<(), Failure> {
    let author = read.author_caused_by(read.seq, Actor::System(Component::Tick));
    backend.log.execute::<Waitee>(id.into(), &author, None, &Command::Tick(command)).await.map(drop)
}

/// A reason sealed under the guest's key, as hosts' reasons are; none when that key is deleted.
async fn because(
    backend: &Backend,
    guest: WaiteeId,
    read: &Read<Waitee>,
    text: &str,
) -> Result<Why, Failure> {
    let key = backend.vault.key(Subject::Guest { account: read.tenant, guest }).await?;
    let reason: Option<Reason> = Reason::parse(text).ok();
    Ok(Why { reason: key.zip(reason).map(|(key, reason)| key.seal(guest.into(), &reason)) })
}
