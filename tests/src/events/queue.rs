//! Builds the events that SQS sends to functions.

use serde_json::{Value, json};

use super::{ACCOUNT, REGION, TIME_MS};

/// Builds the event of a queue with these messages, received for the first time. Their ids are `message-1`,
/// `message-2` and so on.
#[must_use]
pub fn queue_event(queue: &str, bodies: &[Value]) -> Value {
    queue_event_received(queue, bodies, 1)
}

/// Like [`queue_event`], received for the n-th time.
#[must_use]
pub fn queue_event_received(queue: &str, bodies: &[Value], times: u32) -> Value {
    let messages: Vec<(String, String)> =
        (1_u64..).zip(bodies).map(|(number, body)| (format!("message-{number}"), body.to_string())).collect();
    let messages: Vec<_> = messages.iter().map(|(id, body)| (id.as_str(), body.as_str(), times)).collect();
    queue_event_of(queue, &messages)
}

/// Builds the event of a queue with messages of these ids and bodies, each received so many times.
#[must_use]
pub fn queue_event_of(queue: &str, messages: &[(&str, &str, u32)]) -> Value {
    // The field md5OfBody is left out, because only receivers check it.
    let records = messages.iter().map(|(id, body, times)| {
        json!({
            "messageId": id,
            "receiptHandle": format!("receipt-{id}-{times}"),
            "body": body,
            "attributes": {
                "ApproximateReceiveCount": times.to_string(),
                "SentTimestamp": TIME_MS.to_string(),
                "SenderId": ACCOUNT,
                "ApproximateFirstReceiveTimestamp": TIME_MS.to_string(),
            },
            "messageAttributes": {},
            "eventSource": "aws:sqs",
            "eventSourceARN": format!("arn:aws:sqs:{REGION}:{ACCOUNT}:{queue}"),
            "awsRegion": REGION,
        })
    });
    json!({ "Records": records.collect::<Vec<_>>() })
}

#[cfg(test)]
mod tests {
    use aws_lambda_events::sqs;
    use serde_json::from_value;

    use super::*;

    #[test]
    fn a_queue_event_contains_bodies_as_text() {
        let read: sqs::SqsEvent =
            from_value(queue_event_received("deliver", &[json!({ "n": 1 })], 2)).unwrap();
        assert_eq!(read.records[0].message_id.as_deref(), Some("message-1"));
        assert_eq!(read.records[0].body.as_deref(), Some(r#"{"n":1}"#));
        assert_eq!(read.records[0].attributes["ApproximateReceiveCount"], "2");
    }
}
