//! The facts about one party's visit.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use crate::{
    Rank, Sealed, Time,
    commit::DomainEvent,
    id::{Category, WaitlistId},
    message,
    value::{Email, Language, Name, Note, PartySize, Phone, QuoteMinutes, Reason},
};

/// Who put a party on the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum JoinedBy {
    /// The host, at the door.
    Host,
    /// The guest, on their own phone.
    Guest,
}

/// Where a visit stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// On the list.
    Waiting,
    /// Told that the table is ready.
    Called,
    /// On the way to the table.
    Confirmed,
    /// At the table.
    Seated,
    /// Gone of their own will.
    Left,
    /// Taken off by the host.
    Removed,
    /// Did not come when called.
    NoShow,
}

impl State {
    /// Whether the party is on the board.
    #[must_use]
    pub fn is_active(self) -> bool {
        match self {
            Self::Waiting | Self::Called | Self::Confirmed => true,
            Self::Seated | Self::Left | Self::Removed | Self::NoShow => false,
        }
    }
}

/// A party joined a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Joined {
    /// The list.
    pub waitlist: WaitlistId,
    /// Whom to call out.
    pub name: Sealed<Name>,
    /// How many they are.
    pub party_size: PartySize,
    /// Where to text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<Sealed<Phone>>,
    /// Where to write.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<Sealed<Email>>,
    /// What the host should know.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<Sealed<Note>>,
    /// How long they were told it would take.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quoted_minutes: Option<QuoteMinutes>,
    /// The language they read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<Language>,
    /// The business day, in the list's time zone.
    pub day: NaiveDate,
    /// Their place in line.
    pub rank: Rank,
    /// Who put them on.
    pub by: JoinedBy,
}

/// What of the details changed. Outer `None`: stays; inner `None`: cleared.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Details {
    /// Whom to call out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<Sealed<Name>>,
    /// How many they are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub party_size: Option<PartySize>,
    /// Where to text.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    pub phone: Option<Option<Sealed<Phone>>>,
    /// Where to write.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    pub email: Option<Option<Sealed<Email>>>,
    /// What the host should know.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    pub note: Option<Option<Sealed<Note>>>,
    /// How long they were told it would take.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    pub quoted_minutes: Option<Option<QuoteMinutes>>,
    /// The language they read.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    pub language: Option<Option<Language>>,
}

/// Tells a field that is null from one that is not there.
pub(crate) fn present<'de, D, T>(deserializer: D) -> Result<Option<Option<T>>, D::Error>
where
    D: serde::Deserializer<'de>,
    T: Deserialize<'de>,
{
    Option::deserialize(deserializer).map(Some)
}

/// What can happen to a visit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", content = "data")]
pub enum Event {
    /// The party joined.
    #[serde(rename = "waitee.joined")]
    Joined(Joined),
    /// What is known about the party changed.
    #[serde(rename = "waitee.details-changed")]
    DetailsChanged(Details),
    /// The table is ready and held for a while.
    #[serde(rename = "waitee.called")]
    Called {
        /// Until when.
        hold_until: Time,
        /// When to remind the guest, if at all.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        remind_at: Option<Time>,
    },
    /// The party is on the way; the hold no longer runs out.
    #[serde(rename = "waitee.confirmed")]
    Confirmed(Why),
    /// The party sits.
    #[serde(rename = "waitee.seated")]
    Seated(Why),
    /// The party went.
    #[serde(rename = "waitee.left")]
    Left(Why),
    /// The host took the party off.
    #[serde(rename = "waitee.removed")]
    Removed(Why),
    /// The party did not come.
    #[serde(rename = "waitee.no-show")]
    NoShow(Why),
    /// The party waits again, at its old place.
    #[serde(rename = "waitee.restored")]
    Restored(Why),
    /// The party has another place in line.
    #[serde(rename = "waitee.moved")]
    Moved {
        /// The new place.
        rank: Rank,
        /// Why, in the host's words.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<Sealed<Reason>>,
    },
    /// Somebody is about to send a message.
    #[serde(rename = "waitee.notification-started")]
    NotificationStarted(message::Started),
    /// It was taken for delivery.
    #[serde(rename = "waitee.notification-sent")]
    NotificationSent(message::Sent),
    /// It was turned away.
    #[serde(rename = "waitee.notification-failed")]
    NotificationFailed(message::Failed),
    /// It is not sent.
    #[serde(rename = "waitee.notification-skipped")]
    NotificationSkipped(message::Skipped),
    /// It was sent in vain.
    #[serde(rename = "waitee.notification-bounced")]
    NotificationBounced(message::Bounced),
    /// The guest is to be forgotten. Nothing but the forgetting, and what becomes of a message on its way, follows.
    #[serde(rename = "waitee.erased")]
    Erased {},
    /// The guest's key is gone for good.
    #[serde(rename = "waitee.forgotten")]
    Forgotten {},
}

impl Event {
    /// What happened to a message, if that is what happened.
    #[must_use]
    pub fn message(&self) -> Option<message::Event> {
        match self {
            Self::NotificationStarted(started) => Some(message::Event::Started(started.clone())),
            Self::NotificationSent(sent) => Some(message::Event::Sent(sent.clone())),
            Self::NotificationFailed(failed) => Some(message::Event::Failed(failed.clone())),
            Self::NotificationSkipped(skipped) => Some(message::Event::Skipped(skipped.clone())),
            Self::NotificationBounced(bounced) => Some(message::Event::Bounced(bounced.clone())),
            Self::Joined(_)
            | Self::DetailsChanged(_)
            | Self::Called { .. }
            | Self::Confirmed(_)
            | Self::Seated(_)
            | Self::Left(_)
            | Self::Removed(_)
            | Self::NoShow(_)
            | Self::Restored(_)
            | Self::Moved { .. }
            | Self::Erased {}
            | Self::Forgotten {} => None,
        }
    }
}

impl From<message::Event> for Event {
    fn from(event: message::Event) -> Self {
        match event {
            message::Event::Started(started) => Self::NotificationStarted(started),
            message::Event::Sent(sent) => Self::NotificationSent(sent),
            message::Event::Failed(failed) => Self::NotificationFailed(failed),
            message::Event::Skipped(skipped) => Self::NotificationSkipped(skipped),
            message::Event::Bounced(bounced) => Self::NotificationBounced(bounced),
        }
    }
}

/// Why a transition was made, when somebody said so.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Why {
    /// The host's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Sealed<Reason>>,
}

impl DomainEvent for Event {
    const CATEGORY: Category = Category::Waitee;

    const TYPES: &'static [(&'static str, u32)] = &[
        ("waitee.joined", 1),
        ("waitee.details-changed", 1),
        ("waitee.called", 1),
        ("waitee.confirmed", 1),
        ("waitee.seated", 1),
        ("waitee.left", 1),
        ("waitee.removed", 1),
        ("waitee.no-show", 1),
        ("waitee.restored", 1),
        ("waitee.moved", 1),
        ("waitee.notification-started", 1),
        ("waitee.notification-sent", 1),
        ("waitee.notification-failed", 1),
        ("waitee.notification-skipped", 1),
        ("waitee.notification-bounced", 1),
        ("waitee.erased", 1),
        ("waitee.forgotten", 1),
    ];

    fn type_name(&self) -> &'static str {
        match self {
            Self::Joined(_) => "waitee.joined",
            Self::DetailsChanged(_) => "waitee.details-changed",
            Self::Called { .. } => "waitee.called",
            Self::Confirmed(_) => "waitee.confirmed",
            Self::Seated(_) => "waitee.seated",
            Self::Left(_) => "waitee.left",
            Self::Removed(_) => "waitee.removed",
            Self::NoShow(_) => "waitee.no-show",
            Self::Restored(_) => "waitee.restored",
            Self::Moved { .. } => "waitee.moved",
            Self::NotificationStarted(_) => "waitee.notification-started",
            Self::NotificationSent(_) => "waitee.notification-sent",
            Self::NotificationFailed(_) => "waitee.notification-failed",
            Self::NotificationSkipped(_) => "waitee.notification-skipped",
            Self::NotificationBounced(_) => "waitee.notification-bounced",
            Self::Erased {} => "waitee.erased",
            Self::Forgotten {} => "waitee.forgotten",
        }
    }
}
