//! The event log: one item per commit, appended on condition that no item has its key, read strongly and to
//! the end.
//!
//! No code updates or deletes an event.

mod aggregate;
mod audit;
mod fold;
mod heads;
mod item;
mod past;
mod raw;
mod read;
mod scan;
mod segment;
mod transact;

use aws_sdk_dynamodb::{
    Client,
    error::SdkError,
    operation::{put_item::PutItemError, transact_write_items::TransactWriteItemsError},
    types::{CancellationReason, Put, ReturnValuesOnConditionCheckFailure, TransactWriteItem},
};
use schema::{Commit, table};

pub use self::{
    aggregate::{Aggregate, Decider, Decision, Reading},
    audit::{End, Entry, EntryPage, RawEntry, RawEntryPage, entry_of},
    fold::{Expect, Outcome, RECENT_COMMITS, Read, States},
    heads::{Head, HeadPage},
    item::{ITEM_BYTES_MAX, Item, ItemError, encode, size},
    raw::RawPage,
    read::CommitPage,
    scan::{PAGE_ITEMS_MAX, ScanPage, Scanned},
    segment::{InStream, Place, SegmentPage, Stored},
    transact::{ATTEMPTS_MAX, DECISION_AGE_MAX_MS},
};
use crate::{clock::Clock, failure::Failure, fault, telemetry::metrics};

/// DynamoDB's bound on one transaction.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis.html>
pub const TRANSACTION_STREAMS_MAX: usize = 100;

/// The longest stream that is loaded whole. A visit has about ten commits; a longer stream is a fault.
pub const STREAM_COMMITS_MAX: usize = 100_000;

/// The events table of one deployment. Clones share their connections.
#[derive(Clone, Debug)]
pub struct Log {
    client: Client,
    table: String,
    pub(crate) clock: Clock,
}

/// A put into another table, in one transaction with commits.
#[derive(Clone, Debug)]
pub struct ExtraPut(pub(crate) Put);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Appended {
    /// The commits are in the log.
    Landed,
    /// Another commit has the key of one of these; none of them was appended.
    Conflict,
}

impl Log {
    /// The log of the deployment `prefix`.
    #[must_use]
    pub fn new(client: Client, prefix: &str, clock: Clock) -> Self {
        Self { client, table: table::EVENTS.name(prefix), clock }
    }

    /// The log of the deployment `prefix` in the same engine or account of AWS.
    #[must_use]
    pub fn beside(&self, prefix: &str) -> Self {
        Self { table: table::EVENTS.name(prefix), ..self.clone() }
    }

    /// Appends commits, each to a stream of its own, and makes `extra_puts` into other tables: all or
    /// nothing. One commit alone is one conditional PutItem: 1 write unit per KB, and 1 for the audit index.
    /// Several are one transaction: twice that.
    ///
    /// When the commits themselves are found under their keys, an earlier attempt was appended: the answer is
    /// `Landed`.
    ///
    /// # Errors
    /// Nothing to append, more than [`TRANSACTION_STREAMS_MAX`], an item over [`ITEM_BYTES_MAX`]: nothing was
    /// sent. When the table did not answer, the commits may have been appended.
    pub async fn append(&self, commits: &[Commit], extra_puts: Vec<ExtraPut>) -> Result<Appended, Failure> {
        let doing = || {
            format!(
                "append {}",
                commits.iter().map(|c| format!("{}@{}", c.stream, c.seq)).collect::<Vec<_>>().join(", ")
            )
        };
        if commits.is_empty() || commits.len() + extra_puts.len() > TRANSACTION_STREAMS_MAX {
            let bound = format!(
                "{} commits and {} puts; 1 to {TRANSACTION_STREAMS_MAX} can be appended at once",
                commits.len(),
                extra_puts.len()
            );
            return Err(Failure::broken(doing(), bound));
        }
        let mut items = Vec::with_capacity(commits.len());
        for commit in commits {
            let item = item::encode(commit).map_err(|cause| Failure::broken(doing(), cause))?;
            if size(&item) > ITEM_BYTES_MAX {
                return Err(Failure::broken(
                    doing(),
                    format!("the commit has {} bytes; {ITEM_BYTES_MAX} are allowed", size(&item)),
                ));
            }
            items.push(item);
        }
        fault::point("log.append");
        let begun = self.clock.moment();
        let appended = match <[Item; 1]>::try_from(items) {
            Ok([item]) if extra_puts.is_empty() => {
                self.put(&commits[0], item).await.map_err(|cause| Failure::aws(doing(), cause))
            }
            Ok([item]) => {
                self.put_all(commits, vec![item], extra_puts).await.map_err(|cause| cancelled(doing(), cause))
            }
            Err(items) => {
                self.put_all(commits, items, extra_puts).await.map_err(|cause| cancelled(doing(), cause))
            }
        };
        fault::point("log.appended");
        metrics::APPENDS.took(self.clock.moment().since(begun), []);
        if let Ok(Appended::Conflict) = appended {
            metrics::APPEND_CONFLICTS.count([]);
        }
        appended
    }

    async fn put(&self, commit: &Commit, item: Item) -> Result<Appended, SdkError<PutItemError>> {
        let sent = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(item))
            .condition_expression("attribute_not_exists(#stream)")
            .expression_attribute_names("#stream", "stream")
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .send()
            .await;
        match sent {
            Ok(_) => Ok(Appended::Landed),
            Err(error) => match error.as_service_error() {
                Some(PutItemError::ConditionalCheckFailedException(failed)) => {
                    Ok(if holds(failed.item(), commit) { Appended::Landed } else { Appended::Conflict })
                }
                Some(PutItemError::TransactionConflictException(_)) => Ok(Appended::Conflict),
                _ => Err(error),
            },
        }
    }

    async fn put_all(
        &self,
        commits: &[Commit],
        items: Vec<Item>,
        extra_puts: Vec<ExtraPut>,
    ) -> Result<Appended, SdkError<TransactWriteItemsError>> {
        let mut puts = Vec::with_capacity(items.len() + extra_puts.len());
        for item in items {
            let put = Put::builder()
                .table_name(&self.table)
                .set_item(Some(item))
                .condition_expression("attribute_not_exists(#stream)")
                .expression_attribute_names("#stream", "stream")
                .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
                .build()
                .map_err(SdkError::construction_failure)?;
            puts.push(TransactWriteItem::builder().put(put).build());
        }
        puts.extend(
            extra_puts.into_iter().map(|ExtraPut(put)| TransactWriteItem::builder().put(put).build()),
        );
        let sent = self.client.transact_write_items().set_transact_items(Some(puts)).send().await;
        match sent {
            Ok(_) => Ok(Appended::Landed),
            Err(error) => match error.as_service_error() {
                Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) => {
                    let reasons = cancelled.cancellation_reasons();
                    if commits.iter().zip(reasons).all(|(commit, reason)| holds(reason.item(), commit))
                        && reasons.len() >= commits.len()
                    {
                        return Ok(Appended::Landed);
                    }
                    if reasons.iter().any(is_conflict) { Ok(Appended::Conflict) } else { Err(error) }
                }
                _ => Err(error),
            },
        }
    }
}

/// Whether the item found under a commit's key is that commit.
fn holds(item: Option<&Item>, commit: &Commit) -> bool {
    let found = item.and_then(|item| item.get("commit")).and_then(|id| id.as_s().ok());
    found.is_some_and(|id| *id == commit.commit.to_string())
}

fn is_conflict(reason: &CancellationReason) -> bool {
    matches!(reason.code(), Some("ConditionalCheckFailed" | "TransactionConflict"))
}

/// A transaction that failed. Only the reasons of its cancellation tell whether it was throttled.
fn cancelled(doing: String, cause: SdkError<TransactWriteItemsError>) -> Failure {
    let is_busy = match cause.as_service_error() {
        Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) => {
            let codes = cancelled.cancellation_reasons().iter().map(|reason| reason.code().unwrap_or("None"));
            codes
                .filter(|code| *code != "None")
                .all(|code| matches!(code, "ThrottlingError" | "ProvisionedThroughputExceeded"))
        }
        _ => false,
    };
    match Failure::aws(doing, cause) {
        Failure::Broken { doing, cause, .. } if is_busy => Failure::Broken { doing, retry: true, cause },
        failure => failure,
    }
}
