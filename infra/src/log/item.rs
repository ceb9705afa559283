//! A commit as a DynamoDB item.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use schema::{Commit, commit::Unreadable};

/// An item, as the SDK holds it.
pub type Item = HashMap<String, AttributeValue>;

/// DynamoDB's bound on an item.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html>
pub const ITEM_BYTES_MAX: usize = 400 * 1024;

/// What an attribute of a stored commit can be wrong about.
#[derive(Debug, thiserror::Error)]
pub enum ItemError {
    /// Attributes are missing or of the wrong type.
    #[error("the item is no commit")]
    Shape(#[from] serde_dynamo::Error),
    /// The events cannot be read.
    #[error(transparent)]
    Events(#[from] Unreadable),
}

/// What the account-wide history leaves out: a session is refreshed every few minutes, and nobody looks for that.
const UNAUDITED: &str = "session.refreshed";

/// Adds what is derived: `types` for stream filters, and the key of the audit index.
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

/// The item's size as DynamoDB counts it: names and values, in bytes. A number that ends in zeros is counted a little larger
/// than it is.
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
        _ => 1, // commits hold nothing else
    }
}
