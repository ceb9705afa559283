//! The mapping from a queue to a function.

use serde_json::{Value, json};

use super::{
    environment::{Environment, Outcome},
    sqs::{Message, Sqs},
};
use crate::{events::queue_event_of, template::QueueMapping};

/// More messages than any test sends, those included that functions send.
const MESSAGES_MAX: usize = 400;

/// Delivers the messages of a queue until none is left. `choices` select the first message of each batch, because SQS keeps no
/// order. Returns the number of invocations.
///
/// Each message is received at most as often as the queue's redrive policy allows. A batch whose function ends, or whose answer
/// names an unknown message, is received again as a whole.
///
/// # Panics
/// Messages do not end.
pub async fn work_off(
    mapping: &QueueMapping,
    sqs: &Sqs,
    environment: &mut Environment<'_>,
    choices: &[usize],
) -> usize {
    let mut invocations = 0;
    while sqs.await_message(&mapping.queue) {
        let batch = sqs.receive(mapping, choices[invocations % choices.len()]);
        if batch.is_empty() {
            continue;
        }
        invocations += 1;
        assert!(invocations <= MESSAGES_MAX * mapping.receives_max as usize, "the queue does not end");
        let messages: Vec<_> = batch
            .iter()
            .map(|message| (message.id.as_str(), message.body.as_str(), message.receives))
            .collect();
        match environment.invoke(queue_event_of(&mapping.queue, &messages)).await {
            Outcome::Answered(answer) => {
                for done in handled(mapping, &batch, &answer) {
                    sqs.delete(&mapping.queue, &done.id);
                }
            }
            Outcome::Ended(after) => sqs.advance(after),
        }
    }
    invocations
}

/// The messages of a batch that an answer does not report as failed.
fn handled<'b>(mapping: &QueueMapping, batch: &'b [Message], answer: &Value) -> Vec<&'b Message> {
    let failures = answer["batchItemFailures"].as_array().filter(|_| mapping.reports_failures);
    let failed: Vec<&Value> =
        failures.into_iter().flatten().map(|failure| &failure["itemIdentifier"]).collect();
    if !failed.iter().all(|id| batch.iter().any(|message| **id == json!(message.id))) {
        return Vec::new();
    }
    batch.iter().filter(|message| !failed.contains(&&json!(message.id))).collect()
}
