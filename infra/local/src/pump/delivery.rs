//! Brings records to the handler and hands over what it does not take.

use std::{error::Error, time::Duration};

use aws_lambda_events::{
    event::dynamodb::{Event, EventRecord},
    streams::DynamoDbEventResponse,
};
use serde::Serialize;

use super::{Boxed, Cause, Handler, plan::Answer};

/// What the failure destination gets: a pointer to the records, not the records, as in AWS.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Failure {
    /// Whose handler it was.
    pub consumer: &'static str,
    /// The stream.
    pub stream_arn: String,
    /// The shard.
    pub shard: String,
    /// The first record's sequence number.
    pub first: String,
    /// The last record's.
    pub last: String,
    /// How many records these are.
    pub records: usize,
    /// How often they were tried, splits not counted.
    pub attempts: u32,
    /// What came of the last attempt.
    pub cause: String,
}

/// Calls the handler once with `records`; says what it acknowledged, counted from `first`, and why not more.
pub(super) async fn call(
    handler: &Handler,
    records: &[EventRecord],
    first: usize,
    timeout_ms: u64,
) -> (Answer, String) {
    let mut event = Event::default();
    event.records = records.to_vec();
    let handler = handler.clone();
    match apart(Box::pin(async move { handler(event).await }), timeout_ms).await {
        Ok(response) => read(&response, records, first),
        Err(cause) => (Answer::None, cause),
    }
}

/// Runs `work` where neither its panic nor its endlessness can take the shard along.
pub(super) async fn apart<T: Send + 'static>(
    work: Boxed<Result<T, Cause>>,
    timeout_ms: u64,
) -> Result<T, String> {
    let task = tokio::spawn(work);
    let stopper = task.abort_handle();
    match tokio::time::timeout(Duration::from_millis(timeout_ms), task).await {
        Ok(Ok(result)) => result.map_err(|cause| chain(&*cause)),
        Ok(Err(lost)) => Err(format!("the handler was lost: {lost}")),
        Err(_) => {
            stopper.abort();
            Err(format!("no answer within {timeout_ms} ms"))
        }
    }
}

/// An answer is trusted only where each failed item is one of the batch: otherwise the whole batch failed, as in AWS.
fn read(response: &DynamoDbEventResponse, records: &[EventRecord], first: usize) -> (Answer, String) {
    let mut earliest = None;
    for failure in &response.batch_item_failures {
        let named = failure.item_identifier.as_deref().filter(|id| !id.is_empty());
        let place = named.and_then(|id| {
            records.iter().position(|record| record.change.sequence_number.as_deref() == Some(id))
        });
        let Some(place) = place else {
            return (Answer::None, format!("the answer names {named:?}, which is not in the batch"));
        };
        earliest = earliest.map_or(Some(place), |earlier: usize| Some(earlier.min(place)));
    }
    earliest.map_or((Answer::All, String::new()), |place| {
        (Answer::Before(first + place), "the answer names it as failed".to_owned())
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
    async fn work_that_never_ends_fails_in_time() {
        let endless: Boxed<Result<(), Cause>> = Box::pin(std::future::pending());
        assert_eq!(apart(endless, 5).await, Err("no answer within 5 ms".to_owned()));
    }

    #[tokio::test]
    async fn an_error_is_told_with_everything_that_led_to_it() {
        #[derive(Debug, thiserror::Error)]
        #[error("project waitee-1")]
        struct Outer(#[source] std::fmt::Error);
        let failing: Boxed<Result<(), Cause>> = Box::pin(async { Err(Outer(std::fmt::Error).into()) });
        let told = apart(failing, 60_000).await.unwrap_err();
        assert_eq!(told, format!("project waitee-1: {}", std::fmt::Error));
    }
}
