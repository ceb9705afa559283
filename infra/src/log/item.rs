//! A commit as a DynamoDB item.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use schema::{Commit, commit::Unreadable};

pub type Item = HashMap<String, AttributeValue>;

/// DynamoDB's bound on the size of an item.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html>
pub const ITEM_BYTES_MAX: usize = 400 * 1024;

#[derive(Debug, thiserror::Error)]
pub enum ItemError {
    #[error("an attribute of the commit's item is missing or has the wrong type")]
    Shape(#[from] serde_dynamo::Error),
    #[error(transparent)]
    Events(#[from] Unreadable),
}

/// The event type that the account-wide history leaves out, because a session is refreshed every few minutes.
const UNAUDITED: &str = "session.refreshed";

/// Builds the item of a commit, with the derived attributes `types`, for stream filters, and `month`, the key
/// of the audit index.
pub(super) fn encode(commit: &Commit) -> Result<Item, ItemError> {
    let mut item: Item = serde_dynamo::to_item(commit)?;
    let types = commit.types()?;
    if types.iter().any(|kind| kind != UNAUDITED) {
        item.insert("month".into(), AttributeValue::S(format!("{}#{}", commit.tenant, commit.at.month())));
    }
    item.insert("types".into(), AttributeValue::Ss(types.into_iter().collect()));
    Ok(item)
}

pub(super) fn decode(item: Item) -> Result<Commit, ItemError> {
    Ok(serde_dynamo::from_item(item)?)
}

/// Returns the item's size in bytes as DynamoDB counts it: names and values. A number that ends in zeros
/// counts slightly too much.
#[must_use]
pub fn size(item: &Item) -> usize {
    item.iter().map(|(name, value)| name.len() + value_size(value)).sum()
}

fn value_size(value: &AttributeValue) -> usize {
    match value {
        AttributeValue::S(text) => text.len(),
        AttributeValue::N(digits) => digits.len().div_ceil(2) + 1,
        AttributeValue::B(blob) => blob.as_ref().len(),
        AttributeValue::Ss(set) => set.iter().map(String::len).sum(),
        _ => 1, // commits have no other types
    }
}
