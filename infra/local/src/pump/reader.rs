//! The two calls that read a shard, and what their errors mean for the reader.

use aws_lambda_events::event::dynamodb::EventRecord;
use aws_sdk_dynamodbstreams::{
    error::DisplayErrorContext,
    operation::{get_records::GetRecordsError, get_shard_iterator::GetShardIteratorError},
    types::ShardIteratorType,
};

use super::{Source, record};

const RECORDS_MAX: i32 = 1_000; // what GetRecords gives at most

/// What a request for an iterator brought.
pub(super) enum Opened {
    /// Read here.
    At(String),
    /// What follows the given record has expired.
    Trimmed,
    /// The shard has expired as a whole.
    ShardGone,
    /// Ask again later.
    Trouble(String),
}

/// What a read brought.
pub(super) enum Read {
    /// Records, or none yet; and where to read on, unless the shard is closed and this was its end.
    Records(Vec<EventRecord>, Option<String>),
    /// The iterator is too old: open the shard again.
    IteratorLost,
    /// The shard has expired as a whole.
    ShardGone,
    /// Ask again later.
    Trouble(String),
}

/// Opens `shard` after the record `after`, or at its oldest.
pub(super) async fn open(source: &Source, stream: &str, shard: &str, after: Option<&str>) -> Opened {
    let request = source.streams.get_shard_iterator().stream_arn(stream).shard_id(shard);
    let request = match after {
        Some(sequence) => {
            request.shard_iterator_type(ShardIteratorType::AfterSequenceNumber).sequence_number(sequence)
        }
        None => request.shard_iterator_type(ShardIteratorType::TrimHorizon),
    };
    match request.send().await {
        Ok(answer) => answer
            .shard_iterator
            .map_or_else(|| Opened::Trouble("no iterator in the answer".to_owned()), Opened::At),
        Err(cause) => match cause.as_service_error() {
            Some(GetShardIteratorError::TrimmedDataAccessException(_)) => Opened::Trimmed,
            Some(GetShardIteratorError::ResourceNotFoundException(_)) => Opened::ShardGone,
            _ => Opened::Trouble(DisplayErrorContext(cause).to_string()),
        },
    }
}

/// Reads at most `limit` records at `position`.
pub(super) async fn read(source: &Source, stream: &str, position: &str, limit: i32) -> Read {
    let request = source.streams.get_records().shard_iterator(position).limit(limit.clamp(1, RECORDS_MAX));
    match request.send().await {
        // Only a missing iterator means that a shard is closed: an open one may well state an ending sequence number.
        Ok(answer) => {
            let records =
                answer.records.unwrap_or_default().into_iter().map(|record| record::event(record, stream));
            Read::Records(records.collect(), answer.next_shard_iterator)
        }
        Err(cause) => match cause.as_service_error() {
            Some(
                GetRecordsError::ExpiredIteratorException(_) | GetRecordsError::TrimmedDataAccessException(_),
            ) => Read::IteratorLost,
            Some(GetRecordsError::ResourceNotFoundException(_)) => Read::ShardGone,
            _ => Read::Trouble(DisplayErrorContext(cause).to_string()),
        },
    }
}
