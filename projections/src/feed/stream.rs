//! The projector lambda: applies records of the events table's stream, and parked doorbells.

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

/// The consumer's name in checkpoints and parked doorbells.
pub const CONSUMER: &str = "projector";

/// Streams of a batch that are projected at once.
const STREAMS_AT_ONCE: usize = 8;
/// Attempts to apply a doorbell before it is parked.
const ATTEMPTS_MAX: u32 = 3;
const RETRY_DELAY_MS: u64 = 50; // doubled before each retry

#[derive(Clone)]
pub struct Feed {
    backend: Backend,
}

/// All records of a batch about one stream, as one doorbell.
struct StreamBatch {
    doorbell: Doorbell,
    /// The sequence number of the first record, from which Lambda delivers the batch again if the stream
    /// fails.
    first_record: String,
}

impl Feed {
    #[must_use]
    pub fn new(backend: Backend) -> Self {
        Self { backend }
    }

    /// Handles a lambda event: a batch of stream records or of parked doorbells.
    ///
    /// # Errors
    /// The event is neither.
    pub async fn handle(&self, event: Value) -> Result<Value, lambda::Error> {
        if event["Records"][0]["eventSource"] == "aws:sqs" {
            return Ok(serde_json::to_value(self.parked(serde_json::from_value(event)?).await)?);
        }
        Ok(serde_json::to_value(self.records(serde_json::from_value(event)?).await)?)
    }

    /// Handles a batch of stream records. A stream that cannot be projected is parked, so that it does not
    /// block the others. If it cannot be parked either, the response reports it as failed, and Lambda
    /// delivers the batch again from its first record on.
    pub async fn records(&self, event: Event) -> DynamoDbEventResponse {
        let batches = group(event.records);
        let failed: Vec<String> = stream::iter(batches.into_values())
            .map(|StreamBatch { doorbell, first_record }| async move {
                self.apply_or_park(&doorbell).await.err().map(|failure| {
                    error!(
                        stream = %doorbell.stream,
                        cause = failure.chain(),
                        "could neither apply nor park a doorbell; its records will be delivered again"
                    );
                    first_record
                })
            })
            .buffer_unordered(STREAMS_AT_ONCE)
            .filter_map(async |failed| failed)
            .collect()
            .await;
        answer(failed)
    }

    /// Handles a batch of parked doorbells. The response names those that still cannot be applied; the queue
    /// delivers them again until they become dead letters.
    pub async fn parked(&self, event: SqsEvent) -> SqsBatchResponse {
        queue::each(event, |body| async move { retry(&self.backend, &body).await }).await
    }

    /// Applies a doorbell, and parks it if that fails.
    async fn apply_or_park(&self, doorbell: &Doorbell) -> Result<(), Failure> {
        let Err(failure) = self.try_apply(doorbell).await else { return Ok(()) };
        let Doorbell { stream, last, .. } = doorbell;
        let cause = failure.chain();
        let parked = Parked { consumer: CONSUMER.into(), stream: *stream, seq: *last, cause: cause.clone() };
        let body = serde_json::to_string(&parked)
            .map_err(|cause| Failure::broken("serialise a parked doorbell", cause))?;
        fault::point("feed.park");
        self.backend
            .retries
            .send(&body, Duration::ZERO)
            .await
            .map_err(|cause| Failure::broken("park a doorbell", cause))?;
        fault::point("feed.parked");
        warn!(%stream, seq = last, cause, "parked a doorbell that could not be applied");
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

/// Groups records by stream, into one doorbell each. The order between streams does not matter.
fn group(records: Vec<EventRecord>) -> BTreeMap<StreamId, StreamBatch> {
    let mut batches: BTreeMap<StreamId, StreamBatch> = BTreeMap::new();
    for record in records {
        if record.event_name != INSERT {
            // Events are only inserted. A change or removal was made by other means than this code.
            error!(
                alarm = "event-altered",
                change = record.event_name,
                keys = ?record.change.keys,
                "an event in the log was modified or removed"
            );
            continue;
        }
        let Some(Announced { stream, seq, commit, record }) = read(record) else { continue };
        let batch = batches.entry(stream).or_insert_with(|| StreamBatch {
            doorbell: Doorbell { stream, last: seq, commits: Vec::new() },
            first_record: record,
        });
        batch.doorbell.last = batch.doorbell.last.max(commit.as_ref().map_or(seq, |commit| commit.last));
        batch.doorbell.commits.extend(commit);
    }
    for StreamBatch { doorbell, .. } in batches.values_mut() {
        doorbell.commits.sort_by_key(|commit| commit.seq);
        doorbell.commits.dedup_by_key(|commit| commit.seq);
    }
    batches
}
