//! A queue in SQS. Its visibility time-out and redrive policy are settings of the SQS queue.

use std::time::Duration;

use aws_sdk_sqs::{
    Client,
    config::Builder,
    operation::delete_message::DeleteMessageError,
    types::{
        Message as Received, MessageSystemAttributeName as Attribute, QueueAttributeName,
        SendMessageBatchRequestEntry,
    },
};
use schema::Time;

use super::{
    DeadLetter, DeadPage, Message, QueueError, RECEIVE_MAX, REDRIVE_MAX, RESENDS_MAX, Receipt,
    pause_before_resend,
};
use crate::aws::timeouts;

/// Long polling: SQS asks all of its servers instead of a sample.
const RECEIVE_WAIT_S: i32 = 1;

/// The visibility time-out of a listed dead letter, so that the next receive returns others.
const DEAD_HIDDEN_S: i32 = 10;

/// Longer than [`DEAD_HIDDEN_S`], so that a dead letter that was just listed is still found.
const DEAD_WAIT_S: i32 = 12;

/// How many receives one redrive makes to find its dead letter.
const DEAD_RECEIVES_MAX: usize = REDRIVE_MAX / RECEIVE_MAX;

/// An SQS queue and its dead-letter queue.
#[derive(Clone)]
pub struct SqsQueue {
    client: Client,
    url: String,
    dead_url: Option<String>,
}

impl SqsQueue {
    /// `dead_url` is the queue named by the redrive policy of the queue at `url`. Only dead letters need it.
    #[must_use]
    pub fn new(client: Client, url: String, dead_url: Option<String>) -> Self {
        Self { client, url, dead_url }
    }

    fn dead_url(&self) -> Result<&str, QueueError> {
        self.dead_url.as_deref().ok_or_else(|| QueueError::NoDeadLetters { queue: self.url.clone() })
    }

    pub(super) async fn send(&self, body: &str, delay: Duration) -> Result<String, QueueError> {
        let call =
            self.client.send_message().queue_url(&self.url).message_body(body).delay_seconds(seconds(delay));
        let sent = call.send().await.map_err(|cause| self.failed("send", cause))?;
        sent.message_id.ok_or_else(|| self.malformed())
    }

    pub(super) async fn send_all(&self, bodies: &[String], delay: Duration) -> Result<(), QueueError> {
        for bodies in bodies.chunks(RECEIVE_MAX) {
            let mut left: Vec<usize> = (0..bodies.len()).collect();
            for resend in 0..=RESENDS_MAX {
                pause_before_resend(resend).await;
                let mut call = self.client.send_message_batch().queue_url(&self.url);
                for place in &left {
                    let entry = SendMessageBatchRequestEntry::builder()
                        .id(place.to_string())
                        .message_body(&bodies[*place]);
                    call = call
                        .entries(entry.delay_seconds(seconds(delay)).build().map_err(|_| self.malformed())?);
                }
                let sent = call.send().await.map_err(|cause| self.failed("send messages", cause))?;
                left = sent.failed.iter().filter_map(|failed| failed.id.parse().ok()).collect();
                if left.is_empty() {
                    break;
                }
            }
            if !left.is_empty() {
                return Err(QueueError::Unsent { queue: self.url.clone(), left: left.len() });
            }
        }
        Ok(())
    }

    pub(super) async fn waiting(&self, most: usize) -> Result<usize, QueueError> {
        Ok(self.count(&self.url).await?.min(most))
    }

    /// The number of dead letters, hidden ones included.
    pub(super) async fn count_dead(&self) -> Result<usize, QueueError> {
        self.count(self.dead_url()?).await
    }

    async fn count(&self, url: &str) -> Result<usize, QueueError> {
        let counts = [
            QueueAttributeName::ApproximateNumberOfMessages,
            QueueAttributeName::ApproximateNumberOfMessagesDelayed,
            QueueAttributeName::ApproximateNumberOfMessagesNotVisible,
        ];
        let asked = self
            .client
            .get_queue_attributes()
            .queue_url(url)
            .set_attribute_names(Some(counts.to_vec()))
            .send()
            .await;
        let told =
            asked.map_err(|cause| self.failed("count messages", cause))?.attributes.unwrap_or_default();
        Ok(counts.iter().filter_map(|count| told.get(count)?.parse::<usize>().ok()).sum())
    }

    pub(super) async fn receive(&self, max: usize) -> Result<Vec<Message>, QueueError> {
        let call = self.client.receive_message().queue_url(&self.url).wait_time_seconds(RECEIVE_WAIT_S);
        let call = call.max_number_of_messages(i32::try_from(max).unwrap_or(1));
        let call = call.message_system_attribute_names(Attribute::ApproximateReceiveCount);
        let call = call.message_system_attribute_names(Attribute::SentTimestamp);
        let received = call.customize().config_override(long_polling(RECEIVE_WAIT_S)).send().await;
        let received = received.map_err(|cause| self.failed("receive", cause))?.messages.unwrap_or_default();
        let messages = received.into_iter().map(|message| {
            let attempts = attribute(&message, &Attribute::ApproximateReceiveCount)?;
            let sent_at = attribute(&message, &Attribute::SentTimestamp).map(Time::from_millis)?;
            let Received { message_id, body, receipt_handle, .. } = message;
            Some(Message {
                id: message_id?,
                body: body?,
                receipt: Receipt(receipt_handle?),
                attempts,
                sent_at,
            })
        });
        messages.collect::<Option<_>>().ok_or_else(|| self.malformed())
    }

    pub(super) async fn delete(&self, receipt: &Receipt) -> Result<(), QueueError> {
        self.delete_from(&self.url, &receipt.0).await
    }

    async fn delete_from(&self, url: &str, receipt: &str) -> Result<(), QueueError> {
        match self.client.delete_message().queue_url(url).receipt_handle(receipt).send().await {
            Ok(_) => Ok(()),
            Err(error) => match error.as_service_error() {
                Some(DeleteMessageError::ReceiptHandleIsInvalid(_)) => Ok(()), // stale
                _ => Err(self.failed("delete a message", error)),
            },
        }
    }

    pub(super) async fn dead_letters(&self, limit: usize) -> Result<DeadPage, QueueError> {
        let mut letters = Vec::new();
        while letters.len() < limit {
            let batch = self.receive_dead(RECEIVE_WAIT_S, limit - letters.len()).await?;
            if batch.is_empty() {
                return Ok(DeadPage { letters, next: None });
            }
            for letter in batch {
                let attempts = attribute(&letter, &Attribute::ApproximateReceiveCount);
                let sent_at = attribute(&letter, &Attribute::SentTimestamp).map(Time::from_millis);
                let (Some(attempts), Some(sent_at), Some(id), Some(body)) =
                    (attempts, sent_at, letter.message_id, letter.body)
                else {
                    return Err(self.malformed());
                };
                letters.push(DeadLetter { id, body, attempts, sent_at, died_at: None });
            }
        }
        Ok(DeadPage { letters, next: Some("more".to_owned()) }) // SQS has no cursor; listed letters stay hidden
    }

    pub(super) async fn redrive(&self, id: &str) -> Result<bool, QueueError> {
        let mut first_seen = None;
        for _ in 0..DEAD_RECEIVES_MAX {
            let batch = self.receive_dead(DEAD_WAIT_S, RECEIVE_MAX).await?;
            for letter in &batch {
                if letter.message_id() == Some(id) {
                    return self.resend(letter).await.map(|()| true);
                }
                if first_seen.is_some() && first_seen.as_deref() == letter.message_id() {
                    return Ok(false); // all were seen
                }
                first_seen = first_seen.or_else(|| letter.message_id().map(str::to_owned));
            }
            if batch.is_empty() {
                break;
            }
        }
        Ok(false)
    }

    pub(super) async fn redrive_all(&self) -> Result<usize, QueueError> {
        let mut redriven = 0;
        while redriven < REDRIVE_MAX {
            let batch = self.receive_dead(RECEIVE_WAIT_S, RECEIVE_MAX).await?;
            if batch.is_empty() {
                break;
            }
            for letter in &batch {
                self.resend(letter).await?;
                redriven += 1;
            }
        }
        Ok(redriven)
    }

    /// Receives from the dead-letter queue, waiting up to `wait_s` while it is empty.
    async fn receive_dead(&self, wait_s: i32, max: usize) -> Result<Vec<Received>, QueueError> {
        let call = self.client.receive_message().queue_url(self.dead_url()?).wait_time_seconds(wait_s);
        let call = call
            .max_number_of_messages(i32::try_from(max.min(RECEIVE_MAX)).unwrap_or(1))
            .visibility_timeout(DEAD_HIDDEN_S);
        let call = call.message_system_attribute_names(Attribute::ApproximateReceiveCount);
        let call = call.message_system_attribute_names(Attribute::SentTimestamp);
        let seen = call.customize().config_override(long_polling(wait_s)).send().await;
        Ok(seen.map_err(|cause| self.failed("receive dead letters", cause))?.messages.unwrap_or_default())
    }

    /// Sends the letter before deleting it, so that a crash in between may repeat but never lose it.
    async fn resend(&self, letter: &Received) -> Result<(), QueueError> {
        let (Some(body), Some(receipt)) = (letter.body(), letter.receipt_handle()) else {
            return Err(self.malformed());
        };
        self.send(body, Duration::ZERO).await?;
        self.delete_from(self.dead_url()?, receipt).await
    }

    fn malformed(&self) -> QueueError {
        QueueError::Malformed { queue: self.url.clone() }
    }

    fn failed(&self, doing: &'static str, cause: impl Into<aws_sdk_sqs::Error>) -> QueueError {
        QueueError::Sqs { queue: self.url.clone(), doing, cause: Box::new(cause.into()) }
    }
}

/// Time-outs for long polling, which the usual time-outs would end too early.
fn long_polling(wait_s: i32) -> Builder {
    Builder::new().timeout_config(timeouts(Duration::from_secs(wait_s.unsigned_abs().into())))
}

/// Rounds up to whole seconds, the unit of SQS, so that a message is never due too early.
fn seconds(delay: Duration) -> i32 {
    let whole = delay.as_secs() + u64::from(delay.subsec_nanos() > 0);
    i32::try_from(whole).unwrap_or(i32::MAX)
}

fn attribute<T: std::str::FromStr>(message: &Received, name: &Attribute) -> Option<T> {
    message.attributes()?.get(name)?.parse().ok()
}
