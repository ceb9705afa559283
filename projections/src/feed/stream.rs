//! The projector: records of the events table's stream, and parked doorbells, as Lambda brings them.

use std::{collections::BTreeMap, time::Duration};

use aws_lambda_events::{
    dynamodb::{Event, EventRecord},
    sqs::{SqsBatchResponse, SqsEvent},
    streams::{DynamoDbBatchItemFailure, DynamoDbEventResponse},
};
use futures::{StreamExt, stream};
use infra::{Backend, Failure, fault, lambda};
use schema::{Commit, StreamId};
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
        let mut response = DynamoDbEventResponse::default();
        for record in failed {
            let mut failure = DynamoDbBatchItemFailure::default();
            failure.item_identifier = Some(record);
            response.batch_item_failures.push(failure);
        }
        response
    }

    /// Handles a batch of parked doorbells; those that still cannot be applied are reported, and come again until they are
    /// dead letters.
    pub async fn parked(&self, event: SqsEvent) -> SqsBatchResponse {
        // Side by side, so that a slow table does not keep the last of a batch waiting past its visibility.
        let failed: Vec<String> = stream::iter(event.records)
            .map(|message| async move {
                let id = message.message_id.unwrap_or_default();
                let retried = retry(&self.backend, message.body.as_deref().unwrap_or_default()).await;
                retried.err().map(|failure| {
                    warn!(message = id, cause = failure.chain(), "a parked doorbell still cannot be applied");
                    id
                })
            })
            .buffered(STREAMS_AT_ONCE)
            .filter_map(async |failed| failed)
            .collect()
            .await;
        let mut response = SqsBatchResponse::default();
        failed.into_iter().for_each(|id| response.add_failure(id));
        response
    }

    /// Projects, or parks what cannot be projected.
    async fn settle(&self, doorbell: &Doorbell) -> Result<(), Failure> {
        let Err(failure) = self.try_apply(doorbell).await else { return Ok(()) };
        let Doorbell { stream, last, .. } = doorbell;
        warn!(%stream, seq = last, cause = failure.chain(), "parked");
        let parked = Parked { consumer: CONSUMER.into(), stream: *stream, seq: *last, cause: failure.chain() };
        let body = serde_json::to_string(&parked).map_err(|cause| Failure::broken("write a parked doorbell", cause))?;
        fault::point("feed.park");
        self.backend.retries.send(&body, Duration::ZERO).await.map_err(|cause| Failure::broken("park a doorbell", cause))?;
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
        let sequence_number = record.change.sequence_number.clone().unwrap_or_default();
        if record.event_name != "INSERT" {
            // Events are only ever inserted. Whoever changed or removed one went around this code.
            error!(alarm = "event-altered", change = record.event_name, keys = ?record.change.keys, "an event in the log was altered");
            continue;
        }
        let Some((stream, last, commit)) = read(record) else { continue };
        let entry = ringing
            .entry(stream)
            .or_insert_with(|| Ringing { doorbell: Doorbell { stream, last, commits: Vec::new() }, first_record: sequence_number });
        entry.doorbell.last = entry.doorbell.last.max(last);
        entry.doorbell.commits.extend(commit);
    }
    for Ringing { doorbell, .. } in ringing.values_mut() {
        doorbell.commits.sort_by_key(|commit| commit.seq);
        doorbell.commits.dedup_by_key(|commit| commit.seq);
    }
    ringing
}

/// Stream and event that a record announces, and the commit it brings. A record that brings none still rings.
fn read(record: EventRecord) -> Option<(StreamId, u64, Option<Commit>)> {
    #[derive(serde::Deserialize)]
    struct Keys {
        stream: String,
        seq: u64,
    }
    let keys: Keys = match serde_dynamo::from_item(record.change.keys) {
        Ok(keys) => keys,
        Err(cause) => {
            error!(%cause, "a record without the keys of an event");
            return None;
        }
    };
    // Newer code may keep streams of categories that this code has no read model for.
    let Ok(stream) = keys.stream.parse() else {
        warn!(stream = keys.stream, "a stream that this code does not know");
        return None;
    };
    // An image that is not what was committed under these keys, whole, rings for the keys alone: what it says of the stream's
    // end could keep the row waiting for events that will never be.
    let image: Option<Commit> = serde_dynamo::from_item(record.change.new_image).ok();
    let commit = image.filter(|image| image.stream == stream && image.seq == keys.seq && image.compute_hash() == image.hash);
    Some((stream, commit.as_ref().map_or(keys.seq, |commit| commit.last), commit))
}
