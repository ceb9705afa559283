//! Durable queues: what is sent is received until somebody says it is done.
//!
//! Both kinds keep the promises of an SQS standard queue, and no more: at least once, in no order, one holder at a time while
//! the holder keeps within the visibility time-out. Consumers must bear repeats. Bodies name things; personal data does not
//! travel in them.
//!
//! A message received too often goes to the queue's dead letters, where it waits for a person.

mod batch;
mod sqs;
mod table;

use std::time::Duration;

use schema::Time;

pub use self::{
    batch::each,
    sqs::SqsQueue,
    table::{Policy, TableQueue},
};

/// The most a body may weigh.
pub const BODY_BYTES_MAX: usize = 256 * 1024;

/// The most a body may weigh that is sent with others: ten of them fit into one call.
pub const BATCH_BODY_BYTES_MAX: usize = 25 * 1024;

/// How often what a call left unsent is sent again, and how long to wait in between, in milliseconds.
const RESENDS_MAX: u32 = 5;
const RESEND_PAUSE_MS: u64 = 25;

/// The longest a message may be held back when it is sent.
pub const SEND_DELAY_MAX: Duration = Duration::from_secs(15 * 60);

/// The longest a received message may be put off.
pub const RELEASE_DELAY_MAX: Duration = Duration::from_secs(12 * 60 * 60);

/// The most messages one receive gives.
pub const RECEIVE_MAX: usize = 10;

/// The most dead letters one page shows.
pub const DEAD_PAGE_MAX: usize = 100;

/// The most dead letters one `redrive_all` moves; calling it again goes on.
pub const REDRIVE_MAX: usize = 10_000;

/// A queue.
#[derive(Clone)]
pub enum Queue {
    /// SQS's.
    Sqs(SqsQueue),
    /// One in a table.
    Table(TableQueue),
}

/// A message, held until it is deleted, released, or the visibility time-out has passed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Its id: the same whenever it is received, until it is redriven.
    pub id: String,
    /// What was sent.
    pub body: String,
    /// The right to delete or release it.
    pub receipt: Receipt,
    /// How often it has been received, this time included.
    pub attempts: u32,
}

/// Names one receiving of one message. It means nothing any more once the message has been received anew.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt(pub String);

/// A message that was received too often.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeadLetter {
    /// Its id, to redrive it by.
    pub id: String,
    /// What was sent.
    pub body: String,
    /// How often it was received; SQS counts being listed, too.
    pub attempts: u32,
    /// When it was sent.
    pub sent_at: Time,
}

/// Some dead letters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeadPage {
    /// Them.
    pub letters: Vec<DeadLetter>,
    /// Where the next page starts; `None` on the last.
    pub next: Option<String>,
}

/// Why a queue did not do as it was told.
#[derive(Debug, thiserror::Error)]
pub enum QueueError {
    /// The body is empty or too large.
    #[error("a message of {bytes} bytes: bodies have 1 to {BODY_BYTES_MAX}")]
    Body {
        /// How large.
        bytes: usize,
    },
    /// The delay is too long.
    #[error("a delay of {} s: at most {} s", delay.as_secs(), max.as_secs())]
    Delay {
        /// What was asked for.
        delay: Duration,
        /// What there is.
        max: Duration,
    },
    /// The text is no receipt of this queue.
    #[error("queue {queue}: no receipt of this queue")]
    NotAReceipt {
        /// The queue.
        queue: String,
    },
    /// A stored message lacks what every message has.
    #[error("queue {queue}: a message is malformed")]
    Malformed {
        /// The queue.
        queue: String,
    },
    /// The table did not answer, or refused.
    #[error("queue {queue}: {doing}")]
    Table {
        /// The queue.
        queue: String,
        /// What was tried.
        doing: &'static str,
        /// What the table says.
        #[source]
        cause: Box<aws_sdk_dynamodb::Error>,
    },
    /// The queue keeps leaving messages unsent.
    #[error("queue {queue}: {left} messages are still unsent")]
    Unsent {
        /// The queue.
        queue: String,
        /// How many.
        left: usize,
    },
    /// SQS did not answer, or refused.
    #[error("queue {queue}: {doing}")]
    Sqs {
        /// The queue.
        queue: String,
        /// What was tried.
        doing: &'static str,
        /// What SQS says.
        #[source]
        cause: Box<aws_sdk_sqs::Error>,
    },
}

impl Queue {
    /// Sends a message, to be received once `delay` has passed. Its id.
    ///
    /// # Errors
    /// The body or delay is out of bounds, or the queue did not answer.
    pub async fn send(&self, body: &str, delay: Duration) -> Result<String, QueueError> {
        if body.is_empty() || body.len() > BODY_BYTES_MAX {
            return Err(QueueError::Body { bytes: body.len() });
        }
        within(delay, SEND_DELAY_MAX)?;
        match self {
            Self::Sqs(queue) => queue.send(body, delay).await,
            Self::Table(queue) => queue.send(body, delay).await,
        }
    }

    /// Sends many messages, to be received once `delay` has passed: as many to a call as the queue takes.
    ///
    /// # Errors
    /// As [`Queue::send`]: the queue may hold some of them.
    pub async fn send_all(&self, bodies: &[String], delay: Duration) -> Result<(), QueueError> {
        if let Some(body) = bodies.iter().find(|body| body.is_empty() || body.len() > BATCH_BODY_BYTES_MAX) {
            return Err(QueueError::Body { bytes: body.len() });
        }
        within(delay, SEND_DELAY_MAX)?;
        match self {
            Self::Sqs(queue) => queue.send_all(bodies, delay).await,
            Self::Table(queue) => queue.send_all(bodies, delay).await,
        }
    }

    /// About how many messages are waiting or held, counted up to `most`.
    ///
    /// # Errors
    /// The queue did not answer.
    pub async fn waiting(&self, most: usize) -> Result<usize, QueueError> {
        match self {
            Self::Sqs(queue) => queue.waiting(most).await,
            Self::Table(queue) => queue.waiting(most).await,
        }
    }

    /// Takes up to `max` messages that are due (ten at most), hiding them from everyone else for the visibility time-out.
    ///
    /// # Errors
    /// The queue did not answer. What was taken until then comes back after the visibility time-out.
    pub async fn receive(&self, max: usize) -> Result<Vec<Message>, QueueError> {
        let max = max.clamp(1, RECEIVE_MAX);
        match self {
            Self::Sqs(queue) => queue.receive(max).await,
            Self::Table(queue) => queue.receive(max).await,
        }
    }

    /// The message is done. A stale receipt does nothing: whoever received the message since decides.
    ///
    /// # Errors
    /// The queue did not answer, or the text is no receipt of this queue.
    pub async fn delete(&self, receipt: &Receipt) -> Result<(), QueueError> {
        match self {
            Self::Sqs(queue) => queue.delete(receipt).await,
            Self::Table(queue) => queue.delete(receipt).await,
        }
    }

    /// The message is not done: it is due again once `delay` has passed. A stale receipt does nothing.
    ///
    /// # Errors
    /// The delay is out of bounds, the queue did not answer, or the text is no receipt of this queue.
    pub async fn release(&self, receipt: &Receipt, delay: Duration) -> Result<(), QueueError> {
        within(delay, RELEASE_DELAY_MAX)?;
        match self {
            Self::Sqs(queue) => queue.release(receipt, delay).await,
            Self::Table(queue) => queue.release(receipt, delay).await,
        }
    }

    /// Dead letters, up to `limit` (a hundred at most), from where the page before ended.
    ///
    /// SQS lists by receiving: letters it has shown hide for some seconds.
    ///
    /// # Errors
    /// The queue did not answer.
    pub async fn dead_letters(&self, cursor: Option<&str>, limit: usize) -> Result<DeadPage, QueueError> {
        let limit = limit.clamp(1, DEAD_PAGE_MAX);
        match self {
            Self::Sqs(queue) => queue.dead_letters(limit).await,
            Self::Table(queue) => queue.dead_letters(cursor, limit).await,
        }
    }

    /// Sends a dead letter anew, as a message that was never received, with an id of its own. Whether there was such a letter.
    ///
    /// # Errors
    /// The queue did not answer.
    pub async fn redrive(&self, id: &str) -> Result<bool, QueueError> {
        match self {
            Self::Sqs(queue) => queue.redrive(id).await,
            Self::Table(queue) => queue.redrive(id).await,
        }
    }

    /// Redrives every dead letter there is, up to `REDRIVE_MAX`. How many.
    ///
    /// # Errors
    /// The queue did not answer; some may have been redriven.
    pub async fn redrive_all(&self) -> Result<usize, QueueError> {
        match self {
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

fn within(delay: Duration, max: Duration) -> Result<(), QueueError> {
    if delay <= max { Ok(()) } else { Err(QueueError::Delay { delay, max }) }
}
