//! The projector lambda: applies records of the events table's stream, and parked doorbells.

use std::{collections::BTreeMap, time::Duration};

use aws_lambda_events::{
    dynamodb::{Event, EventRecord},
    sqs::{SqsBatchResponse, SqsEvent},
    streams::DynamoDbEventResponse,
};
use futures::{StreamExt, stream};
use infra::{
    Backend, Failure,
    aws::OPERATION_TIMEOUT,
    clock::Moment,
    fault,
    function::PROJECTOR,
    lambda, queue,
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
/// The time after which the projector begins no further call for a batch: the last one may take as long as its
/// time-out.
const BATCH_MAX: Duration =
    PROJECTOR.time_out.saturating_sub(OPERATION_TIMEOUT).saturating_sub(Duration::from_secs(1));
/// The time for applying the doorbells of a batch. The rest of [`BATCH_MAX`] is for parking the others.
const APPLYING_MAX: Duration = BATCH_MAX.saturating_sub(Duration::from_secs(6));
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
    ///
    /// Tables that answer late do not make the function time out, which would fail the whole batch: after
    /// [`APPLYING_MAX`] what is left is parked, after [`BATCH_MAX`] reported as failed.
    pub async fn records(&self, event: Event) -> DynamoDbEventResponse {
        let begun = self.backend.clock.moment();
        let batches = group(event.records);
        let failed: Vec<String> = stream::iter(batches.into_values())
            .map(|StreamBatch { doorbell, first_record }| async move {
                self.apply_or_park(&doorbell, begun).await.err().map(|failure| {
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
        let begun = self.backend.clock.moment();
        queue::each(event, |body| async move {
            self.within(begun, BATCH_MAX, retry(&self.backend, &body)).await.unwrap_or_else(|| Err(late()))
        })
        .await
    }

    /// Applies a doorbell, and parks it if that fails.
    async fn apply_or_park(&self, doorbell: &Doorbell, begun: Moment) -> Result<(), Failure> {
        let Err(failure) = self.try_apply(doorbell, begun).await else { return Ok(()) };
        if self.left(begun, BATCH_MAX).is_none() {
            return Err(failure);
        }
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

    async fn try_apply(&self, doorbell: &Doorbell, begun: Moment) -> Result<(), Failure> {
        let mut failed = late();
        for attempt in 0..ATTEMPTS_MAX {
            if attempt > 0 {
                tokio::time::sleep(Duration::from_millis(RETRY_DELAY_MS << attempt)).await;
            }
            match self.within(begun, APPLYING_MAX, apply(&self.backend, doorbell)).await {
                Some(Ok(_)) => return Ok(()),
                Some(Err(failure)) if failure.is_passing() => failed = failure,
                Some(Err(failure)) => return Err(failure),
                None => break,
            }
        }
        Err(failed)
    }

    /// Runs `work` within what is left of `most` since the batch began. `None` if the time is over.
    async fn within<T>(&self, begun: Moment, most: Duration, work: impl Future<Output = T>) -> Option<T> {
        tokio::time::timeout(self.left(begun, most)?, work).await.ok()
    }

    fn left(&self, begun: Moment, most: Duration) -> Option<Duration> {
        most.checked_sub(self.backend.clock.moment().since(begun)).filter(|left| !left.is_zero())
    }
}

/// The failure of a doorbell that the batch had no time for.
fn late() -> Failure {
    Failure::passing("apply a doorbell", "the time for its batch was over")
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
