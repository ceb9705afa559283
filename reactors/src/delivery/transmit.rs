//! Hands a message to the carrier, once.

use infra::{
    fault,
    messenger::{Mail, SEND_TIMEOUT, SendError, Tags, Text},
};
use schema::{
    UserId,
    message::{CODE_CHARS_MAX, Skip},
};
use tracing::{info, warn};

use super::{
    Command, Deliver,
    compose::Alternative,
    erased::is_erased,
    send::{Delivery, Lease},
};
use crate::wording::Worded;

/// The code of an attempt that did not begin, because its lease would have ended before the carrier's answer.
const TOO_SLOW: &str = "too-slow";

/// The code of an attempt that did not begin, because the log could not be read for an erasure.
const NOT_CHECKED: &str = "not-checked";

/// Sends a message when this process's sending rate allows it, and returns the outcome; `None` when the outcome is unknown.
pub(super) async fn transmit(
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
            warn!(%stream, %message, cause = failure.chain(), "message not sent: could not check for an erasure");
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
            info!(%stream, %message, provider_id, "message sent");
            Some(Command::Sent { message, attempt, channel: alternative.channel(), provider_id })
        }
        Err(SendError::Refused { code }) => {
            warn!(%stream, %message, code, "the carrier refused the message");
            Some(Command::Fail { message, attempt, code: cut(&code), for_now: false })
        }
        Err(SendError::Busy { code }) => {
            warn!(%stream, %message, code, "the carrier refused the message for now; it will be tried again");
            Some(Command::Fail { message, attempt, code: cut(&code), for_now: true })
        }
        Err(SendError::Unanswered { source }) => {
            warn!(%stream, %message, cause = %source, "no answer to a send; the message is unknown until its lease ends");
            None
        }
    }
}

fn cut(code: &str) -> String {
    code.chars().take(CODE_CHARS_MAX).collect()
}
