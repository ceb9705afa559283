//! A commit as a DynamoDB item.

use std::collections::{BTreeSet, HashMap};

use aws_sdk_dynamodb::types::AttributeValue;
use schema::{
    Commit,
    commit::{Broken, Derived, RawCommit, Unreadable},
};

pub type Item = HashMap<String, AttributeValue>;

/// DynamoDB's bound on the size of an item.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html>
pub const ITEM_BYTES_MAX: usize = 400 * 1024;

/// The attributes that a commit may lack.
const OPTIONAL: [&str; 3] = ["command", "request", "causation"];

#[derive(Debug, thiserror::Error)]
pub enum ItemError {
    #[error("an attribute of the commit's item is missing or has the wrong type")]
    Shape(#[from] serde_dynamo::Error),
    #[error(transparent)]
    Events(#[from] Unreadable),
}

/// Builds the item of a commit, with its derived attributes.
///
/// # Errors
/// The commit's text is no list of events.
pub fn encode(commit: &Commit) -> Result<Item, ItemError> {
    let mut item: Item = serde_dynamo::to_item(commit)?;
    let Derived { types, month } = commit.derived()?;
    if let Some(month) = month {
        item.insert("month".into(), AttributeValue::S(month));
    }
    item.insert("types".into(), AttributeValue::Ss(types.into_iter().collect()));
    Ok(item)
}

pub(super) fn decode(item: Item) -> Result<Commit, ItemError> {
    Ok(serde_dynamo::from_item(item)?)
}

/// Reads an item as it is stored, even a damaged one.
pub(super) fn decode_raw(item: &Item) -> RawCommit {
    let seq = key_number(item);
    if seq == 0 {
        return RawCommit { seq, commit: None, fault: Some(Broken::Number) };
    }
    let commit = decode(item.clone()).ok();
    let fault = commit.as_ref().and_then(|commit| fault(commit, item));
    RawCommit { seq, commit, fault }
}

/// Compares an item with the one that would be written for its commit. Attributes that this code does not know
/// are ignored, because newer code may have added them.
fn fault(commit: &Commit, item: &Item) -> Option<Broken> {
    let (Ok(derived), Ok(written)) = (commit.derived(), encode(commit)) else {
        return Some(Broken::Unreadable);
    };
    let types: BTreeSet<String> = match item.get("types") {
        Some(AttributeValue::Ss(types)) => types.iter().cloned().collect(),
        _ => BTreeSet::new(),
    };
    let month = item.get("month");
    let text = month.and_then(|month| month.as_s().ok());
    if let Err(broken) = derived.check(&types, text.map(String::as_str)) {
        return Some(broken);
    }
    if month.is_some() != text.is_some() {
        return Some(Broken::Month);
    }
    // The types were compared as a set.
    let differs = |name: &String| name != "types" && written.get(name) != item.get(name);
    let is_added = OPTIONAL.iter().any(|name| written.contains_key(*name) != item.contains_key(*name));
    (is_added || written.keys().any(differs)).then_some(Broken::Form)
}

/// The number in an item's key, and 0 for one below 1. An added item may have a fraction or a larger number than this
/// code writes: it is rounded up, so that reading goes on after it.
pub(super) fn key_number(item: &Item) -> u64 {
    let text = item.get("seq").and_then(|seq| seq.as_n().ok());
    let rounded = |text: &String| text.parse::<f64>().map_or(u64::MAX, |number| number.ceil() as u64);
    text.map_or(0, |text| text.parse().unwrap_or_else(|_| rounded(text)))
}

/// Returns the item's size in bytes as DynamoDB counts it: names and values. A number that ends in zeros
/// counts slightly too much.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html>
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
        AttributeValue::L(values) => 3 + values.iter().map(|value| 1 + value_size(value)).sum::<usize>(),
        AttributeValue::M(fields) => 3 + fields.len() + size(fields),
        _ => 1, // true, false and null; commits and rows have no other types
    }
}
