//! Sends one message: takes the lease, sends, records the outcome. After a crash in between, the stream shows
//! how far it came.

use std::time::Duration;

use commands::{
    delivery::Command,
    recording::{self, Recorded},
};
use infra::{
    Failure, fault,
    limits::{Counted, Quota},
    messenger::{Mail, SEND_TIMEOUT, SendError, Tags, Text},
};
use schema::{
    StreamId, Time, UserId,
    commit::Author,
    message::{CODE_CHARS_MAX, Channel, MessageId, Skip},
    value::{Email, Phone},
};
use tracing::{error, info, warn};

use super::{Deliver, erased::is_erased};
use crate::wording::Worded;

/// Attempts to record an outcome, and the first pause between them. Together they outlast a short outage and
/// end before the lambda's time limit.
const OUTCOME_TRIES_MAX: u32 = 8;
const OUTCOME_PAUSE_MS: u64 = 50;

/// Reasons of messages that were not sent for a fault of ours, or because SNS did not say whether a number
/// takes texts.
const NOT_COUNTED: &str = "not-counted";
const OPT_OUT_UNKNOWN: &str = "opt-out-unknown";
const TOO_SLOW: &str = "too-slow";

/// The reason of a message that was not sent because its account could not be read again.
const NOT_CHECKED: &str = "not-checked";

/// A channel and recipient of a message, with its wording.
pub(super) enum Way {
    Text {
        to: Phone,
        text: String,
    },
    /// An e-mail to a guest.
    Mail {
        to: Email,
        words: Worded,
    },
    /// An e-mail to the account's owner, which was counted when it was asked for.
    Owner {
        to: Email,
        words: Worded,
    },
}

impl Way {
    fn channel(&self) -> Channel {
        match self {
            Self::Text { .. } => Channel::Sms,
            Self::Mail { .. } | Self::Owner { .. } => Channel::Email,
        }
    }
}

/// The message, the author of the commits about it, and the stream's last event when it was worded.
pub(super) struct Matter {
    pub(super) stream: StreamId,
    pub(super) message: MessageId,
    pub(super) author: Author,
    pub(super) known: u64,
}

/// A message that is ready to go.
pub(super) struct Letter {
    /// In the order in which they are tried.
    pub(super) ways: Vec<Way>,
    /// The account that the message counts for.
    pub(super) account: UserId,
    /// Whether that account's own address is confirmed.
    pub(super) confirmed: bool,
    /// The cap that an operator set.
    pub(super) texts_per_day: Option<u32>,
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
/// The lease could not be taken, or the outcome not be recorded: once the lease has run out, the message is
/// `unknown`.
pub(super) async fn send(deliver: &Deliver, matter: &Matter, letter: &Letter) -> Result<(), Failure> {
    fault::point("deliver.start");
    let Some(lease) = start(deliver, matter, letter).await? else { return Ok(()) };
    fault::point("deliver.started");
    let outcome = attempt(deliver, matter, letter, &lease).await;
    fault::point("deliver.sent");
    let Some(outcome) = outcome else { return Ok(()) };
    record(deliver, matter, &outcome).await?;
    fault::point("deliver.recorded");
    Ok(())
}

async fn start(deliver: &Deliver, matter: &Matter, letter: &Letter) -> Result<Option<Lease>, Failure> {
    let channel = letter.ways.first().map_or(Channel::Email, Way::channel);
    let start = Command::Start { message: matter.message, channel };
    let Recorded { entry, appended } =
        recording::record_if(&deliver.backend, matter.stream, &matter.author, &start, matter.known).await?;
    let entry = entry.filter(|_| appended);
    Ok(entry.and_then(|entry| Some(Lease { attempt: entry.attempt, until: entry.lease_until()? })))
}

/// Tries one way, and the next when the message certainly does not go that way: not at all, or not in the
/// last attempt. The outcome; none when it is unknown.
///
/// Caps come before the process's sending rate, so that an account that may send nothing takes no turn of it.
/// Waiting for a turn takes little of the lease: those that wait are the messages of one batch of the queue.
async fn attempt(deliver: &Deliver, matter: &Matter, letter: &Letter, lease: &Lease) -> Option<Command> {
    let (message, attempt) = (matter.message, lease.attempt);
    let is_last = attempt >= message.kind.attempts_max();
    let mut outcome = Command::Skip { message, attempt: Some(attempt), reason: Skip::NoAddress };
    for way in &letter.ways {
        outcome = match admit(deliver, letter, way).await {
            Ok(counted) => {
                let outcome = try_send(deliver, matter, letter.account, lease, way).await?;
                if let Command::Fail { .. } | Command::Skip { .. } = outcome {
                    give_back(deliver, counted).await;
                }
                outcome
            }
            Err(Closed::Never(reason)) => Command::Skip { message, attempt: Some(attempt), reason },
            Err(Closed::ForNow { code, failure }) => {
                warn!(stream = %matter.stream, letter = %message, code, cause = failure.chain(), "message not sent; it will be tried again");
                Command::Fail { message, attempt, code: code.into(), for_now: true }
            }
        };
        match &outcome {
            Command::Skip { .. } | Command::Fail { for_now: false, .. } => {}
            Command::Fail { for_now: true, .. } if is_last => {}
            Command::Fail { .. } | Command::Sent { .. } | Command::Start { .. } | Command::Bounce { .. } => {
                break;
            }
        }
    }
    Some(outcome)
}

/// The reason not to use a channel.
enum Closed {
    /// For good.
    Never(Skip),
    /// It could not be checked; the message is tried again.
    ForNow { code: &'static str, failure: Failure },
}

/// Counts a message, or returns why it may not be sent. It is counted before it is sent, so that a crash
/// sends too few rather than too many; the account comes first, so that an account over its cap does not use
/// up the recipient's.
async fn admit(deliver: &Deliver, letter: &Letter, way: &Way) -> Result<Vec<Counted>, Closed> {
    let shares = match way {
        Way::Owner { .. } => return Ok(Vec::new()),
        Way::Text { to, .. } => {
            let asked = deliver.messengers.texter.is_opted_out(to).await;
            if asked.map_err(|failure| Closed::ForNow { code: OPT_OUT_UNKNOWN, failure })? {
                return Err(Closed::Never(Skip::OptedOut));
            }
            [
                (Quota::text_of(letter.account, letter.texts_per_day), Skip::AccountCap),
                (Quota::text_to(to), Skip::RecipientCap),
            ]
        }
        Way::Mail { to, .. } => {
            let of_account = Quota::guest_mail_of(letter.account, letter.confirmed);
            [(of_account, Skip::AccountCap), (Quota::guest_mail_to(to), Skip::RecipientCap)]
        }
    };
    let mut counted = Vec::with_capacity(shares.len());
    for (share, none_left) in shares {
        let closed = match deliver.backend.limits.take(&share).await {
            Ok(Some(taken)) => {
                counted.push(taken);
                continue;
            }
            Ok(None) => Closed::Never(none_left),
            Err(failure) => Closed::ForNow { code: NOT_COUNTED, failure },
        };
        give_back(deliver, counted).await;
        return Err(closed);
    }
    Ok(counted)
}

/// Gives back the counts of a message that was not sent. A count that cannot be given back stays used up.
async fn give_back(deliver: &Deliver, counted: Vec<Counted>) {
    for taken in counted {
        if let Err(failure) = deliver.backend.limits.give_back(taken).await {
            warn!(
                cause = failure.chain(),
                "could not give back the count of a message that was not sent; it stays counted"
            );
        }
    }
}

/// Sends once, in this process's turn. The outcome; none when it is unknown.
async fn try_send(
    deliver: &Deliver,
    matter: &Matter,
    account: UserId,
    lease: &Lease,
    way: &Way,
) -> Option<Command> {
    deliver.messengers.turn().await;
    let (stream, message, attempt) = (matter.stream, matter.message, lease.attempt);
    let timeout_ms = i64::try_from(SEND_TIMEOUT.as_millis()).unwrap_or(i64::MAX);
    if deliver.backend.clock.now().plus_millis(timeout_ms) > lease.until {
        return Some(Command::Fail { message, attempt, code: TOO_SLOW.into(), for_now: true });
    }
    match is_erased(&deliver.backend, account, stream, matter.known).await {
        Ok(false) => {}
        Ok(true) => return Some(Command::Skip { message, attempt: Some(attempt), reason: Skip::Erased }),
        Err(failure) => {
            warn!(%stream, %message, cause = failure.chain(), "message not sent: could not check for an erasure");
            return Some(Command::Fail { message, attempt, code: NOT_CHECKED.into(), for_now: true });
        }
    }
    let tags = Tags { stream, message: message.to_string(), kind: message.kind.as_str() };
    fault::point("deliver.send");
    let sent = match way {
        Way::Text { to, text } => {
            deliver.messengers.texter.send(&Text { to: to.clone(), body: text.clone(), tags }).await
        }
        Way::Mail { to, words } | Way::Owner { to, words } => {
            let Worded { subject, text, html } = words.clone();
            deliver.messengers.mailer.send(&Mail { to: to.clone(), subject, text, html, tags }).await
        }
    };
    match sent {
        Ok(provider_id) => {
            info!(%stream, letter = %message, provider_id, "sent");
            Some(Command::Sent { message, attempt, channel: way.channel(), provider_id })
        }
        Err(SendError::Refused { code }) => {
            warn!(%stream, letter = %message, code, "the carrier refused the message");
            Some(Command::Fail { message, attempt, code: cut(&code), for_now: false })
        }
        Err(SendError::Busy { code }) => {
            warn!(%stream, letter = %message, code, "the carrier refused the message for now; it will be tried again");
            Some(Command::Fail { message, attempt, code: cut(&code), for_now: true })
        }
        Err(SendError::Unanswered { source }) => {
            warn!(%stream, letter = %message, cause = %source, "no answer to a send; the message is unknown until its lease ends");
            None
        }
    }
}

/// Records an outcome, with several attempts: without it the message would be `unknown`.
async fn record(deliver: &Deliver, matter: &Matter, outcome: &Command) -> Result<(), Failure> {
    let mut tries = 1;
    loop {
        match recording::record(&deliver.backend, matter.stream, &matter.author, outcome).await {
            Ok(_) => return Ok(()),
            Err(failure) if failure.is_passing() && tries < OUTCOME_TRIES_MAX => {
                tokio::time::sleep(Duration::from_millis(OUTCOME_PAUSE_MS << tries)).await;
                tries += 1;
            }
            Err(failure) => {
                error!(stream = %matter.stream, letter = %matter.message, cause = failure.chain(), "could not record the outcome of a send; the message is unknown");
                return Err(failure);
            }
        }
    }
}

fn cut(code: &str) -> String {
    code.chars().take(CODE_CHARS_MAX).collect()
}
