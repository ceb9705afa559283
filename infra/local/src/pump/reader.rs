//! The two calls that read a shard, with their errors sorted by what the reader has to do.

use aws_lambda_events::event::dynamodb::EventRecord;
use aws_sdk_dynamodbstreams::{
    error::DisplayErrorContext,
    operation::{get_records::GetRecordsError, get_shard_iterator::GetShardIteratorError},
    types::ShardIteratorType,
};

use super::{Source, record};

const RECORDS_MAX: i32 = 1_000; // the bound of GetRecords

pub(super) enum Opened {
    /// The shard can be read with this iterator.
    At(String),
    /// Records after the given one have expired.
    Trimmed,
    /// The whole shard has expired.
    ShardGone,
    /// The call failed and has to be repeated later.
    Trouble(String),
}

pub(super) enum Read {
    /// Records, possibly none, and the next iterator. It is `None` at the end of a closed shard.
    Records(Vec<EventRecord>, Option<String>),
    /// The iterator has expired; the shard has to be opened again.
    IteratorLost,
    /// The whole shard has expired.
    ShardGone,
    /// The call failed and has to be repeated later.
    Trouble(String),
}

/// Opens `shard` after the record `after`, or at its oldest record.
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
            .map_or_else(|| Opened::Trouble("the answer contains no iterator".to_owned()), Opened::At),
        Err(cause) => match cause.as_service_error() {
            Some(GetShardIteratorError::TrimmedDataAccessException(_)) => Opened::Trimmed,
            Some(GetShardIteratorError::ResourceNotFoundException(_)) => Opened::ShardGone,
            _ => Opened::Trouble(DisplayErrorContext(cause).to_string()),
        },
    }
}

/// Reads up to `limit` records with the iterator `position`.
pub(super) async fn read(source: &Source, stream: &str, position: &str, limit: i32) -> Read {
    let request = source.streams.get_records().shard_iterator(position).limit(limit.clamp(1, RECORDS_MAX));
    match request.send().await {
        // A shard is closed only if the iterator is missing; an open shard may have an ending sequence
        // number, too.
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
