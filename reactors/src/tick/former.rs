//! The former generations of projections, which are kept for a rollback until a time.

use std::time::Duration;

use infra::{
    Backend, Failure,
    work::{Step, Work},
};
use schema::{Time, projection::Name};
use tracing::info;

/// Asks the worker of rebuilds to retire each former generation whose time is over. While steps of rebuilds are
/// queued nothing is added, because one of them may be the request of an earlier look.
///
/// # Errors
/// The set of generations cannot be read, or the queue does not answer: the next look asks again.
pub(super) async fn retire(backend: &Backend, now: Time) -> Result<(), Failure> {
    let set = backend.rows.generations().current().await?;
    let over = Name::ALL.into_iter().filter_map(|name| {
        let roles = set.roles(name);
        let generation = roles.previous.filter(|_| roles.previous_until.is_some_and(|until| until <= now))?;
        Some(Work { projection: name, step: Step::Retire { generation } }.body())
    });
    let over = over.collect::<Result<Vec<String>, Failure>>()?;
    let failed = |cause| Failure::passing("queue the retirement of former generations", cause);
    if over.is_empty() || backend.rebuilds.waiting(1).await.map_err(failed)? > 0 {
        return Ok(());
    }
    backend.rebuilds.send_all(&over, Duration::ZERO).await.map_err(failed)?;
    info!(generations = over.len(), "the tick asked to retire former generations");
    Ok(())
}
