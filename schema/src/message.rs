//! Messages to people: which there are, what can happen to one, and the ledger that never lies about it.
//!
//! A message follows from one event, and is named by it. Whoever is about to send it first says so in the stream of whom it
//! concerns, until when it may take (a lease), and afterwards what came of it. A lease that ran out without an outcome is the
//! honest unknown: the message may have been sent or not.

mod kind;
mod ledger;

use serde::{Deserialize, Serialize};

pub use self::{
    kind::{IfUnknown, Kind, MessageId, NotAMessage},
    ledger::{Entry, Ledger, Standing},
};
use crate::Time;

/// How long whoever sends a message has it to themselves.
pub const LEASE_MS: i64 = 60_000;

/// A code that says why a message was turned away, in characters.
pub const CODE_CHARS_MAX: usize = 64;

/// The way a message goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Channel {
    /// A text.
    Sms,
    /// A mail.
    Email,
}

/// Somebody is about to send a message, and nobody else may before `until`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Started {
    pub message: MessageId,
    /// How often it has been tried, this time included.
    pub attempt: u32,
    pub channel: Channel,
    pub until: Time,
}

/// A message was taken for delivery by whoever carries such messages.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sent {
    pub message: MessageId,
    pub attempt: u32,
    /// Not the one it was started for when that turned out not to be open.
    pub channel: Channel,
    /// What the carrier calls it.
    pub provider_id: String,
}

/// A message was turned away.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failed {
    pub message: MessageId,
    pub attempt: u32,
    /// Why, in the carrier's word.
    pub code: String,
    /// When it is tried again; never, when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub again_at: Option<Time>,
}

/// A message is not sent, or not once more, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Skipped {
    pub message: MessageId,
    /// Of whoever had it to themselves, and so knows that it was not sent; absent when nobody had.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempt: Option<u32>,
    /// Not `reason`, which is a person's, in words of their own.
    pub why: Skip,
}

/// A message that was sent did not reach anybody, or was not welcome.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bounced {
    pub message: MessageId,
    pub why: Bounce,
}

/// Why a message is not sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Skip {
    /// It is older than its purpose.
    Late,
    /// It has no purpose any more: the guest came or went, was called again, or the link was used.
    Needless,
    /// There is neither number nor address to send it to.
    NoAddress,
    /// Texts are for accounts whose address is confirmed.
    AccountUnconfirmed,
    /// The number is not of the list's country.
    OtherCountry,
    /// The number is known to take none: toll-free, premium rate or a fixed line.
    NotForTexts,
    /// Whom it concerns was forgotten.
    Erased,
    /// The number's owner wants no texts.
    OptedOut,
    /// The account has sent as many messages of this channel today as it may.
    AccountCap,
    /// Whoever it is for has got as many today as they may.
    RecipientCap,
}

/// What became known of a message after it was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Bounce {
    /// There is no such mailbox, or the address is known to take no mail.
    Permanent,
    /// The mailbox would not take it for now.
    Transient,
    /// It came back, and does not say why.
    Undetermined,
    /// Its reader called it unwanted.
    Complaint,
    /// The carrier found it harmful.
    Rejected,
}

/// An event of a message. Each category of streams stores it under names of its own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Event {
    Started(Started),
    Sent(Sent),
    Failed(Failed),
    Skipped(Skipped),
    Bounced(Bounced),
}

impl Event {
    #[must_use]
    pub fn message(&self) -> MessageId {
        match self {
            Self::Started(Started { message, .. })
            | Self::Sent(Sent { message, .. })
            | Self::Failed(Failed { message, .. })
            | Self::Skipped(Skipped { message, .. })
            | Self::Bounced(Bounced { message, .. }) => *message,
        }
    }
}
