//! Builds the events that DynamoDB streams send to functions.

use schema::{
    Commit,
    table::{EVENTS, Table},
};
use serde_json::{Map, Value, json};

use super::{ACCOUNT, REGION, TIME_MS};

/// The change of an item in a stream record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    Insert,
    Modify,
    /// The image is the former one; a stream of new images shows only its keys.
    Remove,
}

/// The item of a commit in DynamoDB's JSON.
#[must_use]
pub fn image(commit: &Commit) -> Value {
    let item: serde_dynamo::Item = serde_dynamo::to_item(commit).unwrap();
    serde_json::to_value(item).unwrap()
}

/// Builds the event of the events table's stream with these new items, each in DynamoDB's JSON:
/// `{ "stream": { "S": ".." }, "seq": { "N": "1" }, .. }`.
#[must_use]
pub fn stream_event(images: &[Value]) -> Value {
    stream_event_of(&EVENTS, &images.iter().map(|image| (Change::Insert, image.clone())).collect::<Vec<_>>())
}

/// Builds the event of a table's stream of new images with these changes.
///
/// # Panics
/// When an image lacks a key of the table.
#[must_use]
pub fn stream_event_of(table: &Table, changes: &[(Change, Value)]) -> Value {
    let keys: Vec<_> = [Some(table.hash), table.range].into_iter().flatten().map(|(name, _)| name).collect();
    let records = (1_u64..).zip(changes).map(|(number, (change, image))| {
        let keys: Map<_, _> = keys
            .iter()
            .map(|key| ((*key).to_owned(), image.get(key).unwrap_or_else(|| panic!("an image has its key `{key}`")).clone()))
            .collect();
        let mut record = json!({
            "eventID": format!("{number:032x}"),
            "eventName": match change {
                Change::Insert => "INSERT",
                Change::Modify => "MODIFY",
                Change::Remove => "REMOVE",
            },
            "eventVersion": "1.1",
            "eventSource": "aws:dynamodb",
            "awsRegion": REGION,
            "dynamodb": {
                "ApproximateCreationDateTime": TIME_MS / 1000,
                "Keys": keys,
                "SequenceNumber": format!("{}", 100_000_000_000_000_000_000_u128 + u128::from(number)),
                "SizeBytes": image.to_string().len(),
                "StreamViewType": "NEW_IMAGE",
            },
            "eventSourceARN":
                format!("arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{}/stream/2026-11-22T00:00:00.000", table.suffix),
        });
        if *change != Change::Remove {
            record["dynamodb"]["NewImage"] = image.clone();
        }
        record
    });
    json!({ "Records": records.collect::<Vec<_>>() })
}

#[cfg(test)]
mod tests {
    use aws_lambda_events::dynamodb;
    use serde_json::from_value;

    use super::*;

    #[test]
    fn a_stream_event_contains_keys_and_the_new_image() {
        let image = json!({ "stream": { "S": "waitee-7" }, "seq": { "N": "3" }, "types": { "SS": ["waitee.called"] } });
        let event = stream_event_of(&EVENTS, &[(Change::Insert, image.clone()), (Change::Remove, image)]);
        let read: dynamodb::Event = from_value(event).unwrap();
        assert_eq!(
            (read.records[0].event_name.as_str(), read.records[1].event_name.as_str()),
            ("INSERT", "REMOVE")
        );
        assert_eq!(read.records[0].change.keys.len(), 2);
        assert_eq!(read.records[0].change.new_image.len(), 3);
        assert!(read.records[1].change.new_image.is_empty());
        assert!(read.records[0].change.sequence_number < read.records[1].change.sequence_number);
    }
}
