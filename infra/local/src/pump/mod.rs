//! The local stand-in for Lambda's event source mapping on a DynamoDB stream: it reads every shard in order, calls a handler with
//! batches, and retries, splits and gives up as a mapping in AWS would. It knows streams and a handler, and nothing of what that does.
//!
//! What holds: each record is acknowledged by the handler or accepted by the failure destination before the shard moves past it;
//! a shard has one batch in the handler at a time; a checkpoint is written only after handling, so a killed process delivers
//! at most its last unfinished batch again.

mod checkpoint;
mod delivery;
mod plan;
mod progress;
mod reader;
mod record;
mod shard;
mod shards;
#[cfg(test)]
mod tests;

use std::{collections::BTreeSet, error::Error, fmt, panic, pin::Pin, sync::Arc, time::Duration};

use aws_lambda_events::{event::dynamodb::Event, streams::DynamoDbEventResponse};
use tokio::{sync::watch, task::JoinSet};

pub use delivery::Failure;
pub use progress::{Positions, Progress};

use shard::{End, Worker};

const DISCOVERY_MS: u64 = 10_000; // how late a new shard is noticed when no parent's end announced it

/// What a handler or a failure destination fails with.
pub type Cause = Box<dyn Error + Send + Sync>;

type Boxed<T> = Pin<Box<dyn Future<Output = T> + Send>>;
type Handler = Arc<dyn Fn(Event) -> Boxed<Result<DynamoDbEventResponse, Cause>> + Send + Sync>;
type OnFailure = Arc<dyn Fn(Failure) -> Boxed<Result<(), Cause>> + Send + Sync>;
type Prune = Arc<dyn Fn(String) -> Boxed<()> + Send + Sync>;

/// How one consumer reads a stream. The names are those of a mapping in AWS where it has them.
#[derive(Clone, Copy, Debug)]
pub struct Mapping {
    /// Who reads; the name checkpoints stand under.
    pub consumer: &'static str,
    /// The most records in a batch, 1 to 1,000.
    pub batch_size: i32,
    /// Whether a batch that failed as a whole is split in two, so that one bad record does not take its neighbours along.
    /// Splitting uses up no attempt.
    pub bisect: bool,
    /// How often records are tried before the failure destination gets them: AWS's `MaximumRetryAttempts` and the first attempt.
    pub attempts_max: u32,
    /// The pause after a first failed attempt; each further one doubles it.
    pub retry_base_ms: u64,
    /// The longest pause between attempts.
    pub retry_max_ms: u64,
    /// The pause before an empty shard is read again.
    pub poll_ms: u64,
    /// How long the handler may take for a batch before the batch counts as failed: the lambda's timeout.
    pub timeout_ms: u64,
    /// After how many batches the pruning hook is called, if there is one.
    pub prune_batches: u32,
}

impl Mapping {
    /// The mapping the deployed consumers have, for `consumer`.
    #[must_use]
    pub const fn of(consumer: &'static str) -> Self {
        Self {
            consumer,
            batch_size: 100,
            bisect: true,
            attempts_max: 6,
            retry_base_ms: 100,
            retry_max_ms: 10_000,
            poll_ms: 50,
            timeout_ms: 60_000,
            prune_batches: 100,
        }
    }
}

/// Where the records come from and where checkpoints are kept.
#[derive(Clone, Debug)]
pub struct Source {
    /// Knows the table and holds the checkpoints.
    pub dynamodb: aws_sdk_dynamodb::Client,
    /// Reads the stream.
    pub streams: aws_sdk_dynamodbstreams::Client,
    /// The streamed table's full name.
    pub table: String,
    /// The full name of the table of checkpoints, laid out as `schema::table::CHECKPOINTS`.
    pub checkpoints: String,
}

/// One consumer of one stream.
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
    /// A pump that gives what `source` streams to `handler`, and to `on_failure` a pointer to what `handler` would not take.
    ///
    /// An error, a panic or a timeout of the handler fails the whole batch; an answer with failed items fails it from the earliest
    /// of these on. `on_failure` is called until it succeeds.
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

    /// Calls `prune`, now and then, with the sequence number up to which every consumer of [`Progress`] has handled a shard: what
    /// an engine that keeps its records for ever may forget.
    #[must_use]
    pub fn pruning<P, Pruned>(mut self, prune: P) -> Self
    where
        P: Fn(String) -> Pruned + Send + Sync + 'static,
        Pruned: Future<Output = ()> + Send + 'static,
    {
        self.prune = Some(Arc::new(move |consumed| Box::pin(prune(consumed))));
        self
    }

    /// Reads an idle shard again as soon as `writes` changes, not only when the mapping's pause is over.
    #[must_use]
    pub fn woken_by(mut self, writes: watch::Receiver<u64>) -> Self {
        self.writes = Some(writes);
        self
    }

    /// Runs until `shutdown` is true or its sender is gone. The batches in the handler are finished and checkpointed first;
    /// what waits for another attempt is delivered after the next start.
    pub async fn run(self, mut shutdown: watch::Receiver<bool>) {
        let mut workers = JoinSet::new();
        let (mut started, mut finished) = (BTreeSet::new(), BTreeSet::new());
        while !asked_to_stop(&shutdown) {
            self.start_ready_shards(&mut workers, &mut started, &finished, &shutdown).await;
            tokio::select! {
                () = until_stop(&mut shutdown) => {}
                // An ended shard may have children: look for them at once.
                Some(ended) = workers.join_next() => match ended {
                    Ok((shard, End::Finished)) => { finished.insert(shard); }
                    Ok((_, End::Stopped)) => {}
                    // Handlers are called apart: a panic here is our own, and hiding it would stall the shard silently.
                    Err(lost) if lost.is_panic() => panic::resume_unwind(lost.into_panic()),
                    Err(_) => {}
                },
                () = tokio::time::sleep(Duration::from_millis(DISCOVERY_MS)) => {}
            }
        }
        while let Some(ended) = workers.join_next().await {
            if let Err(cause) = ended {
                tracing::error!(consumer = self.mapping.consumer, %cause, "a shard's reader was lost");
            }
        }
    }

    async fn start_ready_shards(
        &self,
        workers: &mut JoinSet<(String, End)>,
        started: &mut BTreeSet<String>,
        finished: &BTreeSet<String>,
        shutdown: &watch::Receiver<bool>,
    ) {
        let found = match shards::list(&self.source).await {
            Ok(found) => found,
            Err(cause) => {
                tracing::warn!(consumer = self.mapping.consumer, table = self.source.table, %cause, "cannot look for shards");
                return;
            }
        };
        for shard in shards::ready(&found.shards, started, finished) {
            started.insert(shard.clone());
            let worker = Worker::new(self.clone(), found.stream.clone(), shard.clone(), shutdown.clone());
            workers.spawn(async move { (shard, worker.run().await) });
        }
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

/// Whether to stop: asked to, or nobody is left to ask.
fn asked_to_stop(shutdown: &watch::Receiver<bool>) -> bool {
    *shutdown.borrow() || shutdown.has_changed().is_err()
}

async fn until_stop(shutdown: &mut watch::Receiver<bool>) {
    let _nobody_left = shutdown.wait_for(|stop| *stop).await;
}

/// Waits `ms`, or until asked to stop.
async fn pause(shutdown: &mut watch::Receiver<bool>, ms: u64) {
    let _elapsed = tokio::time::timeout(Duration::from_millis(ms), until_stop(shutdown)).await;
}
