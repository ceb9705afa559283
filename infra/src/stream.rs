//! Records of the events table's stream, as Lambda brings them, and the answer that says which of them come again.

use aws_lambda_events::{
    dynamodb::EventRecord,
    streams::{DynamoDbBatchItemFailure, DynamoDbEventResponse},
};
use schema::{Commit, StreamId};
use tracing::{error, warn};

/// What the records of new items are called; events are only ever inserted.
pub const INSERT: &str = "INSERT";

/// A record says that there is a commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Announced {
    /// Where.
    pub stream: StreamId,
    /// Number of its first event.
    pub seq: u64,
    /// The commit itself, unaltered; none when the record does not bring it.
    pub commit: Option<Commit>,
    /// The record's sequence number: from there on a batch comes again.
    pub record: String,
}

/// What a record of an inserted item announces. A record that brings no commit still announces one.
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
            error!(%cause, "a record without the keys of an event");
            return None;
        }
    };
    // Newer code may keep streams of categories that this code knows nothing of.
    let Ok(stream) = keys.stream.parse() else {
        warn!(stream = keys.stream, "a stream that this code does not know");
        return None;
    };
    // An image that is not what was committed under these keys, whole, announces by the keys alone: what it says of the stream's
    // end could keep a reader waiting for events that will never be.
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

/// The answer to a batch of which these records failed, by their sequence numbers: it comes again from the first of them on.
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
