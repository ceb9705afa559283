//! Messages to guests and owners: their kinds, their events, and the ledger of their outcomes.
//!
//! A message is named by the event that causes it. The sender first appends `Started` with a time until which
//! no other process may send (the lease), and then the outcome. If the lease expires without an outcome, the
//! message may have been sent or not.

mod kind;
mod ledger;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use self::{
    kind::{IfUnknown, Kind, MessageId, NotAMessage},
    ledger::{Entry, Ledger, Standing},
};
use crate::Time;

/// The length of a lease.
pub const LEASE_MS: i64 = 60_000;

/// The longest code of a refusal that is stored, in characters.
pub const CODE_CHARS_MAX: usize = 64;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Channel {
    Sms,
    Email,
}

/// The state of a message in answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// It is still to be sent.
    Due,
    /// It is being sent.
    Started,
    /// SES or SNS accepted it.
    Sent,
    /// It was refused for the last time.
    Failed,
    /// It may have been sent or not.
    Unknown,
    /// It was not sent, because it came too late or was not needed.
    Skipped,
    /// It came back, or was reported as unwanted.
    Bounced,
}

/// A process sends the message; no other process may before `until`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Started {
    pub message: MessageId,
    /// Number of this attempt, from 1.
    pub attempt: u32,
    pub channel: Channel,
    pub until: Time,
}

/// SES or SNS accepted the message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sent {
    pub message: MessageId,
    pub attempt: u32,
    /// May differ from the channel of `Started`: a refused text goes as an e-mail.
    pub channel: Channel,
    /// The carrier's id of the message.
    pub provider_id: String,
}

/// The message was refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failed {
    pub message: MessageId,
    pub attempt: u32,
    /// The carrier's code of the reason, or one of ours.
    pub code: String,
    /// Time of the next attempt; absent if there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub again_at: Option<Time>,
}

/// The message is not sent, or not sent again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Skipped {
    pub message: MessageId,
    /// The attempt that held the lease and therefore knows that it did not send; absent if there was no
    /// lease.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempt: Option<u32>,
    /// Not named `reason`, which elsewhere is free text of a host and sealed.
    pub why: Skip,
}

/// A sent message came back, or was reported as unwanted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bounced {
    pub message: MessageId,
    pub why: Bounce,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Skip {
    /// Its purpose has passed.
    Late,
    /// It is no longer needed: the guest came, went or was called again, or the link was used.
    Needless,
    /// The guest gave neither a number nor an address.
    NoAddress,
    /// The account's e-mail address is not confirmed, so it may not send texts.
    AccountUnconfirmed,
    /// The number is not of the list's region.
    OtherCountry,
    /// The number is known to take no texts: toll-free, premium rate or a fixed line.
    NotForTexts,
    /// The guest or account was erased.
    Erased,
    /// The number's owner opted out of texts.
    OptedOut,
    /// The account has reached its messages a day on this channel.
    AccountCap,
    /// The recipient has got as many messages a day as allowed.
    RecipientCap,
}

/// A report about a message after it was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Bounce {
    /// The mailbox does not exist, or the address is known to take no mail.
    Permanent,
    /// The mailbox refused it temporarily.
    Transient,
    /// It came back without a reason.
    Undetermined,
    /// The recipient marked it as unwanted.
    Complaint,
    /// The carrier considered it harmful and did not send it.
    Rejected,
}

impl Bounce {
    /// The name of the reason in logs.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Permanent => "permanent",
            Self::Transient => "transient",
            Self::Undetermined => "undetermined",
            Self::Complaint => "complaint",
            Self::Rejected => "rejected",
        }
    }
}

/// An event of a message. Each category of streams stores it under its own type names.
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
