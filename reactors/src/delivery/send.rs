//! Sends one message: takes the lease, sends, records the outcome. After a crash in between, the stream shows
//! which of these steps were done.

use std::time::Duration;

use commands::recording::{self, Recorded};
use infra::{
    Failure, fault,
    messenger::{Mail, SEND_TIMEOUT, SendError, Tags, Text},
};
use schema::{
    StreamId, Time, UserId,
    commit::Author,
    message::{CODE_CHARS_MAX, Channel, MessageId, Skip},
};
use tracing::{error, info, warn};

use super::{
    Command, Deliver,
    admit::{NotAdmitted, admit, give_back},
    compose::{Alternative, Composed},
    erased::is_erased,
    outcome,
};
use crate::wording::Worded;

/// Attempts to record an outcome, and the first pause between them. Together they outlast a short outage and
/// end before the lambda's time limit.
const OUTCOME_TRIES_MAX: u32 = 8;
const OUTCOME_PAUSE_MS: u64 = 50;

/// The code of an attempt that did not begin, because its lease would have ended before the carrier's answer.
const TOO_SLOW: &str = "too-slow";

/// The code of an attempt that did not begin, because the log could not be read for an erasure.
const NOT_CHECKED: &str = "not-checked";

/// A message that is being delivered.
pub(super) struct Delivery {
    pub(super) stream: StreamId,
    pub(super) message: MessageId,
    /// Author of the commits about it.
    pub(super) author: Author,
    /// The stream's last event when the message was composed.
    pub(super) known: u64,
}

/// The exclusive right to send the message until a time.
struct Lease {
    attempt: u32,
    until: Time,
}

/// Sends a message, unless another process does: 1 write unit for the lease and 1 for the outcome, each with
/// 1 for the audit index; to a guest 2 for its counts.
///
/// # Errors
/// The lease could not be taken, or the outcome not be recorded: once the lease has expired, the message is
/// `unknown`.
pub(super) async fn send(deliver: &Deliver, delivery: &Delivery, composed: &Composed) -> Result<(), Failure> {
    fault::point("deliver.start");
    let Some(lease) = start(deliver, delivery, composed).await? else { return Ok(()) };
    fault::point("deliver.started");
    let outcome = attempt(deliver, delivery, composed, &lease).await;
    outcome::count(delivery.message, outcome.as_ref());
    fault::point("deliver.sent");
    let Some(outcome) = outcome else { return Ok(()) };
    record(deliver, delivery, &outcome).await?;
    fault::point("deliver.recorded");
    Ok(())
}

async fn start(
    deliver: &Deliver,
    delivery: &Delivery,
    composed: &Composed,
) -> Result<Option<Lease>, Failure> {
    let Delivery { stream, message, author, known } = delivery;
    let channel = composed.alternatives.first().map_or(Channel::Email, Alternative::channel);
    let start = Command::Start { message: *message, channel };
    let Recorded { entry, appended } =
        recording::record_if(&deliver.backend, *stream, author, &start, *known).await?;
    let entry = entry.filter(|_| appended);
    Ok(entry.and_then(|entry| Some(Lease { attempt: entry.attempt, until: entry.lease_until()? })))
}

/// Tries one alternative after the other and returns the outcome; `None` when it is unknown. The next
/// alternative is tried only when the one before certainly does not go: it was refused for good, or for now
/// in the last attempt.
///
/// Caps come before the process's sending rate, so that an account that may send nothing takes no turn of it.
/// Waiting for a turn takes little of the lease, because only the messages of one batch of the queue wait.
async fn attempt(
    deliver: &Deliver,
    delivery: &Delivery,
    composed: &Composed,
    lease: &Lease,
) -> Option<Command> {
    let (message, attempt) = (delivery.message, lease.attempt);
    let is_last = attempt >= message.kind.attempts_max();
    let mut outcome = Command::Skip { message, attempt: Some(attempt), reason: Skip::NoAddress };
    for alternative in &composed.alternatives {
        outcome = match admit(deliver, composed, alternative).await {
            Ok(counted) => {
                let outcome = transmit(deliver, delivery, composed.account, lease, alternative).await?;
                if let Command::Fail { .. } | Command::Skip { .. } = outcome {
                    give_back(&deliver.backend, counted).await;
                }
                outcome
            }
            Err(NotAdmitted::Skip(reason)) => Command::Skip { message, attempt: Some(attempt), reason },
            Err(NotAdmitted::Failed { code, failure }) => {
                warn!(stream = %delivery.stream, message_id = %message, code, cause = failure.chain(), "message not sent; it will be tried again");
                Command::Fail { message, attempt, code: code.into(), for_now: true }
            }
        };
        match &outcome {
            Command::Skip { .. } | Command::Fail { for_now: false, .. } => {}
            Command::Fail { for_now: true, .. } if is_last => {}
            Command::Fail { .. }
            | Command::Sent { .. }
            | Command::Start { .. }
            | Command::Settle { .. }
            | Command::Bounce { .. } => break,
        }
    }
    Some(outcome)
}

/// Sends a message when this process's sending rate allows it, and returns the outcome; `None` when the
/// outcome is unknown.
async fn transmit(
    deliver: &Deliver,
    delivery: &Delivery,
    account: UserId,
    lease: &Lease,
    alternative: &Alternative,
) -> Option<Command> {
    deliver.messengers.turn().await;
    let (stream, message, attempt) = (delivery.stream, delivery.message, lease.attempt);
    let timeout_ms = i64::try_from(SEND_TIMEOUT.as_millis()).unwrap_or(i64::MAX);
    if deliver.backend.clock.now().plus_millis(timeout_ms) > lease.until {
        return Some(Command::Fail { message, attempt, code: TOO_SLOW.into(), for_now: true });
    }
    match is_erased(&deliver.backend, account, stream, delivery.known).await {
        Ok(false) => {}
        Ok(true) => return Some(Command::Skip { message, attempt: Some(attempt), reason: Skip::Erased }),
        Err(failure) => {
            warn!(%stream, message_id = %message, cause = failure.chain(), "message not sent: could not check for an erasure");
            return Some(Command::Fail { message, attempt, code: NOT_CHECKED.into(), for_now: true });
        }
    }
    let tags = Tags { stream, message: message.to_string(), kind: message.kind.as_str() };
    fault::point("deliver.send");
    let sent = match alternative {
        Alternative::Text { to, text } => {
            deliver.messengers.texter.send(&Text { to: to.clone(), body: text.clone(), tags }).await
        }
        Alternative::Mail { to, words } | Alternative::Owner { to, words } => {
            let Worded { subject, text, html } = words.clone();
            deliver.messengers.mailer.send(&Mail { to: to.clone(), subject, text, html, tags }).await
        }
    };
    match sent {
        Ok(provider_id) => {
            info!(%stream, message_id = %message, provider_id, "message sent");
            Some(Command::Sent { message, attempt, channel: alternative.channel(), provider_id })
        }
        Err(SendError::Refused { code }) => {
            warn!(%stream, message_id = %message, code, "the carrier refused the message");
            Some(Command::Fail { message, attempt, code: cut(&code), for_now: false })
        }
        Err(SendError::Busy { code }) => {
            warn!(%stream, message_id = %message, code, "the carrier refused the message for now; it is tried again while attempts are left");
            Some(Command::Fail { message, attempt, code: cut(&code), for_now: true })
        }
        Err(SendError::Unanswered { source }) => {
            warn!(%stream, message_id = %message, cause = %source, "no answer to a send; the message is unknown until its lease ends");
            None
        }
    }
}

/// Records an outcome, with several attempts: without it the message would be `unknown`.
async fn record(deliver: &Deliver, delivery: &Delivery, outcome: &Command) -> Result<(), Failure> {
    let Delivery { stream, message, author, .. } = delivery;
    let mut tries = 1;
    loop {
        match recording::record(&deliver.backend, *stream, author, outcome).await {
            Ok(_) => return Ok(()),
            Err(failure) if failure.is_passing() && tries < OUTCOME_TRIES_MAX => {
                tokio::time::sleep(Duration::from_millis(OUTCOME_PAUSE_MS << tries)).await;
                tries += 1;
            }
            Err(failure) => {
                error!(%stream, message_id = %message, cause = failure.chain(), "could not record the outcome of a send; the message is unknown");
                return Err(failure);
            }
        }
    }
}

fn cut(code: &str) -> String {
    code.chars().take(CODE_CHARS_MAX).collect()
}
