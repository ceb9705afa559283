//! The reactor: turns records of the events table's stream into intents on queues.
//!
//! An intent is on its queue before its record is done, so none is lost; it may be queued twice. One
//! account's intents are spaced ([`FairShare`](infra::queue::FairShare)); those beyond its share are left to
//! the tick, which finds due work by the rows.

use std::{collections::BTreeSet, time::Duration};

use aws_lambda_events::{dynamodb::Event, streams::DynamoDbEventResponse};
use infra::{
    Backend, Failure,
    stream::{Announced, INSERT, answer, read},
    telemetry::{correlated, metrics},
};
use schema::{Commit, StreamId, UserId};
use tracing::{Instrument as _, error, info, warn};

use crate::{
    intent::{Intent, QueuedIntent},
    react::react,
};

/// The name of the consumer, in checkpoints.
pub const CONSUMER: &str = "reactor";

/// The handler of the reactor lambda.
#[derive(Clone)]
pub struct Reactor {
    backend: Backend,
}

impl Reactor {
    pub fn new(backend: Backend) -> Self {
        Self { backend }
    }

    /// Handles a batch of stream records. When an intent cannot be queued, the stream delivers the batch
    /// again from that record on. Records of altered or removed commits are skipped: the projector raises the
    /// alarm about them.
    pub async fn records(&self, event: Event) -> DynamoDbEventResponse {
        let inserted = event.records.into_iter().filter(|record| record.event_name == INSERT);
        for announced in inserted.filter_map(read) {
            let correlation = announced.commit.as_ref().map_or("", |commit| &commit.correlation);
            let span = correlated(correlation);
            if let Err(failure) = self.settle(&announced).instrument(span.clone()).await {
                span.in_scope(|| {
                    error!(stream = %announced.stream, seq = announced.seq, cause = failure.chain(), "could not enqueue the intents of this commit; the batch will be retried");
                });
                return answer(vec![announced.record]);
            }
        }
        answer(Vec::new())
    }

    /// Queues the intents of a record's commit. A commit that cannot be read is parked, so that it does not
    /// hold up later records.
    async fn settle(&self, announced: &Announced) -> Result<(), Failure> {
        let Announced { stream, seq, commit, .. } = announced;
        let sent = match commit {
            Some(commit) => enqueue(&self.backend, commit).await,
            None => react_again(&self.backend, *stream, *seq).await,
        };
        match sent {
            Err(failure) if !failure.is_passing() => {
                metrics::PARKED.count([CONSUMER]);
                warn!(%stream, seq, cause = failure.chain(), "could not react to a commit; it is parked on the queue of deliveries");
                QueuedIntent::failed(Intent::React { stream: *stream, seq: *seq }, &failure)
                    .send(&self.backend, Duration::ZERO)
                    .await
            }
            sent => sent,
        }
    }
}

/// Queues the intents of the commit that starts at `seq`, as read from the log.
pub(crate) async fn react_again(backend: &Backend, stream: StreamId, seq: u64) -> Result<(), Failure> {
    let found = backend.log.page_after(stream, seq.saturating_sub(1), 1).await?;
    match found.commits.into_iter().find(|commit| commit.seq == seq) {
        Some(commit) => enqueue(backend, &commit).await,
        None => {
            warn!(%stream, seq, "a stream record names a commit that is not in the log; it is dropped");
            Ok(())
        }
    }
}

async fn enqueue(backend: &Backend, commit: &Commit) -> Result<(), Failure> {
    let Commit { stream, seq, tenant, .. } = *commit;
    let kinds = commit.types().map_err(|cause| Failure::broken(format!("react to {stream}@{seq}"), cause))?;
    let intents: BTreeSet<Intent> = kinds.iter().filter_map(|kind| react(stream, kind)).collect();
    for intent in intents {
        let Some(delay) = delay(backend, intent, tenant) else {
            info!(%stream, intent = intent.name(), "the account has its share of the queue; the intent is left to the tick");
            continue;
        };
        QueuedIntent::from(intent).send(backend, delay).await?;
        info!(%stream, intent = intent.name(), delay_ms = delay.as_millis(), "intent queued");
    }
    Ok(())
}

/// The delay that spaces an account's intents; `None` when the intent is left to the tick.
fn delay(backend: &Backend, intent: Intent, tenant: UserId) -> Option<Duration> {
    match intent {
        Intent::Attend { .. } => backend.fair.delay(tenant, backend.clock.now()),
        Intent::Forget { .. } | Intent::Clear { .. } | Intent::React { .. } => Some(Duration::ZERO),
    }
}
