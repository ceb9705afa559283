//! The reactor: turns records of the events table's stream into intents on queues.
//!
//! An intent is on its queue before its record is done, so none is lost; it may be there twice. One account's
//! intents are spaced ([`FairShare`](infra::queue::FairShare)); those beyond its share are left to the tick,
//! which finds what is due by the rows.

use std::{collections::BTreeSet, time::Duration};

use aws_lambda_events::{dynamodb::Event, streams::DynamoDbEventResponse};
use infra::{
    Backend, Failure,
    stream::{Announced, INSERT, answer, read},
};
use schema::{Commit, StreamId, UserId};
use tracing::{error, info, warn};

use crate::{
    intent::{Errand, Intent},
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
    /// A reactor that puts intents on this backend's queues.
    #[must_use]
    pub fn new(backend: Backend) -> Self {
        Self { backend }
    }

    /// Handles a batch of stream records. When an intent cannot be put on its queue, the batch comes again
    /// from there on; what was altered or removed in the log is the projector's to raise the alarm about.
    pub async fn records(&self, event: Event) -> DynamoDbEventResponse {
        let inserted = event.records.into_iter().filter(|record| record.event_name == INSERT);
        for announced in inserted.filter_map(read) {
            if let Err(failure) = self.settle(&announced).await {
                error!(stream = %announced.stream, seq = announced.seq, cause = failure.chain(), "nothing followed from it yet");
                return answer(vec![announced.record]);
            }
        }
        answer(Vec::new())
    }

    /// Sends what follows from a record, or parks what cannot be understood: it must not hold up what comes
    /// behind it.
    async fn settle(&self, announced: &Announced) -> Result<(), Failure> {
        let Announced { stream, seq, commit, .. } = announced;
        let sent = match commit {
            Some(commit) => follow(&self.backend, commit).await,
            None => again(&self.backend, *stream, *seq).await,
        };
        match sent {
            Err(failure) if !failure.is_passing() => {
                warn!(%stream, seq, cause = failure.chain(), "parked");
                Errand::failed(Intent::React { stream: *stream, seq: *seq }, &failure)
                    .send(&self.backend, Duration::ZERO)
                    .await
            }
            sent => sent,
        }
    }
}

/// Sends what follows from the commit that starts at `seq`, as it stands in the log.
///
/// # Errors
/// The log cannot be read, the commit not understood, or a queue does not answer.
pub(crate) async fn again(backend: &Backend, stream: StreamId, seq: u64) -> Result<(), Failure> {
    let (found, _) = backend.log.some_after(stream, seq.saturating_sub(1), 1).await?;
    match found.into_iter().find(|commit| commit.seq == seq) {
        Some(commit) => follow(backend, &commit).await,
        None => {
            warn!(%stream, seq, "a record of what is not in the log");
            Ok(())
        }
    }
}

async fn follow(backend: &Backend, commit: &Commit) -> Result<(), Failure> {
    let Commit { stream, seq, tenant, .. } = *commit;
    let kinds = commit.types().map_err(|cause| Failure::broken(format!("react to {stream}@{seq}"), cause))?;
    let intents: BTreeSet<Intent> = kinds.iter().filter_map(|kind| react(stream, kind)).collect();
    for intent in intents {
        let Some(delay) = held_back(backend, intent, tenant) else {
            info!(%stream, intent = intent.name(), "the account has enough queued; left to the tick");
            continue;
        };
        Errand::from(intent).send(backend, delay).await?;
        info!(%stream, intent = intent.name(), delay_ms = delay.as_millis(), "queued");
    }
    Ok(())
}

/// How long an intent waits for its account's turn; none when it is not queued.
fn held_back(backend: &Backend, intent: Intent, tenant: UserId) -> Option<Duration> {
    match intent {
        Intent::Attend { .. } => backend.fair.delay(tenant, backend.clock.now()),
        Intent::Forget { .. } | Intent::Clear { .. } | Intent::React { .. } => Some(Duration::ZERO),
    }
}
