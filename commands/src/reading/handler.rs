//! Records readings for the command line.

use infra::{Backend, Failure};
use schema::{
    Actor, UserId,
    commit::Author,
    id::Component,
    reading::{HistoryRead, stream_of},
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
    let author = Author {
        tenant: account,
        actor: Actor::System(Component::Operator),
        command: None,
        correlation: backend.clock.id(backend.clock.now()).to_string(),
        causation: None,
    };
    backend.log.execute::<Readings>(stream_of(account), &author, None, &reading).await?;
    Ok(Some(()))
}
