//! Converts records of a stream to the form in which Lambda passes them to a handler.

use std::collections::HashMap;

use aws_lambda_events::event::dynamodb::{EventRecord, StreamRecord, StreamViewType, UserIdentity};
use aws_sdk_dynamodbstreams::types::{self as stream, AttributeValue as Streamed};
use schema::Time;
use serde_dynamo::{AttributeValue, Item};

/// Converts a record of the stream `arn`.
pub(super) fn event(record: stream::Record, arn: &str) -> EventRecord {
    let mut event = EventRecord::default();
    event.aws_region = record.aws_region.unwrap_or_default();
    event.change = record.dynamodb.map(change).unwrap_or_default();
    event.event_id = record.event_id.unwrap_or_default();
    event.event_name = record.event_name.map(|name| name.as_str().to_owned()).unwrap_or_default();
    event.event_source = record.event_source;
    event.event_version = record.event_version;
    event.event_source_arn = Some(arn.to_owned());
    event.user_identity = record.user_identity.map(identity);
    event
}

/// The time of the commit that a record holds.
pub(super) fn appended_at(record: &EventRecord) -> Option<Time> {
    match record.change.new_image.get("at") {
        Some(AttributeValue::S(at)) => at.parse().ok(),
        _ => None,
    }
}

fn change(record: stream::StreamRecord) -> StreamRecord {
    let size = record.size_bytes.unwrap_or(0);
    let seconds = record.approximate_creation_date_time.map_or(0.0, |time| time.as_secs_f64());
    // The type of the time is not exported by `aws_lambda_events`, so the time is decoded from JSON.
    let decoded = serde_json::from_value(
        serde_json::json!({ "ApproximateCreationDateTime": seconds, "SizeBytes": size }),
    );
    let mut change: StreamRecord = decoded.unwrap_or_default();
    change.keys = item(record.keys);
    change.new_image = item(record.new_image);
    change.old_image = item(record.old_image);
    change.sequence_number = record.sequence_number;
    change.stream_view_type = record.stream_view_type.and_then(view);
    change
}

fn view(kind: stream::StreamViewType) -> Option<StreamViewType> {
    match kind {
        stream::StreamViewType::NewImage => Some(StreamViewType::NewImage),
        stream::StreamViewType::OldImage => Some(StreamViewType::OldImage),
        stream::StreamViewType::NewAndOldImages => Some(StreamViewType::NewAndOldImages),
        stream::StreamViewType::KeysOnly => Some(StreamViewType::KeysOnly),
        _ => None,
    }
}

fn identity(identity: stream::Identity) -> UserIdentity {
    let mut user = UserIdentity::default();
    user.type_ = identity.r#type.unwrap_or_default();
    user.principal_id = identity.principal_id.unwrap_or_default();
    user
}

fn item(attributes: Option<HashMap<String, Streamed>>) -> Item {
    Item::from(map(attributes.unwrap_or_default()))
}

fn map(attributes: HashMap<String, Streamed>) -> HashMap<String, AttributeValue> {
    attributes.into_iter().map(|(name, streamed)| (name, value(streamed))).collect()
}

fn value(streamed: Streamed) -> AttributeValue {
    match streamed {
        Streamed::S(text) => AttributeValue::S(text),
        Streamed::N(number) => AttributeValue::N(number),
        Streamed::B(bytes) => AttributeValue::B(bytes.into_inner()),
        Streamed::Bool(truth) => AttributeValue::Bool(truth),
        Streamed::Null(null) => AttributeValue::Null(null),
        Streamed::M(members) => AttributeValue::M(map(members)),
        Streamed::L(values) => AttributeValue::L(values.into_iter().map(value).collect()),
        Streamed::Ss(texts) => AttributeValue::Ss(texts),
        Streamed::Ns(numbers) => AttributeValue::Ns(numbers),
        Streamed::Bs(blobs) => {
            AttributeValue::Bs(blobs.into_iter().map(|bytes| bytes.into_inner()).collect())
        }
        // A type that DynamoDB may add in future. No item of this table has one.
        _ => AttributeValue::Null(true),
    }
}
