//! Rebuilds that no worker goes on with, because the record of their last event was lost.

use infra::{Backend, Failure};
use projections::{
    feed::Parked,
    rebuild::{has_due_step, operate},
};
use schema::projection::Name;

/// A step takes less: a worker records a finished segment each few minutes at most.
pub const STEP_MAX_MS: i64 = 3_600_000;

/// Rings the doorbells of projections whose next step has been due for longer than [`STEP_MAX_MS`]. Returns their
/// number. Reads one or two items of each projection.
pub(crate) async fn ring(backend: &Backend) -> Result<u64, Failure> {
    let mut rung = 0;
    for name in Name::ALL {
        let stream = name.stream();
        let Some(latest) = backend.log.latest(stream).await? else { continue };
        let now = backend.clock.now();
        if now.millis() - latest.at.millis() < STEP_MAX_MS
            || !has_due_step(&operate::read(backend, name).await?.state, now)
        {
            continue;
        }
        let cause = format!("sweep: no step of {} was taken since {}", name.as_str(), latest.at);
        Parked::again(stream, latest.last, None, cause).send(backend).await?;
        rung += 1;
    }
    Ok(rung)
}
