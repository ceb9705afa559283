//! Dead letters of a queue in a table: how messages become dead letters, and how these are listed and
//! redriven.

use std::time::Duration;

use aws_sdk_dynamodb::{
    error::SdkError,
    operation::transact_write_items::TransactWriteItemsError,
    types::{Delete, Put, TransactWriteItem},
};
use schema::{Time, table::QUEUE};

use super::{
    Outcome, TableQueue,
    item::{ATTEMPTS, Attributes, BODY, DIED_AT, ID, SENT_AT, Stored, count, key, number, string, text},
};
use crate::queue::{DEAD_PAGE_MAX, DeadLetter, DeadPage, QueueError, REDRIVE_MAX};

/// A page of dead letters as stored.
struct StoredPage {
    items: Vec<Attributes>,
    next: Option<String>,
}

impl TableQueue {
    /// Moves a message that was received too often to the dead letters, unless another consumer has changed
    /// it meanwhile.
    pub(super) async fn bury(&self, exhausted: &Stored, now: Time) -> Result<Outcome<()>, QueueError> {
        let mut letter = key(&self.dead(), &exhausted.id);
        letter.insert(BODY.to_owned(), text(&exhausted.body));
        letter.insert(ATTEMPTS.to_owned(), number(i64::from(exhausted.attempts)));
        letter.insert(SENT_AT.to_owned(), number(exhausted.sent_at.millis()));
        letter.insert(DIED_AT.to_owned(), number(now.millis()));
        self.replace("bury a message", key(&self.name, &exhausted.id), exhausted.attempts, letter).await
    }

    pub(in crate::queue) async fn dead_letters(
        &self,
        cursor: Option<&str>,
        limit: usize,
    ) -> Result<DeadPage, QueueError> {
        let StoredPage { items, next } = self.dead_items(cursor, limit).await?;
        let letters = items.iter().map(|item| {
            let Stored { id, body, attempts, sent_at, .. } = self.read(item)?;
            let died_at = count(item, DIED_AT).map(Time::from_millis);
            Ok(DeadLetter { id, body, attempts, sent_at, died_at })
        });
        Ok(DeadPage { letters: letters.collect::<Result<_, _>>()?, next })
    }

    pub(in crate::queue) async fn redrive(&self, id: &str) -> Result<bool, QueueError> {
        let get = self
            .client
            .get_item()
            .table_name(&self.table)
            .set_key(Some(key(&self.dead(), id)))
            .consistent_read(true);
        let got = get.send().await.map_err(|cause| self.failed("read a dead letter", cause))?;
        match got.item {
            Some(item) => self.resend(&self.read(&item)?).await,
            None => Ok(false),
        }
    }

    /// Leaves messages that die during the call, so that a message which fails at once is not redriven for
    /// ever.
    pub(in crate::queue) async fn redrive_all(&self) -> Result<usize, QueueError> {
        let started = self.clock.now().millis();
        let (mut redriven, mut from) = (0, None);
        for _ in 0..REDRIVE_MAX / DEAD_PAGE_MAX {
            let StoredPage { items, next } = self.dead_items(from.as_deref(), DEAD_PAGE_MAX).await?;
            for item in
                items.iter().filter(|item| count(item, DIED_AT).is_some_and(|died_at| died_at <= started))
            {
                redriven += usize::from(self.resend(&self.read(item)?).await?);
            }
            from = next;
            if from.is_none() {
                break;
            }
        }
        Ok(redriven)
    }

    /// Sends a dead letter as a new message. Returns false if another call has redriven it already.
    async fn resend(&self, letter: &Stored) -> Result<bool, QueueError> {
        let (_, message) = self.new_message(&letter.body, Duration::ZERO);
        let outcome = self
            .replace("redrive a dead letter", key(&self.dead(), &letter.id), letter.attempts, message)
            .await?;
        Ok(matches!(outcome, Outcome::Done(())))
    }

    async fn dead_items(&self, cursor: Option<&str>, limit: usize) -> Result<StoredPage, QueueError> {
        let page = self
            .client
            .query()
            .table_name(&self.table)
            .key_condition_expression("#queue = :dead")
            .expression_attribute_names("#queue", QUEUE.hash.0)
            .expression_attribute_values(":dead", text(&self.dead()))
            .consistent_read(true)
            .limit(i32::try_from(limit).unwrap_or(i32::MAX))
            .set_exclusive_start_key(cursor.map(|id| key(&self.dead(), id)))
            .send()
            .await
            .map_err(|cause| self.failed("list dead letters", cause))?;
        let next = page.last_evaluated_key.as_ref().and_then(|last| string(last, ID));
        Ok(StoredPage { items: page.items.unwrap_or_default(), next })
    }

    /// Replaces one item by another in one transaction, on condition that the old one was received `attempts`
    /// times.
    async fn replace(
        &self,
        doing: &'static str,
        old: Attributes,
        attempts: u32,
        new: Attributes,
    ) -> Result<Outcome<()>, QueueError> {
        let delete = Delete::builder()
            .table_name(&self.table)
            .set_key(Some(old))
            .condition_expression("#attempts = :attempts")
            .expression_attribute_names("#attempts", ATTEMPTS)
            .expression_attribute_values(":attempts", number(i64::from(attempts)))
            .build()
            .map_err(|cause| self.failed(doing, cause))?;
        let put = Put::builder()
            .table_name(&self.table)
            .set_item(Some(new))
            .build()
            .map_err(|cause| self.failed(doing, cause))?;
        let transaction = self.client.transact_write_items();
        let transaction = transaction.transact_items(TransactWriteItem::builder().delete(delete).build());
        match transaction.transact_items(TransactWriteItem::builder().put(put).build()).send().await {
            Ok(_) => Ok(Outcome::Done(())),
            Err(error) if is_lost_race(&error) => Ok(Outcome::LostRace),
            Err(error) => Err(self.failed(doing, error)),
        }
    }

    /// The partition key of the queue's dead letters.
    fn dead(&self) -> String {
        format!("{}-dead", self.name)
    }
}

/// Whether a transaction failed because another consumer changed the message first.
fn is_lost_race<R>(error: &SdkError<TransactWriteItemsError, R>) -> bool {
    let Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) = error.as_service_error()
    else {
        return false;
    };
    let codes = cancelled.cancellation_reasons().iter().filter_map(|reason| reason.code());
    codes.into_iter().any(|code| matches!(code, "ConditionalCheckFailed" | "TransactionConflict"))
}
