//! What SQS hands to a function.

use serde_json::{Value, json};

use super::{ACCOUNT, REGION, TIME_MS};

/// The event of a queue with these messages, received for the first time. Their ids, by which a function names those that
/// failed, are `message-1`, `message-2` and so on.
#[must_use]
pub fn queue_event(queue: &str, bodies: &[Value]) -> Value {
    queue_event_received(queue, bodies, 1)
}

/// The same, received for the n-th time.
#[must_use]
pub fn queue_event_received(queue: &str, bodies: &[Value], times: u32) -> Value {
    // No md5OfBody: the SDKs check it when they receive, and a function only sees what was received.
    let records = (1_u64..).zip(bodies).map(|(number, body)| {
        json!({
            "messageId": format!("message-{number}"),
            "receiptHandle": format!("receipt-{number}-{times}"),
            "body": body.to_string(),
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
    fn a_queue_hands_over_bodies_as_text() {
        let read: sqs::SqsEvent =
            from_value(queue_event_received("deliver", &[json!({ "n": 1 })], 2)).unwrap();
        assert_eq!(read.records[0].message_id.as_deref(), Some("message-1"));
        assert_eq!(read.records[0].body.as_deref(), Some(r#"{"n":1}"#));
        assert_eq!(read.records[0].attributes["ApproximateReceiveCount"], "2");
    }
}
