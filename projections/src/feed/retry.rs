//! What could not be projected, parked on a queue, and tried again from there: the log is read, so nothing else is needed.

use infra::{Backend, Failure};
use schema::StreamId;
use serde::{Deserialize, Serialize};
use tracing::info;

use super::{Doorbell, apply};

/// A doorbell that could not be applied.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parked {
    /// Who could not apply it.
    pub consumer: String,
    /// The stream.
    pub stream: StreamId,
    /// The event it announced.
    pub seq: u64,
    /// Why, for the person who finds it among the dead letters.
    pub cause: String,
}

/// Tries a parked doorbell once more.
///
/// # Errors
/// The text is no parked doorbell, or it still cannot be applied.
pub async fn retry(backend: &Backend, body: &str) -> Result<(), Failure> {
    let parked: Parked =
        serde_json::from_str(body).map_err(|cause| Failure::broken("read a parked doorbell", cause))?;
    let doorbell = Doorbell { stream: parked.stream, last: parked.seq, commits: Vec::new() };
    let applied = apply(backend, &doorbell).await?;
    info!(stream = %parked.stream, seq = parked.seq, ?applied, "a parked doorbell was applied");
    Ok(())
}
