//! Builds stream records of commits, whole or damaged.

use std::collections::HashMap;

use aws_lambda_events::{
    dynamodb::{Event, EventRecord},
    streams::DynamoDbEventResponse,
};
use aws_sdk_dynamodb::{primitives::Blob, types::AttributeValue};
use proptest::prelude::*;
use schema::Commit;

use crate::oracle::Item;

/// The image of the commit in a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Image {
    Whole,
    Missing,
    /// Without one attribute.
    Without(&'static str),
    /// With other, well-formed events.
    Altered,
    /// With a text that is not JSON as events.
    Garbage,
    /// With a `last` beyond the commit's last event.
    Longer,
    /// With the events as a binary attribute.
    Binary,
    /// Of another commit.
    Foreign,
}

pub(crate) fn image() -> impl Strategy<Value = Image> {
    prop_oneof![
        8 => Just(Image::Whole),
        2 => Just(Image::Missing),
        1 => prop::sample::select(vec!["seq", "stream", "events", "hash", "prev", "last", "tenant", "at"]).prop_map(Image::Without),
        1 => Just(Image::Altered),
        1 => Just(Image::Garbage),
        1 => Just(Image::Longer),
        1 => Just(Image::Binary),
        1 => Just(Image::Foreign),
    ]
}

pub(crate) fn item(commit: &Commit) -> Item {
    serde_dynamo::to_item(commit).unwrap()
}

/// Builds the record of an inserted commit. `foreign` is the commit shown by [`Image::Foreign`].
pub(crate) fn insert(sequence: usize, commit: &Commit, image: Image, foreign: &Commit) -> EventRecord {
    let mut shown = item(commit);
    match image {
        Image::Whole => {}
        Image::Missing => shown.clear(),
        Image::Without(name) => {
            shown.remove(name);
        }
        Image::Altered => {
            let events = commit.events.replace("name-", "eman-").replace("Room", "Moor");
            shown.insert("events".into(), AttributeValue::S(events));
        }
        Image::Garbage => {
            shown.insert("events".into(), AttributeValue::S(commit.events[1..].to_owned()));
        }
        Image::Longer => {
            shown.insert("last".into(), AttributeValue::N((commit.last + 7).to_string()));
        }
        Image::Binary => {
            shown.insert("events".into(), AttributeValue::B(Blob::new(commit.events.as_bytes())));
        }
        Image::Foreign => shown = item(foreign),
    }
    record(sequence, "INSERT", &commit.stream.to_string(), commit.seq, shown)
}

pub(crate) fn record(sequence: usize, name: &str, stream: &str, seq: u64, image: Item) -> EventRecord {
    let mut record = EventRecord::default();
    record.event_name = name.into();
    record.event_id = format!("{sequence:032x}");
    record.event_source = Some("aws:dynamodb".into());
    let keys =
        [("stream", AttributeValue::S(stream.to_owned())), ("seq", AttributeValue::N(seq.to_string()))];
    record.change.keys =
        keys.map(|(name, value)| (name.to_owned(), value)).into_iter().collect::<HashMap<_, _>>().into();
    record.change.new_image = image.into();
    record.change.sequence_number = Some(self::sequence(sequence));
    record
}

pub(crate) fn sequence(place: usize) -> String {
    format!("1{place:020}")
}

pub(crate) fn batch(records: Vec<EventRecord>) -> Event {
    let mut event = Event::default();
    event.records = records;
    event
}

/// Returns the sequence numbers that a response reports as failed, in order.
pub(crate) fn failed(response: &DynamoDbEventResponse) -> Vec<String> {
    let mut failed: Vec<String> = response
        .batch_item_failures
        .iter()
        .map(|failure| failure.item_identifier.clone().unwrap_or_default())
        .collect();
    failed.sort_unstable();
    failed
}
