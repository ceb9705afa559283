//! The attributes of a message's item.

use std::{collections::HashMap, time::Duration};

use aws_sdk_dynamodb::types::AttributeValue;
use schema::{Time, table::QUEUE};

pub(super) const ID: &str = "id";
pub(super) const BODY: &str = "body";
pub(super) const ATTEMPTS: &str = "attempts";
pub(super) const WAITING: &str = "waiting";
pub(super) const VISIBLE_AT: &str = "visible_at";
pub(super) const SENT_AT: &str = "sent_at";
pub(super) const DIED_AT: &str = "died_at";

pub(super) type Attributes = HashMap<String, AttributeValue>;

/// A message or dead letter as stored.
pub(super) struct Stored {
    pub(super) id: String,
    pub(super) body: String,
    pub(super) attempts: u32,
    pub(super) sent_at: Time,
    /// None in a dead letter.
    pub(super) visible_at: Option<i64>,
}

impl Stored {
    pub(super) fn read(item: &Attributes) -> Option<Self> {
        Some(Self {
            id: string(item, ID)?,
            body: string(item, BODY)?,
            attempts: u32::try_from(count(item, ATTEMPTS)?).ok()?,
            sent_at: Time::from_millis(count(item, SENT_AT)?),
            visible_at: count(item, VISIBLE_AT),
        })
    }
}

pub(super) fn key(queue: &str, id: &str) -> Attributes {
    HashMap::from([(QUEUE.hash.0.to_owned(), text(queue)), (ID.to_owned(), text(id))])
}

pub(super) fn text(text: &str) -> AttributeValue {
    AttributeValue::S(text.to_owned())
}

pub(super) fn number(number: i64) -> AttributeValue {
    AttributeValue::N(number.to_string())
}

pub(super) fn string(item: &Attributes, name: &str) -> Option<String> {
    item.get(name)?.as_s().ok().cloned()
}

pub(super) fn count(item: &Attributes, name: &str) -> Option<i64> {
    item.get(name)?.as_n().ok()?.parse().ok()
}

pub(super) fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
