//! The vault's items as stored: a subject with its wrapped key, or with a tombstone.

use std::collections::{HashMap, HashSet};

use aws_sdk_dynamodb::{
    Client,
    error::BuildError,
    operation::put_item::PutItemError,
    primitives::Blob,
    types::{AttributeValue, Put, ReturnValuesOnConditionCheckFailure},
};

use super::{
    error::{VaultError, aws},
    subject::Subject,
};
use crate::batch;

const SUBJECT: &str = "subject";
const WRAPPED: &str = "wrapped";
const ERASED: &str = "erased";

const SUBJECTS_IN_ERROR_MAX: usize = 3;

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Item {
    /// The subject's key, wrapped by the account's key or, for an account, by the master key.
    Wrapped(Vec<u8>),
    /// The tombstone of an erased subject.
    Erased,
}

pub(super) enum PutOutcome {
    Stored,
    /// The subject already had this item. After a retried put it may be our own.
    Found(Item),
}

impl Item {
    /// Reads an item. The tombstone counts even when a wrapped key stands beside it, so that a damaged item
    /// never brings back an erased subject.
    fn read(subject: Subject, attributes: &batch::Item) -> Result<Self, VaultError> {
        if attributes.get(ERASED).is_some_and(|erased| erased.as_bool() == Ok(&true)) {
            return Ok(Self::Erased);
        }
        match attributes.get(WRAPPED).map(AttributeValue::as_b) {
            Some(Ok(wrapped)) => Ok(Self::Wrapped(wrapped.as_ref().to_vec())),
            _ => Err(VaultError::Malformed { subject }),
        }
    }
}

/// Puts a subject's first key. Costs one write unit, also when the subject has an item already.
pub(super) async fn put(
    client: &Client,
    table: &str,
    subject: Subject,
    wrapped: Vec<u8>,
) -> Result<PutOutcome, VaultError> {
    let put = client
        .put_item()
        .table_name(table)
        .item(SUBJECT, AttributeValue::S(subject.to_string()))
        .item(WRAPPED, AttributeValue::B(Blob::new(wrapped)))
        .condition_expression("attribute_not_exists(#subject)")
        .expression_attribute_names("#subject", SUBJECT)
        .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
        .send()
        .await;
    match put {
        Ok(_) => Ok(PutOutcome::Stored),
        Err(error) => match error.as_service_error() {
            Some(PutItemError::ConditionalCheckFailedException(there)) => {
                let attributes = there.item().ok_or(VaultError::Malformed { subject })?;
                Item::read(subject, attributes).map(PutOutcome::Found)
            }
            _ => Err(VaultError::Put { subject, cause: aws(error) }),
        },
    }
}

/// Builds the put of a subject's first key, for use in a transaction.
pub(super) fn first_put(table: &str, subject: Subject, wrapped: Vec<u8>) -> Result<Put, BuildError> {
    Put::builder()
        .table_name(table)
        .item(SUBJECT, AttributeValue::S(subject.to_string()))
        .item(WRAPPED, AttributeValue::B(Blob::new(wrapped)))
        .condition_expression("attribute_not_exists(#subject)")
        .expression_attribute_names("#subject", SUBJECT)
        .build()
}

/// Overwrites the subject's item by a tombstone.
pub(super) async fn bury(client: &Client, table: &str, subject: Subject) -> Result<(), VaultError> {
    let put = client
        .put_item()
        .table_name(table)
        .item(SUBJECT, AttributeValue::S(subject.to_string()))
        .item(ERASED, AttributeValue::Bool(true));
    put.send().await.map(drop).map_err(|cause| VaultError::Bury { subject, cause: aws(cause) })
}

/// Returns the items of these subjects by strongly consistent reads. Costs one read unit for each subject,
/// also for a subject without an item.
pub(super) async fn read(
    client: &Client,
    table: &str,
    subjects: &HashSet<Subject>,
) -> Result<HashMap<Subject, Item>, VaultError> {
    let stored = stored(client, table, subjects).await?;
    stored.into_iter().map(|(subject, item)| Ok((subject, Item::read(subject, &item)?))).collect()
}

/// Like [`read`], but returns the items as they are stored.
pub(super) async fn stored(
    client: &Client,
    table: &str,
    subjects: &HashSet<Subject>,
) -> Result<HashMap<Subject, batch::Item>, VaultError> {
    let named: HashMap<String, Subject> =
        subjects.iter().map(|subject| (subject.to_string(), *subject)).collect();
    let key = |name: &String| batch::Item::from([(SUBJECT.to_owned(), AttributeValue::S(name.clone()))]);
    let some = named.keys().take(SUBJECTS_IN_ERROR_MAX).map(String::as_str).collect::<Vec<_>>().join(", ");
    let others = named.len().saturating_sub(SUBJECTS_IN_ERROR_MAX);
    let others = if others == 0 { String::new() } else { format!(" and {others} others") };
    let doing = format!("read {some}{others} from the vault");
    let items = batch::get(client, table, named.keys().map(key).collect(), &doing).await;
    let items = items.map_err(|cause| VaultError::Read(Box::new(cause)))?.into_iter();
    Ok(items
        .filter_map(|item| {
            let name = item.get(SUBJECT).and_then(|name| name.as_s().ok());
            let subject = name.and_then(|name| named.get(name)).copied()?;
            Some((subject, item))
        })
        .collect())
}

/// Whether an item is a tombstone without a key beside it.
pub(super) fn is_tombstone_alone(item: &batch::Item) -> bool {
    item.get(ERASED).is_some_and(|erased| erased.as_bool() == Ok(&true)) && !item.contains_key(WRAPPED)
}
