//! Durable queues: a message is delivered until its receiver deletes it.
//!
//! SQS queues and queues in a table give the guarantees of an SQS standard queue: at least once, in no order,
//! to one receiver at a time within the visibility time-out. Consumers must tolerate repeats. Bodies refer to
//! streams and never hold personal data.
//!
//! A message received too often becomes a dead letter, which an operator lists and redrives.

mod batch;
mod fair;
mod sqs;
mod table;

use std::time::Duration;

use schema::Time;

pub use self::{
    batch::{MESSAGES_AT_ONCE, each},
    fair::{FairShare, HELD_BACK_MAX_MS},
    sqs::SqsQueue,
    table::{Policy, TableQueue},
};

/// The largest body of a message.
pub const BODY_BYTES_MAX: usize = 256 * 1024;

/// The largest body of a message sent in a batch: ten of them fit into one call.
pub const BATCH_BODY_BYTES_MAX: usize = 25 * 1024;

/// How often the messages that a batch call left unsent are sent again.
const RESENDS_MAX: u32 = 5;
const RESEND_PAUSE_MS: u64 = 25; // doubled before each resend

/// The longest delay between sending a message and its first delivery.
pub const SEND_DELAY_MAX: Duration = Duration::from_secs(15 * 60);

/// The most messages one receive returns.
pub const RECEIVE_MAX: usize = 10;

/// The most dead letters on one page.
pub const DEAD_PAGE_MAX: usize = 100;

/// The most dead letters that one [`Queue::redrive_all`] moves; another call continues.
pub const REDRIVE_MAX: usize = 10_000;

#[derive(Clone)]
pub enum Queue {
    /// Of a function that does not use this queue.
    Unused(&'static str),
    Sqs(SqsQueue),
    Table(TableQueue),
}

/// A received message, hidden from other receivers until it is deleted or the visibility time-out has passed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Stays the same until the message is redriven.
    pub id: String,
    pub body: String,
    pub receipt: Receipt,
    /// How often the message has been received, this time included.
    pub attempts: u32,
    /// By the queue's clock.
    pub sent_at: Time,
}

/// Identifies one receipt of a message. It is stale once the message has been received again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt(pub String);

/// A message that was received too often.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeadLetter {
    pub id: String,
    pub body: String,
    /// How often the message was received. SQS counts each listing of dead letters as well.
    pub attempts: u32,
    pub sent_at: Time,
    /// The time at which it became a dead letter. SQS does not tell it.
    pub died_at: Option<Time>,
}

/// A message that was not received, or a dead letter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    pub body: String,
    pub sent_at: Time,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeadPage {
    pub letters: Vec<DeadLetter>,
    /// The cursor of the next page; `None` on the last page.
    pub next: Option<String>,
}

/// A bounded reading of a queue's dead letters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeadReading {
    pub letters: Vec<DeadLetter>,
    /// Whether these are all. In SQS, dead letters that were listed in the last ten seconds are hidden.
    pub is_complete: bool,
}

#[derive(Debug, thiserror::Error)]
pub enum QueueError {
    #[error("a body of {bytes} bytes; a body has 1 to {max} bytes")]
    Body { bytes: usize, max: usize },
    #[error("a delay of {}; the longest is {}", humantime::format_duration(*delay), humantime::format_duration(*max))]
    Delay { delay: Duration, max: Duration },
    #[error("queue {queue}: the process has no settings of this queue; see infra::function")]
    Unused { queue: &'static str },
    #[error(
        "queue {queue}: set the URL of its dead-letter queue as well, in the variable that ends in _DEAD_URL"
    )]
    NoDeadLetters { queue: String },
    #[error("queue {queue}: the receipt is not one of this queue")]
    NotAReceipt { queue: String },
    #[error("queue {queue}: a stored message is malformed")]
    Malformed { queue: String },
    #[error("queue {queue}: {doing}")]
    Table {
        queue: String,
        doing: &'static str,
        #[source]
        cause: Box<aws_sdk_dynamodb::Error>,
    },
    #[error("queue {queue}: {left} messages are unsent after {RESENDS_MAX} resends")]
    Unsent { queue: String, left: usize },
    #[error("queue {queue}: {doing}")]
    Sqs {
        queue: String,
        doing: &'static str,
        #[source]
        cause: Box<aws_sdk_sqs::Error>,
    },
}

impl Queue {
    /// Sends a message that becomes due after `delay`. Returns its id.
    ///
    /// # Errors
    /// The body or the delay is out of bounds, or the queue did not answer.
    pub async fn send(&self, body: &str, delay: Duration) -> Result<String, QueueError> {
        check_body(body, BODY_BYTES_MAX)?;
        check_delay(delay)?;
        match self {
            Self::Unused(queue) => Err(QueueError::Unused { queue }),
            Self::Sqs(queue) => queue.send(body, delay).await,
            Self::Table(queue) => queue.send(body, delay).await,
        }
    }

    /// Sends many messages that become due after `delay`, in batch calls.
    ///
    /// # Errors
    /// As [`Queue::send`]; some of the messages may have been sent.
    pub async fn send_all(&self, bodies: &[String], delay: Duration) -> Result<(), QueueError> {
        bodies.iter().try_for_each(|body| check_body(body, BATCH_BODY_BYTES_MAX))?;
        check_delay(delay)?;
        match self {
            Self::Unused(queue) => Err(QueueError::Unused { queue }),
            Self::Sqs(queue) => queue.send_all(bodies, delay).await,
            Self::Table(queue) => queue.send_all(bodies, delay).await,
        }
    }

    /// Counts the messages that are due, delayed or being handled, up to `most`. SQS returns an
    /// approximation.
    ///
    /// # Errors
    /// The queue did not answer.
    pub async fn waiting(&self, most: usize) -> Result<usize, QueueError> {
        match self {
            Self::Unused(queue) => Err(QueueError::Unused { queue }),
            Self::Sqs(queue) => queue.waiting(most).await,
            Self::Table(queue) => queue.waiting(most).await,
        }
    }

    /// Receives up to `max` due messages (ten at most) and hides them from other receivers for the visibility
    /// time-out.
    ///
    /// # Errors
    /// The queue did not answer. Messages already taken become due again after the visibility time-out.
    pub async fn receive(&self, max: usize) -> Result<Vec<Message>, QueueError> {
        let max = max.clamp(1, RECEIVE_MAX);
        match self {
            Self::Unused(queue) => Err(QueueError::Unused { queue }),
            Self::Sqs(queue) => queue.receive(max).await,
            Self::Table(queue) => queue.receive(max).await,
        }
    }

    /// Deletes a handled message. A stale receipt has no effect, because the message has a new receiver.
    ///
    /// # Errors
    /// The queue did not answer, or the receipt is malformed.
    pub async fn delete(&self, receipt: &Receipt) -> Result<(), QueueError> {
        match self {
            Self::Unused(queue) => Err(QueueError::Unused { queue }),
            Self::Sqs(queue) => queue.delete(receipt).await,
            Self::Table(queue) => queue.delete(receipt).await,
        }
    }

    /// Returns a page of up to `limit` dead letters (a hundred at most), continuing at `cursor`.
    ///
    /// SQS lists dead letters by receiving them, which hides them for some seconds.
    ///
    /// # Errors
    /// The queue did not answer.
    pub async fn dead_letters(&self, cursor: Option<&str>, limit: usize) -> Result<DeadPage, QueueError> {
        let limit = limit.clamp(1, DEAD_PAGE_MAX);
        match self {
            Self::Unused(queue) => Err(QueueError::Unused { queue }),
            Self::Sqs(queue) => queue.dead_letters(limit).await,
            Self::Table(queue) => queue.dead_letters(cursor, limit).await,
        }
    }

    /// Reads up to `most` dead letters, and tells whether these are all.
    ///
    /// # Errors
    /// The queue did not answer.
    pub async fn read_dead(&self, most: usize) -> Result<DeadReading, QueueError> {
        let (mut letters, mut cursor) = (Vec::new(), None);
        while letters.len() < most {
            let page = self.dead_letters(cursor.as_deref(), most - letters.len()).await?;
            letters.extend(page.letters);
            cursor = page.next;
            if cursor.is_none() {
                break;
            }
        }
        let is_complete = match self {
            Self::Sqs(queue) => queue.count_dead().await? <= letters.len(),
            Self::Unused(_) | Self::Table(_) => cursor.is_none(),
        };
        Ok(DeadReading { letters, is_complete })
    }

    /// Reads up to `most` messages, the oldest first, and leaves them in the queue. SQS tells none.
    ///
    /// # Errors
    /// The queue did not answer.
    pub async fn oldest(&self, most: usize) -> Result<Vec<Waiting>, QueueError> {
        let Self::Table(queue) = self else { return Ok(Vec::new()) };
        queue.oldest(most).await
    }

    /// Like [`Queue::oldest`], of dead letters.
    ///
    /// # Errors
    /// The queue did not answer.
    pub async fn oldest_dead(&self, most: usize) -> Result<Vec<Waiting>, QueueError> {
        let Self::Table(queue) = self else { return Ok(Vec::new()) };
        queue.oldest_dead(most).await
    }

    /// Sends a dead letter again as a new message with a new id. Returns false if there is no such dead
    /// letter.
    ///
    /// # Errors
    /// The queue did not answer.
    pub async fn redrive(&self, id: &str) -> Result<bool, QueueError> {
        match self {
            Self::Unused(queue) => Err(QueueError::Unused { queue }),
            Self::Sqs(queue) => queue.redrive(id).await,
            Self::Table(queue) => queue.redrive(id).await,
        }
    }

    /// Redrives all dead letters, up to [`REDRIVE_MAX`]. Returns their number.
    ///
    /// # Errors
    /// The queue did not answer; some dead letters may have been redriven.
    pub async fn redrive_all(&self) -> Result<usize, QueueError> {
        match self {
            Self::Unused(queue) => Err(QueueError::Unused { queue }),
            Self::Sqs(queue) => queue.redrive_all().await,
            Self::Table(queue) => queue.redrive_all().await,
        }
    }
}

async fn pause_before_resend(resend: u32) {
    if resend > 0 {
        tokio::time::sleep(Duration::from_millis(RESEND_PAUSE_MS << resend)).await;
    }
}

fn check_body(body: &str, max: usize) -> Result<(), QueueError> {
    if (1..=max).contains(&body.len()) { Ok(()) } else { Err(QueueError::Body { bytes: body.len(), max }) }
}

fn check_delay(delay: Duration) -> Result<(), QueueError> {
    if delay <= SEND_DELAY_MAX { Ok(()) } else { Err(QueueError::Delay { delay, max: SEND_DELAY_MAX }) }
}
