//! The vault's items as stored: a subject with its wrapped key, or with a tombstone.

use std::collections::{HashMap, HashSet};

use aws_sdk_dynamodb::{
    Client,
    error::BuildError,
    operation::put_item::PutItemError,
    primitives::Blob,
    types::{AttributeValue, KeysAndAttributes, Put, ReturnValuesOnConditionCheckFailure},
};
use futures::stream::{self, StreamExt as _, TryStreamExt as _};
use tokio::time::{Duration, sleep};

use super::{
    error::{VaultError, aws},
    subject::Subject,
};

const SUBJECT: &str = "subject";
const WRAPPED: &str = "wrapped";
const ERASED: &str = "erased";

type Attributes = HashMap<String, AttributeValue>;

const BATCH_ITEMS_MAX: usize = 100; // DynamoDB's own bound on BatchGetItem
const BATCHES_AT_ONCE: usize = 4; // a board of 400 parties in one round
const BATCH_ATTEMPTS_MAX: u32 = 6;
const BATCH_RETRY_DELAY_MS: u64 = 20; // doubled each time: 620 ms in all
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
    fn read(subject: Subject, attributes: &Attributes) -> Result<Self, VaultError> {
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
    let wanted: Vec<Subject> = subjects.iter().copied().collect();
    let batches = wanted.chunks(BATCH_ITEMS_MAX).map(<[Subject]>::to_vec).collect::<Vec<_>>();
    stream::iter(batches)
        .map(|batch| read_batch(client, table, batch))
        .buffer_unordered(BATCHES_AT_ONCE)
        .try_fold(HashMap::new(), async |mut all, found| {
            all.extend(found);
            Ok(all)
        })
        .await
}

async fn read_batch(
    client: &Client,
    table: &str,
    batch: Vec<Subject>,
) -> Result<HashMap<Subject, Item>, VaultError> {
    let items =
        batch.iter().take(SUBJECTS_IN_ERROR_MAX).map(Subject::to_string).collect::<Vec<_>>().join(", ");
    let named: HashMap<String, Subject> =
        batch.into_iter().map(|subject| (subject.to_string(), subject)).collect();
    let mut left: Vec<Attributes> = named
        .keys()
        .map(|name| HashMap::from([(SUBJECT.to_owned(), AttributeValue::S(name.clone()))]))
        .collect();
    let mut found = HashMap::new();
    for attempt in 0..BATCH_ATTEMPTS_MAX {
        if attempt > 0 {
            sleep(Duration::from_millis(BATCH_RETRY_DELAY_MS << (attempt - 1))).await;
        }
        let keys = KeysAndAttributes::builder().set_keys(Some(left)).consistent_read(true).build();
        let keys = keys.map_err(|cause| VaultError::Read { items: items.clone(), cause: aws(cause) })?;
        let answer = client.batch_get_item().request_items(table, keys).send().await;
        let answer = answer.map_err(|cause| VaultError::Read { items: items.clone(), cause: aws(cause) })?;
        for attributes in answer.responses.unwrap_or_default().remove(table).unwrap_or_default() {
            let subject =
                attributes.get(SUBJECT).and_then(|name| name.as_s().ok()).and_then(|name| named.get(name));
            if let Some(&subject) = subject {
                found.insert(subject, Item::read(subject, &attributes)?);
            }
        }
        left = answer
            .unprocessed_keys
            .unwrap_or_default()
            .remove(table)
            .map(|keys| keys.keys)
            .unwrap_or_default();
        if left.is_empty() {
            return Ok(found);
        }
    }
    Err(VaultError::Unprocessed { left: left.len(), attempts: BATCH_ATTEMPTS_MAX })
}
