//! Calls the handler with a batch of records and reads its answer.

use std::{error::Error, time::Duration};

use aws_lambda_events::{
    event::dynamodb::{Event, EventRecord},
    streams::DynamoDbEventResponse,
};
use schema::Time;
use serde::Serialize;

use super::{Boxed, Cause, Handler, plan::Answer, record::appended_at};

/// A reference to records that were given up, for the failure destination. As in AWS it does not contain the
/// records.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Failure {
    pub consumer: &'static str,
    pub stream_arn: String,
    /// The time of the first commit, or a time before it; `None` if it is not known.
    pub since: Option<Time>,
    /// Empty if it is not known which records were lost.
    pub shard: String,
    /// The sequence number of the first record.
    pub first: String,
    /// The sequence number of the last record.
    pub last: String,
    /// The number of records; 0 if it is not known.
    pub records: usize,
    /// The number of attempts, not counting splits.
    pub attempts: u32,
    /// The error of the last attempt.
    pub cause: String,
}

impl Failure {
    pub(super) fn of(
        consumer: &'static str,
        (stream, shard): (&str, &str),
        records: &[EventRecord],
        attempts: u32,
        cause: String,
    ) -> Self {
        let sequence = |record: Option<&EventRecord>| {
            record.and_then(|record| record.change.sequence_number.clone()).unwrap_or_default()
        };
        Self {
            consumer,
            stream_arn: stream.to_owned(),
            since: records.first().and_then(appended_at),
            shard: shard.to_owned(),
            first: sequence(records.first()),
            last: sequence(records.last()),
            records: records.len(),
            attempts,
            cause,
        }
    }
}

/// Calls the handler once with `records`. Returns the acknowledged records, numbered from `first`, and the
/// reason why not all are.
pub(super) async fn call(
    handler: &Handler,
    records: &[EventRecord],
    first: usize,
    timeout_ms: u64,
) -> (Answer, String) {
    let mut event = Event::default();
    event.records = records.to_vec();
    let handler = handler.clone();
    match isolated(Box::pin(async move { handler(event).await }), timeout_ms).await {
        Ok(response) => read(&response, records, first),
        Err(cause) => (Answer::None, cause),
    }
}

/// Runs `work` as a task of its own, so that neither a panic nor a hang stops the shard's reader.
pub(super) async fn isolated<T: Send + 'static>(
    work: Boxed<Result<T, Cause>>,
    timeout_ms: u64,
) -> Result<T, String> {
    let task = tokio::spawn(work);
    let stopper = task.abort_handle();
    match tokio::time::timeout(Duration::from_millis(timeout_ms), task).await {
        Ok(Ok(result)) => result.map_err(|cause| chain(&*cause)),
        Ok(Err(lost)) => Err(format!("the handler panicked or was cancelled: {lost}")),
        Err(_) => {
            stopper.abort();
            Err(format!("no answer within {timeout_ms} ms"))
        }
    }
}

/// Reads an answer. If it names an item that is not in the batch, the whole batch counts as failed, as in
/// AWS.
fn read(response: &DynamoDbEventResponse, records: &[EventRecord], first: usize) -> (Answer, String) {
    let mut earliest = None;
    for failure in &response.batch_item_failures {
        let named = failure.item_identifier.as_deref().filter(|id| !id.is_empty());
        let place = named.and_then(|id| {
            records.iter().position(|record| record.change.sequence_number.as_deref() == Some(id))
        });
        let Some(place) = place else {
            return (
                Answer::None,
                format!("the handler reported {named:?} as failed, which is not in the batch"),
            );
        };
        earliest = earliest.map_or(Some(place), |earlier: usize| Some(earlier.min(place)));
    }
    earliest.map_or((Answer::All, String::new()), |place| {
        (Answer::Before(first + place), "the handler reported a record as failed".to_owned())
    })
}

fn chain(cause: &(dyn Error + 'static)) -> String {
    let mut text = cause.to_string();
    let mut source = cause.source();
    while let Some(deeper) = source {
        text.push_str(": ");
        text.push_str(&deeper.to_string());
        source = deeper.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn work_that_hangs_fails_after_the_timeout() {
        let hanging: Boxed<Result<(), Cause>> = Box::pin(std::future::pending());
        assert_eq!(isolated(hanging, 5).await, Err("no answer within 5 ms".to_owned()));
    }

    #[tokio::test]
    async fn an_error_is_reported_with_all_its_causes() {
        #[derive(Debug, thiserror::Error)]
        #[error("project waitee-1")]
        struct Outer(#[source] std::fmt::Error);
        let failing: Boxed<Result<(), Cause>> = Box::pin(async { Err(Outer(std::fmt::Error).into()) });
        let reported = isolated(failing, 60_000).await.unwrap_err();
        assert_eq!(reported, format!("project waitee-1: {}", std::fmt::Error));
    }
}
