//! The local replacement of Lambda's event source mapping on a DynamoDB stream. It reads every shard in
//! order, calls a handler with batches of records, and retries, splits and gives up batches like a mapping in
//! AWS.
//!
//! Guarantees: the shard moves past a record only after the handler has acknowledged it or the failure
//! destination has accepted it. A shard has one batch in the handler at a time. A checkpoint is written only
//! after the batch was handled, so after a crash at most the last unfinished batch is delivered again.

mod checkpoint;
mod delivery;
mod plan;
mod progress;
mod reader;
mod readers;
mod record;
mod shard;
mod shards;
mod taken;
#[cfg(test)]
mod tests;

use std::{error::Error, fmt, pin::Pin, sync::Arc, time::Duration};

use aws_lambda_events::{event::dynamodb::Event, streams::DynamoDbEventResponse};
use infra::function::PROJECTOR;
use tokio::sync::watch;

pub use delivery::Failure;
pub use progress::{Positions, Progress};

use readers::Readers;

const DISCOVERY_MS: u64 = 10_000; // the pause between two looks for new shards; the end of a parent shard ends it early

/// The error of a handler or a failure destination.
pub type Cause = Box<dyn Error + Send + Sync>;

type Boxed<T> = Pin<Box<dyn Future<Output = T> + Send>>;
type Handler = Arc<dyn Fn(Event) -> Boxed<Result<DynamoDbEventResponse, Cause>> + Send + Sync>;
type OnFailure = Arc<dyn Fn(Failure) -> Boxed<Result<(), Cause>> + Send + Sync>;
type Prune = Arc<dyn Fn(String) -> Boxed<()> + Send + Sync>;

/// The settings with which a consumer reads a stream, named as in an event source mapping where it has them.
#[derive(Clone, Copy, Debug)]
pub struct Mapping {
    /// The name under which checkpoints are stored.
    pub consumer: &'static str,
    /// The largest number of records in a batch, 1 to 1,000.
    pub batch_size: i32,
    /// Whether a batch that failed as a whole is split in two, so that one bad record does not fail its
    /// neighbours. A split does not count as an attempt.
    pub bisect: bool,
    /// How often records are tried before they go to the failure destination: `MaximumRetryAttempts` of AWS
    /// plus one.
    pub attempts_max: u32,
    /// The pause after the first failed attempt, doubled after each further one.
    pub retry_base_ms: u64,
    /// The longest pause between two attempts.
    pub retry_max_ms: u64,
    /// The pause before a shard without new records is read again.
    pub poll_ms: u64,
    /// The handler's time-out for a batch.
    pub timeout_ms: u64,
    /// The number of batches between two calls of the pruning hook.
    pub prune_batches: u32,
}

impl Mapping {
    /// Returns the settings of the deployed consumers. The pauses are the pump's own: AWS names none.
    #[must_use]
    pub const fn of(consumer: &'static str) -> Self {
        Self {
            consumer,
            batch_size: 100,
            bisect: true,
            attempts_max: 11,
            retry_base_ms: 100,
            retry_max_ms: 10_000,
            poll_ms: 50,
            timeout_ms: PROJECTOR.time_out.as_millis() as u64,
            prune_batches: 100,
        }
    }
}

/// The stream that is read, and the table of checkpoints.
#[derive(Clone, Debug)]
pub struct Source {
    pub dynamodb: aws_sdk_dynamodb::Client,
    pub streams: aws_sdk_dynamodbstreams::Client,
    /// The full name of the streamed table.
    pub table: String,
    /// The full name of the table of checkpoints, laid out as `schema::table::CHECKPOINTS`.
    pub checkpoints: String,
}

impl Source {
    /// Returns the ARN of the table's stream; `None` if it has none.
    ///
    /// # Errors
    /// The engine does not answer; the text says why.
    pub async fn stream(&self) -> Result<Option<String>, String> {
        shards::stream(self).await
    }
}

/// Reads a stream for one consumer.
#[derive(Clone)]
pub struct Pump {
    source: Source,
    mapping: Mapping,
    progress: Progress,
    handler: Handler,
    on_failure: OnFailure,
    prune: Option<Prune>,
    writes: Option<watch::Receiver<u64>>,
}

impl Pump {
    /// Creates a pump from `source` to `handler`. `on_failure` gets a reference to the records that were
    /// given up.
    ///
    /// An error, a panic or a time-out of the handler fails the whole batch; an answer with failed items
    /// fails the batch from the earliest of them on. `on_failure` is called until it succeeds.
    pub fn new<H, Handled, E, F, Kept, X>(
        source: Source,
        mapping: Mapping,
        progress: Progress,
        handler: H,
        on_failure: F,
    ) -> Self
    where
        H: Fn(Event) -> Handled + Send + Sync + 'static,
        Handled: Future<Output = Result<DynamoDbEventResponse, E>> + Send + 'static,
        E: Into<Cause>,
        F: Fn(Failure) -> Kept + Send + Sync + 'static,
        Kept: Future<Output = Result<(), X>> + Send + 'static,
        X: Into<Cause>,
    {
        let handler: Handler = Arc::new(move |event| {
            let handled = handler(event);
            Box::pin(async move { handled.await.map_err(Into::into) })
        });
        let on_failure: OnFailure = Arc::new(move |failure| {
            let kept = on_failure(failure);
            Box::pin(async move { kept.await.map_err(Into::into) })
        });
        Self { source, mapping, progress, handler, on_failure, prune: None, writes: None }
    }

    /// Sets the pruning hook. It is called with the sequence number up to which all consumers of [`Progress`]
    /// have handled a shard, so that an engine that never expires records can delete them.
    #[must_use]
    pub fn pruning<P, Pruned>(mut self, prune: P) -> Self
    where
        P: Fn(String) -> Pruned + Send + Sync + 'static,
        Pruned: Future<Output = ()> + Send + 'static,
    {
        self.prune = Some(Arc::new(move |consumed| Box::pin(prune(consumed))));
        self
    }

    /// Reads an idle shard again as soon as `writes` changes, and else after `poll_ms` instead of the mapping's pause.
    #[must_use]
    pub fn woken_by(mut self, writes: watch::Receiver<u64>, poll_ms: u64) -> Self {
        self.mapping.poll_ms = poll_ms;
        self.writes = Some(writes);
        self
    }

    /// Runs until `shutdown` becomes true or its sender is dropped. Batches in the handler are finished and
    /// checkpointed first; batches that wait for another attempt are delivered after the next start.
    pub async fn run(self, shutdown: watch::Receiver<bool>) {
        Readers::new(self).run(shutdown).await;
    }
}

impl fmt::Debug for Pump {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pump")
            .field("mapping", &self.mapping)
            .field("table", &self.source.table)
            .finish_non_exhaustive()
    }
}

/// Whether the shutdown was signalled or its sender dropped.
fn asked_to_stop(shutdown: &watch::Receiver<bool>) -> bool {
    *shutdown.borrow() || shutdown.has_changed().is_err()
}

async fn until_stop(shutdown: &mut watch::Receiver<bool>) {
    let _sender_dropped = shutdown.wait_for(|stop| *stop).await;
}

/// Waits for `ms` milliseconds or until the shutdown.
async fn pause(shutdown: &mut watch::Receiver<bool>, ms: u64) {
    let _elapsed = tokio::time::timeout(Duration::from_millis(ms), until_stop(shutdown)).await;
}
