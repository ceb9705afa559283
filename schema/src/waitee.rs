//! Events of a visit.

use chrono::NaiveDate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_with::rust::double_option;

use crate::{
    Rank, Sealed, Time,
    event::events,
    id::WaitlistId,
    value::{Email, Language, Name, Note, PartySize, Phone, QuoteMinutes, Reason},
};

/// The person who added the party to the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum JoinedBy {
    Host,
    Guest,
}

/// The state of a visit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// The party is in the queue.
    Waiting,
    /// The table is ready and held, and the guest is told so.
    Called,
    /// The guest answered the call and is on the way.
    Confirmed,
    /// The party has its table.
    Seated,
    /// The guest gave up the place.
    Left,
    /// The host took the party off the list.
    Removed,
    /// The guest was called and did not come.
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

/// The details of a party, personal data sealed. Flattened into the event and the row, held by the aggregate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Party {
    pub name: Sealed<Name>,
    pub party_size: PartySize,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<Sealed<Phone>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<Sealed<Email>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<Sealed<Note>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quoted_minutes: Option<QuoteMinutes>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<Language>,
}

impl Party {
    /// A party with a name and a size only.
    #[must_use]
    pub fn new(name: Sealed<Name>, party_size: PartySize) -> Self {
        Self { name, party_size, phone: None, email: None, note: None, quoted_minutes: None, language: None }
    }

    #[must_use]
    pub fn apply(self, details: &Details) -> Self {
        let details = details.clone();
        Self {
            name: details.name.unwrap_or(self.name),
            party_size: details.party_size.unwrap_or(self.party_size),
            phone: details.phone.unwrap_or(self.phone),
            email: details.email.unwrap_or(self.email),
            note: details.note.unwrap_or(self.note),
            quoted_minutes: details.quoted_minutes.unwrap_or(self.quoted_minutes),
            language: details.language.unwrap_or(self.language),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Joined {
    pub waitlist: WaitlistId,
    #[serde(flatten)]
    pub party: Party,
    /// The business day in the list's time zone.
    pub day: NaiveDate,
    pub rank: Rank,
    pub by: JoinedBy,
}

/// Changes of a party. Outer `None`: unchanged; inner `None`: cleared.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Details {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<Sealed<Name>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub party_size: Option<PartySize>,
    #[serde(default, skip_serializing_if = "Option::is_none", with = "double_option")]
    pub phone: Option<Option<Sealed<Phone>>>,
    #[serde(default, skip_serializing_if = "Option::is_none", with = "double_option")]
    pub email: Option<Option<Sealed<Email>>>,
    #[serde(default, skip_serializing_if = "Option::is_none", with = "double_option")]
    pub note: Option<Option<Sealed<Note>>>,
    #[serde(default, skip_serializing_if = "Option::is_none", with = "double_option")]
    pub quoted_minutes: Option<Option<QuoteMinutes>>,
    #[serde(default, skip_serializing_if = "Option::is_none", with = "double_option")]
    pub language: Option<Option<Language>>,
}

impl Details {
    /// The changes that differ from `party`, if any. Sealed values cannot be compared and count as different.
    #[must_use]
    pub fn differing_from(self, party: &Party) -> Option<Self> {
        let details = Self {
            party_size: self.party_size.filter(|size| *size != party.party_size),
            quoted_minutes: self.quoted_minutes.filter(|quoted| *quoted != party.quoted_minutes),
            language: self.language.filter(|language| *language != party.language),
            ..self
        };
        (details != Self::default()).then_some(details)
    }
}

/// The host's reason for a transition.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Why {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Sealed<Reason>>,
}

events! {
    /// An event of a visit.
    Waitee;
    "waitee.joined" v1 => Joined(Joined),
    "waitee.details-changed" v1 => DetailsChanged(Details),
    /// The table is ready and held until `hold_until`.
    "waitee.called" v1 => Called {
        hold_until: Time,
        /// The time of the reminder; `None` if the list sends none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        remind_at: Option<Time>,
    },
    /// The party is on its way. Its hold does not run out.
    "waitee.confirmed" v1 => Confirmed(Why),
    "waitee.seated" v1 => Seated(Why),
    "waitee.left" v1 => Left(Why),
    "waitee.removed" v1 => Removed(Why),
    "waitee.no-show" v1 => NoShow(Why),
    /// The party waits again at its former place.
    "waitee.restored" v1 => Restored(Why),
    "waitee.moved" v1 => Moved {
        rank: Rank,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<Sealed<Reason>>,
    },
    /// The guest is to be forgotten. Only `Forgotten` and outcomes of messages follow.
    "waitee.erased" v1 => Erased {},
    /// The guest's key is deleted.
    "waitee.forgotten" v1 => Forgotten {},
    message Notification {
        "waitee.notification-started" v1 => Started,
        "waitee.notification-sent" v1 => Sent,
        "waitee.notification-failed" v1 => Failed,
        "waitee.notification-skipped" v1 => Skipped,
        "waitee.notification-bounced" v1 => Bounced,
    }
}
