//! Reads records of the events table's stream and builds the response to a batch of them.

use aws_lambda_events::{
    dynamodb::EventRecord,
    streams::{DynamoDbBatchItemFailure, DynamoDbEventResponse},
};
use schema::{Commit, StreamId};
use tracing::{error, warn};

/// The event name of records of inserted items. Items of the events table are never modified or removed.
pub const INSERT: &str = "INSERT";

/// A commit that a stream record announces.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Announced {
    pub stream: StreamId,
    /// The number of the commit's first event.
    pub seq: u64,
    /// The commit, if the record contains it whole and its hash is right.
    pub commit: Option<Commit>,
    /// The record's sequence number, with which a response reports it as failed.
    pub record: String,
}

/// Reads the record of an inserted item. Returns `None`, and logs it, if the keys are not those of a known
/// stream's event.
#[must_use]
pub fn read(record: EventRecord) -> Option<Announced> {
    #[derive(serde::Deserialize)]
    struct Keys {
        stream: String,
        seq: u64,
    }
    let keys: Keys = match serde_dynamo::from_item(record.change.keys) {
        Ok(keys) => keys,
        Err(cause) => {
            error!(%cause, "skipped a stream record without the keys of an event");
            return None;
        }
    };
    // Newer code may write streams of categories that this code does not know.
    let Ok(stream) = StreamId::stored(&keys.stream) else {
        warn!(stream = keys.stream, "skipped a record of a stream of unknown category");
        return None;
    };
    // Of a damaged or incomplete image only the keys are used. Its `last` could make a reader wait for events
    // that do not exist.
    let image: Option<Commit> = serde_dynamo::from_item(record.change.new_image).ok();
    let commit = image.filter(|image| {
        image.stream == stream && image.seq == keys.seq && image.compute_hash() == image.hash
    });
    Some(Announced {
        stream,
        seq: keys.seq,
        commit,
        record: record.change.sequence_number.unwrap_or_default(),
    })
}

/// Builds the response that reports records as failed, by sequence number. Lambda delivers the batch again
/// from the first of them on.
#[must_use]
pub fn answer(failed: Vec<String>) -> DynamoDbEventResponse {
    let mut response = DynamoDbEventResponse::default();
    for record in failed {
        let mut failure = DynamoDbBatchItemFailure::default();
        failure.item_identifier = Some(record);
        response.batch_item_failures.push(failure);
    }
    response
}
