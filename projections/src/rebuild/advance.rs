//! Sends the steps of rebuilds to their queue.

use infra::{Backend, Failure, work::Work};
use schema::{StreamId, projection::Name};
use tracing::warn;

use super::{
    operate::read,
    step::{Due, due},
};

/// Sends the steps that follow from the state of a projection. The feed calls it for every commit of the
/// projection's stream, so no step is lost, even if a process ends between an append and its message.
///
/// # Errors
/// The log or the queue does not answer.
pub(crate) async fn advance(backend: &Backend, stream: StreamId) -> Result<(), Failure> {
    let Some(name) = Name::ALL.into_iter().find(|name| name.stream() == stream) else {
        warn!(%stream, "newer code has a projection that this code does not know");
        return Ok(());
    };
    for step in due(&read(backend, name).await?.state, backend.clock.now()) {
        send(backend, name, step).await?;
    }
    Ok(())
}

pub(super) async fn send(backend: &Backend, projection: Name, due: Due) -> Result<(), Failure> {
    let Due { step, delay } = due;
    let doing = || format!("send a step of the rebuild of {}", projection.as_str());
    let sent = backend.rebuilds.send(&Work { projection, step }.body()?, delay).await;
    sent.map(drop).map_err(|cause| Failure::passing(doing(), cause))
}
