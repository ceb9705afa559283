//! Appends readings to the stream of an account's readings.

use infra::{Backend, Failure, http::Call};
use schema::{
    Actor, UserId,
    commit::{Author, correlation_of},
    id::Component,
    reading::{Event, HistoryExported, HistoryRead, stream_of},
};

use super::Readings;

/// Records that an operator reads the history of an account. `None` when there is no such account: then
/// nothing is recorded. Costs 1 write unit, 1 for the audit index, and 2 read units.
///
/// # Errors
/// The log does not answer; the reading must not happen then.
pub async fn record(backend: &Backend, account: UserId, reading: HistoryRead) -> Result<Option<()>, Failure> {
    if backend.log.latest(account.into()).await?.is_none() {
        return Ok(None);
    }
    let correlation = backend.clock.id(backend.clock.now()).to_string();
    let actor = Actor::System(Component::Operator);
    append(backend, account, actor, correlation, Event::HistoryRead(reading)).await?;
    Ok(Some(()))
}

/// Records that the caller exports a part of the history of their account. Costs 1 write unit, 1 for the audit index,
/// and 1 read unit.
///
/// # Errors
/// The log does not answer, or several exports are recorded at once; the export must not happen then.
pub async fn record_export(
    backend: &Backend,
    call: &Call<'_>,
    export: HistoryExported,
) -> Result<(), Failure> {
    let correlation = correlation_of(call.request_id()).to_owned();
    append(backend, call.owner, call.actor(), correlation, Event::HistoryExported(export)).await
}

async fn append(
    backend: &Backend,
    account: UserId,
    actor: Actor,
    correlation: String,
    reading: Event,
) -> Result<(), Failure> {
    let author = Author { tenant: account, actor, command: None, correlation, causation: None };
    backend.log.execute::<Readings>(stream_of(account), &author, None, &reading).await?;
    Ok(())
}
