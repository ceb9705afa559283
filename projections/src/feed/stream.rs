//! The projector: records of the events table's stream, and parked doorbells, as Lambda brings them.

use std::{collections::BTreeMap, time::Duration};

use aws_lambda_events::{
    dynamodb::{Event, EventRecord},
    sqs::{SqsBatchResponse, SqsEvent},
    streams::DynamoDbEventResponse,
};
use futures::{StreamExt, stream};
use infra::{
    Backend, Failure, fault, lambda, queue,
    stream::{Announced, INSERT, answer, read},
};
use schema::StreamId;
use serde_json::Value;
use tracing::{error, warn};

use super::{Doorbell, Parked, apply, retry};

/// The name of the consumer, in checkpoints and parked doorbells.
pub const CONSUMER: &str = "projector";

/// Streams that are projected side by side within one batch.
const STREAMS_AT_ONCE: usize = 8;
/// How often a doorbell is tried before it is parked, and how long to wait in between.
const ATTEMPTS_MAX: u32 = 3;
const RETRY_DELAY_MS: u64 = 50;

/// The handler of the projector lambda.
#[derive(Clone)]
pub struct Feed {
    backend: Backend,
}

/// What a batch holds about one stream.
struct Ringing {
    doorbell: Doorbell,
    /// Sequence number of its first record: from there on the batch comes again when this stream fails.
    first_record: String,
}

impl Feed {
    /// A feed into this backend's rows.
    #[must_use]
    pub fn new(backend: Backend) -> Self {
        Self { backend }
    }

    /// Handles what Lambda brings: a batch of stream records, or of parked doorbells.
    ///
    /// # Errors
    /// The event is of neither kind.
    pub async fn handle(&self, event: Value) -> Result<Value, lambda::Error> {
        if event["Records"][0]["eventSource"] == "aws:sqs" {
            return Ok(serde_json::to_value(self.parked(serde_json::from_value(event)?).await)?);
        }
        Ok(serde_json::to_value(self.records(serde_json::from_value(event)?).await)?)
    }

    /// Handles a batch of stream records. A stream that cannot be projected is parked and does not hold up the others; only
    /// when it can be neither projected nor parked does the batch come again, from there on.
    pub async fn records(&self, event: Event) -> DynamoDbEventResponse {
        let ringing = group(event.records);
        let failed: Vec<String> = stream::iter(ringing.into_values())
            .map(|ringing| async move {
                let settled = self.settle(&ringing.doorbell).await;
                settled.err().map(|failure| {
                    error!(stream = %ringing.doorbell.stream, cause = failure.chain(), "neither projected nor parked");
                    ringing.first_record
                })
            })
            .buffer_unordered(STREAMS_AT_ONCE)
            .filter_map(async |failed| failed)
            .collect()
            .await;
        answer(failed)
    }

    /// Handles a batch of parked doorbells; those that still cannot be applied are reported, and come again until they are
    /// dead letters.
    pub async fn parked(&self, event: SqsEvent) -> SqsBatchResponse {
        queue::each(event, |body| async move { retry(&self.backend, &body).await }).await
    }

    /// Projects, or parks what cannot be projected.
    async fn settle(&self, doorbell: &Doorbell) -> Result<(), Failure> {
        let Err(failure) = self.try_apply(doorbell).await else { return Ok(()) };
        let Doorbell { stream, last, .. } = doorbell;
        warn!(%stream, seq = last, cause = failure.chain(), "parked");
        let parked =
            Parked { consumer: CONSUMER.into(), stream: *stream, seq: *last, cause: failure.chain() };
        let body = serde_json::to_string(&parked)
            .map_err(|cause| Failure::broken("write a parked doorbell", cause))?;
        fault::point("feed.park");
        self.backend
            .retries
            .send(&body, Duration::ZERO)
            .await
            .map_err(|cause| Failure::broken("park a doorbell", cause))?;
        fault::point("feed.parked");
        Ok(())
    }

    async fn try_apply(&self, doorbell: &Doorbell) -> Result<(), Failure> {
        let mut attempt = 1;
        loop {
            match apply(&self.backend, doorbell).await {
                Ok(_) => return Ok(()),
                Err(failure) if failure.is_passing() && attempt < ATTEMPTS_MAX => {
                    tokio::time::sleep(Duration::from_millis(RETRY_DELAY_MS << attempt)).await;
                    attempt += 1;
                }
                Err(failure) => return Err(failure),
            }
        }
    }
}

/// One doorbell per stream: the last there is to show, with all the commits that came. Streams keep no order among each other.
fn group(records: Vec<EventRecord>) -> BTreeMap<StreamId, Ringing> {
    let mut ringing: BTreeMap<StreamId, Ringing> = BTreeMap::new();
    for record in records {
        if record.event_name != INSERT {
            // Events are only ever inserted. Whoever changed or removed one went around this code.
            error!(alarm = "event-altered", change = record.event_name, keys = ?record.change.keys, "an event in the log was altered");
            continue;
        }
        let Some(Announced { stream, seq, commit, record }) = read(record) else { continue };
        let entry = ringing.entry(stream).or_insert_with(|| Ringing {
            doorbell: Doorbell { stream, last: seq, commits: Vec::new() },
            first_record: record,
        });
        entry.doorbell.last = entry.doorbell.last.max(commit.as_ref().map_or(seq, |commit| commit.last));
        entry.doorbell.commits.extend(commit);
    }
    for Ringing { doorbell, .. } in ringing.values_mut() {
        doorbell.commits.sort_by_key(|commit| commit.seq);
        doorbell.commits.dedup_by_key(|commit| commit.seq);
    }
    ringing
}
