//! A queue in a table. Its messages are items; the index `visible` holds those that wait, by the time they are due.
//!
//! Receiving reads the index, which may lag, and takes each message by a conditional update of the item, which does not: of two
//! consumers that see one message due, one gets it. A receipt is the message and how often it had been received, so the next
//! receiving makes it stale. Dead letters stand under the queue's name with `-dead` and are not in the index.

use std::{collections::HashMap, time::Duration};

use aws_sdk_dynamodb::{
    Client,
    error::SdkError,
    operation::{
        delete_item::DeleteItemError, transact_write_items::TransactWriteItemsError,
        update_item::UpdateItemError,
    },
    types::{
        AttributeValue, Delete, Put, PutRequest, ReturnValue, ReturnValuesOnConditionCheckFailure, Select,
        TransactWriteItem, WriteRequest,
    },
};
use schema::{Time, table::QUEUE};

use super::{
    DEAD_PAGE_MAX, DeadLetter, DeadPage, Message, QueueError, REDRIVE_MAX, RESENDS_MAX, Receipt,
    pause_before_resend,
};
use crate::clock::Clock;

/// Due messages looked at in one query: more than one receive takes, as others may be taking them, too.
const RECEIVE_PAGE: i32 = 25;

/// Queries of one receive. Behind a hundred messages that others took or that died, it gives fewer than asked for.
const RECEIVE_PAGES_MAX: u32 = 4;

/// DynamoDB's bound on one BatchWriteItem.
const BATCH_PUTS_MAX: usize = 25;

const ID: &str = "id";
const BODY: &str = "body";
const ATTEMPTS: &str = "attempts";
const WAITING: &str = "waiting";
const VISIBLE_AT: &str = "visible_at";
const SENT_AT: &str = "sent_at";
const DIED_AT: &str = "died_at";

type Attributes = HashMap<String, AttributeValue>;

/// How a queue treats what is received.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// For how long a received message is hidden from others.
    pub visibility: Duration,
    /// How often a message is received before it is a dead letter.
    pub attempts_max: u32,
}

/// A queue in a table. Clones are the same queue.
#[derive(Clone)]
pub struct TableQueue {
    client: Client,
    table: String,
    name: String,
    policy: Policy,
    clock: Clock,
}

/// A message as its item has it.
struct Stored {
    id: String,
    body: String,
    attempts: u32,
    sent_at: Time,
    visible_at: Option<i64>,
}

/// What became of an attempt to change a message.
enum Outcome<T> {
    Done(T),
    /// Somebody else was first.
    Lost,
}

impl TableQueue {
    /// The queue `name` in this table.
    #[must_use]
    pub fn new(client: Client, table: String, name: &str, policy: Policy, clock: Clock) -> Self {
        Self { client, table, name: name.to_owned(), policy, clock }
    }

    pub(super) async fn send(&self, body: &str, delay: Duration) -> Result<String, QueueError> {
        let (id, item) = self.fresh(body, delay);
        let put = self.client.put_item().table_name(&self.table).set_item(Some(item));
        put.send().await.map_err(|cause| self.failed("send", cause))?;
        Ok(id)
    }

    pub(super) async fn send_all(&self, bodies: &[String], delay: Duration) -> Result<(), QueueError> {
        for bodies in bodies.chunks(BATCH_PUTS_MAX) {
            let mut left: Vec<WriteRequest> = Vec::with_capacity(bodies.len());
            for body in bodies {
                let put = PutRequest::builder().set_item(Some(self.fresh(body, delay).1)).build();
                left.push(WriteRequest::builder().put_request(put.map_err(|_| self.malformed())?).build());
            }
            for resend in 0..=RESENDS_MAX {
                pause_before_resend(resend).await;
                let sent = self.client.batch_write_item().request_items(&self.table, left).send().await;
                let unsent = sent
                    .map_err(|cause| self.failed("send messages", cause))?
                    .unprocessed_items
                    .unwrap_or_default();
                left = unsent.into_values().flatten().collect();
                if left.is_empty() {
                    break;
                }
            }
            if !left.is_empty() {
                return Err(QueueError::Unsent { queue: self.name.clone(), left: left.len() });
            }
        }
        Ok(())
    }

    pub(super) async fn waiting(&self, most: usize) -> Result<usize, QueueError> {
        let (mut waiting, mut from) = (0, None);
        loop {
            let wanted = i32::try_from(most - waiting).unwrap_or(i32::MAX);
            let query = self
                .client
                .query()
                .table_name(&self.table)
                .index_name(QUEUE.indexes[0].name)
                .select(Select::Count)
                .limit(wanted);
            let page = query
                .key_condition_expression("#waiting = :queue")
                .expression_attribute_names("#waiting", WAITING)
                .expression_attribute_values(":queue", text(&self.name))
                .set_exclusive_start_key(from)
                .send()
                .await
                .map_err(|cause| self.failed("count messages", cause))?;
            waiting += usize::try_from(page.count).unwrap_or(0);
            from = page.last_evaluated_key;
            if from.is_none() || waiting >= most {
                return Ok(waiting.min(most));
            }
        }
    }

    pub(super) async fn receive(&self, max: usize) -> Result<Vec<Message>, QueueError> {
        let now = self.clock.now();
        let mut messages = Vec::new();
        let mut from = None;
        for _ in 0..RECEIVE_PAGES_MAX {
            let (due, next) = self.due(now, from).await?;
            for (id, visible_at) in due {
                if let Outcome::Done(message) = self.take(&id, visible_at, now).await? {
                    messages.push(message);
                }
                if messages.len() == max {
                    return Ok(messages);
                }
            }
            from = next;
            if from.is_none() {
                break;
            }
        }
        Ok(messages)
    }

    /// Messages that the index shows as due, the longest due first, and where to go on.
    async fn due(
        &self,
        now: Time,
        from: Option<Attributes>,
    ) -> Result<(Vec<(String, i64)>, Option<Attributes>), QueueError> {
        let query =
            self.client.query().table_name(&self.table).index_name(QUEUE.indexes[0].name).limit(RECEIVE_PAGE);
        let page = query
            .key_condition_expression("#waiting = :queue AND #visible_at <= :now")
            .expression_attribute_names("#waiting", WAITING)
            .expression_attribute_names("#visible_at", VISIBLE_AT)
            .expression_attribute_values(":queue", text(&self.name))
            .expression_attribute_values(":now", number(now.millis()))
            .set_exclusive_start_key(from)
            .send()
            .await
            .map_err(|cause| self.failed("look for due messages", cause))?;
        let due = page.items().iter().map(|item| read(item, ID).zip(count(item, VISIBLE_AT)));
        let due = due.collect::<Option<_>>().ok_or_else(|| self.malformed())?;
        Ok((due, page.last_evaluated_key))
    }

    /// Takes a message that was due at `seen`; buries it when it has been received too often.
    async fn take(&self, id: &str, seen: i64, now: Time) -> Result<Outcome<Message>, QueueError> {
        let until = now.millis().saturating_add(millis(self.policy.visibility));
        let update = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(key(&self.name, id)))
            .update_expression("SET #visible_at = :until, #attempts = #attempts + :one")
            .condition_expression("#visible_at = :seen AND #attempts < :max")
            .expression_attribute_names("#visible_at", VISIBLE_AT)
            .expression_attribute_names("#attempts", ATTEMPTS)
            .expression_attribute_values(":until", number(until))
            .expression_attribute_values(":one", number(1))
            .expression_attribute_values(":seen", number(seen))
            .expression_attribute_values(":max", number(i64::from(self.policy.attempts_max)))
            .return_values(ReturnValue::AllNew)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .send()
            .await;
        match update {
            Ok(taken) => {
                let Stored { id, body, attempts, .. } = self.stored(&taken.attributes.unwrap_or_default())?;
                let receipt = Receipt(format!("{attempts}:{id}"));
                Ok(Outcome::Done(Message { id, body, receipt, attempts }))
            }
            Err(error) => match error.as_service_error() {
                Some(UpdateItemError::ConditionalCheckFailedException(there)) => {
                    let stored = there.item().map(|item| self.stored(item)).transpose()?;
                    if let Some(worn) = stored.filter(|there| there.visible_at == Some(seen)) {
                        self.bury(&worn, now).await?;
                    }
                    Ok(Outcome::Lost)
                }
                Some(UpdateItemError::TransactionConflictException(_)) => Ok(Outcome::Lost),
                _ => Err(self.failed("take a message", error)),
            },
        }
    }

    /// Moves a message to the dead letters, unless somebody has done so or redriven it meanwhile.
    async fn bury(&self, worn: &Stored, now: Time) -> Result<Outcome<()>, QueueError> {
        let mut letter = key(&self.dead(), &worn.id);
        letter.insert(BODY.to_owned(), text(&worn.body));
        letter.insert(ATTEMPTS.to_owned(), number(i64::from(worn.attempts)));
        letter.insert(SENT_AT.to_owned(), number(worn.sent_at.millis()));
        letter.insert(DIED_AT.to_owned(), number(now.millis()));
        self.replace("bury a message", key(&self.name, &worn.id), worn.attempts, letter).await
    }

    pub(super) async fn delete(&self, receipt: &Receipt) -> Result<(), QueueError> {
        let (id, attempts) = self.parse(receipt)?;
        let delete = self
            .client
            .delete_item()
            .table_name(&self.table)
            .set_key(Some(key(&self.name, id)))
            .condition_expression("#attempts = :attempts")
            .expression_attribute_names("#attempts", ATTEMPTS)
            .expression_attribute_values(":attempts", number(attempts))
            .send()
            .await;
        match delete {
            Ok(_) => Ok(()),
            Err(error) => match error.as_service_error() {
                Some(DeleteItemError::ConditionalCheckFailedException(_)) => Ok(()),
                _ => Err(self.failed("delete a message", error)),
            },
        }
    }

    pub(super) async fn release(&self, receipt: &Receipt, delay: Duration) -> Result<(), QueueError> {
        let (id, attempts) = self.parse(receipt)?;
        let due = self.clock.now().millis().saturating_add(millis(delay));
        let update = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(key(&self.name, id)))
            .update_expression("SET #visible_at = :due")
            .condition_expression("#attempts = :attempts")
            .expression_attribute_names("#visible_at", VISIBLE_AT)
            .expression_attribute_names("#attempts", ATTEMPTS)
            .expression_attribute_values(":due", number(due))
            .expression_attribute_values(":attempts", number(attempts))
            .send()
            .await;
        match update {
            Ok(_) => Ok(()),
            Err(error) => match error.as_service_error() {
                Some(UpdateItemError::ConditionalCheckFailedException(_)) => Ok(()),
                _ => Err(self.failed("release a message", error)),
            },
        }
    }

    pub(super) async fn dead_letters(
        &self,
        cursor: Option<&str>,
        limit: usize,
    ) -> Result<DeadPage, QueueError> {
        let (items, next) = self.dead_items(cursor, limit).await?;
        let letters = items.iter().map(|item| {
            let Stored { id, body, attempts, sent_at, .. } = self.stored(item)?;
            Ok(DeadLetter { id, body, attempts, sent_at })
        });
        Ok(DeadPage { letters: letters.collect::<Result<_, _>>()?, next })
    }

    pub(super) async fn redrive(&self, id: &str) -> Result<bool, QueueError> {
        let get = self
            .client
            .get_item()
            .table_name(&self.table)
            .set_key(Some(key(&self.dead(), id)))
            .consistent_read(true);
        let got = get.send().await.map_err(|cause| self.failed("read a dead letter", cause))?;
        match got.item {
            Some(item) => self.revive(&self.stored(&item)?).await,
            None => Ok(false),
        }
    }

    /// Letters that die while this runs are left: a message that fails at once must not go round for ever.
    pub(super) async fn redrive_all(&self) -> Result<usize, QueueError> {
        let started = self.clock.now().millis();
        let (mut redriven, mut from) = (0, None);
        for _ in 0..REDRIVE_MAX / DEAD_PAGE_MAX {
            let (items, next) = self.dead_items(from.as_deref(), DEAD_PAGE_MAX).await?;
            for item in
                items.iter().filter(|item| count(item, DIED_AT).is_some_and(|died_at| died_at <= started))
            {
                redriven += usize::from(self.revive(&self.stored(item)?).await?);
            }
            from = next;
            if from.is_none() {
                break;
            }
        }
        Ok(redriven)
    }

    /// Whether this call was the one that sent the letter anew.
    async fn revive(&self, letter: &Stored) -> Result<bool, QueueError> {
        let (_, message) = self.fresh(&letter.body, Duration::ZERO);
        let outcome = self
            .replace("redrive a dead letter", key(&self.dead(), &letter.id), letter.attempts, message)
            .await?;
        Ok(matches!(outcome, Outcome::Done(())))
    }

    async fn dead_items(
        &self,
        cursor: Option<&str>,
        limit: usize,
    ) -> Result<(Vec<Attributes>, Option<String>), QueueError> {
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
        let next = page.last_evaluated_key.as_ref().and_then(|last| read(last, ID));
        Ok((page.items.unwrap_or_default(), next))
    }

    /// Puts one item in another's place, in one transaction, if that one was received as often as we saw.
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
            Err(error) if lost(&error) => Ok(Outcome::Lost),
            Err(error) => Err(self.failed(doing, error)),
        }
    }

    /// A message that was never received, and its id.
    fn fresh(&self, body: &str, delay: Duration) -> (String, Attributes) {
        let now = self.clock.now();
        let id = self.clock.id(now).to_string();
        let mut item = key(&self.name, &id);
        item.insert(BODY.to_owned(), text(body));
        item.insert(ATTEMPTS.to_owned(), number(0));
        item.insert(SENT_AT.to_owned(), number(now.millis()));
        item.insert(WAITING.to_owned(), text(&self.name));
        item.insert(VISIBLE_AT.to_owned(), number(now.millis().saturating_add(millis(delay))));
        (id, item)
    }

    fn stored(&self, item: &Attributes) -> Result<Stored, QueueError> {
        let stored = || {
            Some(Stored {
                id: read(item, ID)?,
                body: read(item, BODY)?,
                attempts: u32::try_from(count(item, ATTEMPTS)?).ok()?,
                sent_at: Time::from_millis(count(item, SENT_AT)?),
                visible_at: count(item, VISIBLE_AT),
            })
        };
        stored().ok_or_else(|| self.malformed())
    }

    fn parse<'a>(&self, receipt: &'a Receipt) -> Result<(&'a str, i64), QueueError> {
        let parts = receipt.0.split_once(':').and_then(|(attempts, id)| Some((id, attempts.parse().ok()?)));
        parts.ok_or_else(|| QueueError::NotAReceipt { queue: self.name.clone() })
    }

    /// What dead letters stand under.
    fn dead(&self) -> String {
        format!("{}-dead", self.name)
    }

    fn malformed(&self) -> QueueError {
        QueueError::Malformed { queue: self.name.clone() }
    }

    fn failed(&self, doing: &'static str, cause: impl Into<aws_sdk_dynamodb::Error>) -> QueueError {
        QueueError::Table { queue: self.name.clone(), doing, cause: Box::new(cause.into()) }
    }
}

/// Whether a transaction failed because somebody else was first, and not because something is wrong.
fn lost<R>(error: &SdkError<TransactWriteItemsError, R>) -> bool {
    let Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) = error.as_service_error()
    else {
        return false;
    };
    let codes = cancelled.cancellation_reasons().iter().filter_map(|reason| reason.code());
    codes.into_iter().any(|code| matches!(code, "ConditionalCheckFailed" | "TransactionConflict"))
}

fn key(queue: &str, id: &str) -> Attributes {
    HashMap::from([(QUEUE.hash.0.to_owned(), text(queue)), (ID.to_owned(), text(id))])
}

fn text(text: &str) -> AttributeValue {
    AttributeValue::S(text.to_owned())
}

fn number(number: i64) -> AttributeValue {
    AttributeValue::N(number.to_string())
}

fn read(item: &Attributes, name: &str) -> Option<String> {
    item.get(name)?.as_s().ok().cloned()
}

fn count(item: &Attributes, name: &str) -> Option<i64> {
    item.get(name)?.as_n().ok()?.parse().ok()
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
