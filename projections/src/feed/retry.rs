//! Doorbells that could not be applied. They are parked on a queue and tried again, reading the log.

use infra::{Backend, Failure};
use schema::StreamId;
use serde::{Deserialize, Serialize};
use tracing::info;

use super::{Doorbell, apply};

/// A parked doorbell, as the body of a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parked {
    /// The consumer that could not apply the doorbell.
    pub consumer: String,
    pub stream: StreamId,
    /// The doorbell's `last`.
    pub seq: u64,
    /// The failure, shown by the list of dead letters.
    pub cause: String,
}

/// Applies a parked doorbell.
///
/// # Errors
/// `body` is not a parked doorbell, or the doorbell still cannot be applied.
pub async fn retry(backend: &Backend, body: &str) -> Result<(), Failure> {
    let parked: Parked =
        serde_json::from_str(body).map_err(|cause| Failure::broken("read a parked doorbell", cause))?;
    let doorbell = Doorbell { stream: parked.stream, last: parked.seq, commits: Vec::new() };
    let applied = apply(backend, &doorbell).await?;
    info!(stream = %parked.stream, seq = parked.seq, ?applied, "applied a parked doorbell");
    Ok(())
}
