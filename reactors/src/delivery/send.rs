//! Sends one message: lease, send, outcome. Whatever dies in between, the ledger says how far it came.

use std::time::Duration;

use commands::delivery::{self, Command};
use infra::{
    Failure, fault,
    messenger::{Mail, SEND_TIMEOUT, SendError, Tags, Text},
};
use schema::{
    StreamId, Time, UserId,
    commit::Author,
    message::{CODE_CHARS_MAX, Channel, MessageId, Skip},
    value::{Email, Phone},
};
use tracing::{error, info, warn};

use super::Deliver;
use crate::wording::Worded;

/// How often an outcome is tried to be recorded, and how long to wait in between, in milliseconds. Together this outlasts what
/// passes, and ends before the lambda does.
const OUTCOME_TRIES_MAX: u32 = 8;
const OUTCOME_PAUSE_MS: u64 = 50;

/// What says that a message was not sent for a fault of our own.
const NOT_COUNTED: &str = "not-counted";
const TOO_SLOW: &str = "too-slow";

/// How a message goes.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum Way {
    /// As a text; as a mail when its number may get no more.
    Text { phone: Phone, else_mail: Option<Email> },
    /// As a mail to a guest.
    Mail(Email),
    /// As a mail to the account's owner, who asked for it: that was counted then.
    Owner(Email),
}

/// Which message it is, and in whose name what becomes of it is recorded.
pub(super) struct Matter {
    pub(super) stream: StreamId,
    pub(super) message: MessageId,
    pub(super) author: Author,
}

/// A message that is ready to go.
pub(super) struct Letter {
    pub(super) way: Way,
    /// Whose messages are counted, and how many texts a day somebody allowed that account.
    pub(super) account: UserId,
    pub(super) texts_per_day: Option<u32>,
    pub(super) text: String,
    pub(super) mail: Worded,
}

/// A message that this process has to itself.
struct Lease {
    attempt: u32,
    until: Time,
}

/// Sends a message unless somebody else does: 1 write unit for the lease and 1 for the outcome, each with 1 for the audit index;
/// to a guest 2 for its counts.
///
/// # Errors
/// The lease could not be had, or the outcome not be recorded: when the lease has run out, nobody knows whether it was sent.
pub(super) async fn send(deliver: &Deliver, matter: &Matter, letter: &Letter) -> Result<(), Failure> {
    deliver.messengers.turn().await; // before the lease, whose time is for sending
    fault::point("deliver.start");
    let Some(lease) = start(deliver, matter, &letter.way).await? else { return Ok(()) };
    fault::point("deliver.started");
    let (message, attempt) = (matter.message, lease.attempt);
    let outcome = match carrier(deliver, letter).await {
        Ok(Ok(carrier)) => try_send(deliver, matter, letter, &lease, carrier).await,
        Ok(Err(reason)) => Some(Command::Skip { message, attempt: Some(attempt), reason }),
        Err(failure) => {
            warn!(stream = %matter.stream, letter = %message, cause = failure.chain(), "a message was not counted, and so not sent");
            Some(Command::Fail { message, attempt, code: NOT_COUNTED.into(), for_now: true })
        }
    };
    fault::point("deliver.sent");
    let Some(outcome) = outcome else { return Ok(()) };
    record(deliver, matter, &outcome).await?;
    fault::point("deliver.recorded");
    Ok(())
}

async fn start(deliver: &Deliver, matter: &Matter, way: &Way) -> Result<Option<Lease>, Failure> {
    let channel = match way {
        Way::Text { .. } => Channel::Sms,
        Way::Mail(_) | Way::Owner(_) => Channel::Email,
    };
    let start = Command::Start { message: matter.message, channel };
    let (entry, appended) = delivery::record(&deliver.backend, matter.stream, &matter.author, &start).await?;
    let entry = entry.filter(|_| appended);
    Ok(entry.and_then(|entry| Some(Lease { attempt: entry.attempt, until: entry.lease_until()? })))
}

/// By which a message is sent in the end.
enum Carrier<'l> {
    Text(&'l Phone),
    Mail(&'l Email),
}

/// What goes to guests is counted once it is about to be sent, so that a crash sends too few rather than too many.
async fn carrier<'l>(deliver: &Deliver, letter: &'l Letter) -> Result<Result<Carrier<'l>, Skip>, Failure> {
    let limits = &deliver.backend.limits;
    let (text, mail) = match &letter.way {
        Way::Owner(email) => return Ok(Ok(Carrier::Mail(email))),
        Way::Mail(email) => (None, Some(email)),
        Way::Text { phone, else_mail } => (Some(phone), else_mail.as_ref()),
    };
    let mut reason = Skip::NoAddress;
    if let Some(phone) = text {
        if !limits.count_text_to(phone).await? {
            reason = Skip::RecipientCap;
        } else if !limits.count_text(letter.account, letter.texts_per_day).await? {
            reason = Skip::AccountCap;
        } else {
            return Ok(Ok(Carrier::Text(phone)));
        }
    }
    let Some(email) = mail else { return Ok(Err(reason)) };
    if !limits.count_guest_mail_to(email).await? {
        Ok(Err(Skip::RecipientCap))
    } else if !limits.count_guest_mail(letter.account).await? {
        Ok(Err(Skip::AccountCap))
    } else {
        Ok(Ok(Carrier::Mail(email)))
    }
}

/// What came of it; nothing when nobody knows.
async fn try_send(deliver: &Deliver, matter: &Matter, letter: &Letter, lease: &Lease, carrier: Carrier<'_>) -> Option<Command> {
    let (stream, message, attempt) = (matter.stream, matter.message, lease.attempt);
    let timeout_ms = i64::try_from(SEND_TIMEOUT.as_millis()).unwrap_or(i64::MAX);
    if deliver.backend.clock.now().plus_millis(timeout_ms) > lease.until {
        return Some(Command::Fail { message, attempt, code: TOO_SLOW.into(), for_now: true });
    }
    let tags = Tags { stream, message: message.to_string(), kind: message.kind.as_str() };
    fault::point("deliver.send");
    let (channel, sent) = match carrier {
        Carrier::Text(phone) => {
            let text = Text { to: phone.clone(), body: letter.text.clone(), tags };
            (Channel::Sms, deliver.messengers.texter.send(&text).await)
        }
        Carrier::Mail(email) => {
            let Worded { subject, text, html } = letter.mail.clone();
            let mail = Mail { to: email.clone(), subject, text, html, tags };
            (Channel::Email, deliver.messengers.mailer.send(&mail).await)
        }
    };
    match sent {
        Ok(provider_id) => {
            info!(%stream, letter = %message, provider_id, "sent");
            Some(Command::Sent { message, attempt, channel, provider_id })
        }
        Err(SendError::Refused { code }) => {
            warn!(%stream, letter = %message, code, "turned away");
            Some(Command::Fail { message, attempt, code: cut(&code), for_now: false })
        }
        Err(SendError::Busy { code }) => {
            warn!(%stream, letter = %message, code, "turned away for now");
            Some(Command::Fail { message, attempt, code: cut(&code), for_now: true })
        }
        Err(SendError::Unanswered { source }) => {
            warn!(%stream, letter = %message, cause = %source, "nobody knows whether it was sent");
            None
        }
    }
}

/// What is known of a message is worth some patience: unrecorded, nobody would know.
async fn record(deliver: &Deliver, matter: &Matter, outcome: &Command) -> Result<(), Failure> {
    let mut tries = 1;
    loop {
        match delivery::record(&deliver.backend, matter.stream, &matter.author, outcome).await {
            Ok(_) => return Ok(()),
            Err(failure) if failure.is_passing() && tries < OUTCOME_TRIES_MAX => {
                tokio::time::sleep(Duration::from_millis(OUTCOME_PAUSE_MS << tries)).await;
                tries += 1;
            }
            Err(failure) => {
                error!(stream = %matter.stream, letter = %matter.message, cause = failure.chain(), "an outcome was not recorded");
                return Err(failure);
            }
        }
    }
}

fn cut(code: &str) -> String {
    code.chars().take(CODE_CHARS_MAX).collect()
}
