//! A queue in a table. Its messages are items; the index `visible` holds them in the order in which they
//! become due.
//!
//! Receiving queries the index, which may lag, and takes each message by a conditional update of its item,
//! which does not lag: of two consumers that see the same message, one gets it. A receipt holds the message's
//! id and the number of times it was received, so it is stale once the message is received again. Dead
//! letters are items under the queue's name with `-dead` and are not in the index.

mod dead;
mod item;
mod oldest;

use std::time::Duration;

use aws_sdk_dynamodb::{
    Client,
    operation::{delete_item::DeleteItemError, update_item::UpdateItemError},
    types::{PutRequest, ReturnValue, ReturnValuesOnConditionCheckFailure, Select, WriteRequest},
};
use schema::{Time, table::QUEUE};

use self::item::{
    ATTEMPTS, Attributes, BODY, ID, SENT_AT, Stored, VISIBLE_AT, WAITING, count, key, millis, number, string,
    text,
};
use super::{Message, QueueError, RESENDS_MAX, Receipt, pause_before_resend};
use crate::clock::Clock;

/// How many due messages one query returns: more than one receive takes, because other consumers may take
/// some of them.
const RECEIVE_PAGE: i32 = 25;

/// The most queries of one receive. It returns fewer messages than asked for when the first hundred due
/// messages were taken by other consumers or became dead letters.
const RECEIVE_PAGES_MAX: u32 = 4;

/// DynamoDB's bound on one BatchWriteItem.
const BATCH_PUTS_MAX: usize = 25;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// How long a received message is hidden from other receivers.
    pub visibility: Duration,
    /// How often a message is received before it becomes a dead letter.
    pub attempts_max: u32,
}

/// One of the queues in a table.
#[derive(Clone)]
pub struct TableQueue {
    client: Client,
    table: String,
    name: String,
    policy: Policy,
    clock: Clock,
}

/// The outcome of a conditional change of a message.
enum Outcome<T> {
    Done(T),
    /// Another consumer changed the message first.
    LostRace,
}

/// A page of messages that the index shows as due, the longest due first.
struct DuePage {
    messages: Vec<Due>,
    next: Option<Attributes>,
}

struct Due {
    id: String,
    visible_at: i64,
}

impl TableQueue {
    #[must_use]
    pub fn new(client: Client, table: String, name: &str, policy: Policy, clock: Clock) -> Self {
        Self { client, table, name: name.to_owned(), policy, clock }
    }

    pub(in crate::queue) async fn send(&self, body: &str, delay: Duration) -> Result<String, QueueError> {
        let (id, item) = self.new_message(body, delay);
        let put = self.client.put_item().table_name(&self.table).set_item(Some(item));
        put.send().await.map_err(|cause| self.failed("send", cause))?;
        Ok(id)
    }

    pub(in crate::queue) async fn send_all(
        &self,
        bodies: &[String],
        delay: Duration,
    ) -> Result<(), QueueError> {
        for bodies in bodies.chunks(BATCH_PUTS_MAX) {
            let mut left: Vec<WriteRequest> = Vec::with_capacity(bodies.len());
            for body in bodies {
                let put = PutRequest::builder().set_item(Some(self.new_message(body, delay).1)).build();
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

    pub(in crate::queue) async fn waiting(&self, most: usize) -> Result<usize, QueueError> {
        let (mut waiting, mut from) = (0, None);
        loop {
            let limit = i32::try_from(most - waiting).unwrap_or(i32::MAX);
            let query = self
                .client
                .query()
                .table_name(&self.table)
                .index_name(QUEUE.indexes[0].name)
                .select(Select::Count)
                .limit(limit);
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

    pub(in crate::queue) async fn receive(&self, max: usize) -> Result<Vec<Message>, QueueError> {
        let now = self.clock.now();
        let mut messages = Vec::new();
        let mut from = None;
        for _ in 0..RECEIVE_PAGES_MAX {
            let page = self.due(now, from).await?;
            for due in page.messages {
                if let Outcome::Done(message) = self.take(&due.id, due.visible_at, now).await? {
                    messages.push(message);
                }
                if messages.len() == max {
                    return Ok(messages);
                }
            }
            from = page.next;
            if from.is_none() {
                break;
            }
        }
        Ok(messages)
    }

    async fn due(&self, now: Time, from: Option<Attributes>) -> Result<DuePage, QueueError> {
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
        let due = |item| Some(Due { id: string(item, ID)?, visible_at: count(item, VISIBLE_AT)? });
        let messages = page.items().iter().map(due).collect::<Option<_>>().ok_or_else(|| self.malformed())?;
        Ok(DuePage { messages, next: page.last_evaluated_key })
    }

    /// Takes a message that was due at `seen`, or moves it to the dead letters when it was received too
    /// often.
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
                let Stored { id, body, attempts, sent_at, .. } =
                    self.read(&taken.attributes.unwrap_or_default())?;
                let receipt = Receipt(format!("{attempts}:{id}"));
                Ok(Outcome::Done(Message { id, body, receipt, attempts, sent_at }))
            }
            Err(error) => match error.as_service_error() {
                Some(UpdateItemError::ConditionalCheckFailedException(failed)) => {
                    let stored = failed.item().map(|item| self.read(item)).transpose()?;
                    if let Some(exhausted) = stored.filter(|stored| stored.visible_at == Some(seen)) {
                        self.bury(&exhausted, now).await?;
                    }
                    Ok(Outcome::LostRace)
                }
                Some(UpdateItemError::TransactionConflictException(_)) => Ok(Outcome::LostRace),
                _ => Err(self.failed("take a message", error)),
            },
        }
    }

    pub(in crate::queue) async fn delete(&self, receipt: &Receipt) -> Result<(), QueueError> {
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

    /// Returns the id and the item of a new message.
    pub(super) fn new_message(&self, body: &str, delay: Duration) -> (String, Attributes) {
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

    fn read(&self, item: &Attributes) -> Result<Stored, QueueError> {
        Stored::read(item).ok_or_else(|| self.malformed())
    }

    fn parse<'a>(&self, receipt: &'a Receipt) -> Result<(&'a str, i64), QueueError> {
        let parts = receipt.0.split_once(':').and_then(|(attempts, id)| Some((id, attempts.parse().ok()?)));
        parts.ok_or_else(|| QueueError::NotAReceipt { queue: self.name.clone() })
    }

    fn malformed(&self) -> QueueError {
        QueueError::Malformed { queue: self.name.clone() }
    }

    fn failed(&self, doing: &'static str, cause: impl Into<aws_sdk_dynamodb::Error>) -> QueueError {
        QueueError::Table { queue: self.name.clone(), doing, cause: Box::new(cause.into()) }
    }
}
