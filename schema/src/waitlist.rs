//! The facts about a waiting list.

use serde::{Deserialize, Serialize};

use crate::{
    Time,
    commit::DomainEvent,
    id::Category,
    value::{Capacity, DayStart, HoldMinutes, Language, ListName, QuoteMinutes, Region, RemindMinutes, Zone},
};

/// How a list is run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    /// What stands on the door.
    pub name: ListName,
    /// Whose wall clock the business day follows.
    pub time_zone: Zone,
    /// Whose telephone numbers need no prefix.
    pub region: Region,
    /// How many parties may wait at once.
    pub capacity: Capacity,
    /// How long a called party's table is held.
    pub hold_minutes: HoldMinutes,
    /// How long before the hold ends the guest is reminded; not at all when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remind_minutes: Option<RemindMinutes>,
    /// Minutes quoted per party ahead; nothing is quoted when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quote_minutes: Option<QuoteMinutes>,
    /// The language of messages to guests who name none.
    pub language: Language,
    /// When a new business day starts.
    pub day_starts: DayStart,
}

impl Settings {
    /// What is quoted to a party behind so many others. A queue so long that the quote passes its bound is quoted that bound.
    #[must_use]
    pub fn quote(&self, ahead: usize) -> Option<QuoteMinutes> {
        let minutes =
            i64::from(self.quote_minutes?.get()).saturating_mul(i64::try_from(ahead).unwrap_or(i64::MAX));
        QuoteMinutes::parse(minutes.min(QuoteMinutes::MOST.into())).ok()
    }
}

/// A list after an event. Every event carries it whole, so that reading the latest commit is reading the list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    /// How it is run.
    #[serde(flatten)]
    pub settings: Settings,
    /// Whether parties may join.
    pub open: bool,
    /// When it was made.
    pub created_at: Time,
}

/// What can happen to a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", content = "data")]
pub enum Event {
    /// It was made, open.
    #[serde(rename = "waitlist.created")]
    Created(State),
    /// It is run differently from now on.
    #[serde(rename = "waitlist.settings-changed")]
    SettingsChanged(State),
    /// Parties may join.
    #[serde(rename = "waitlist.opened")]
    Opened(State),
    /// Parties may no longer join.
    #[serde(rename = "waitlist.closed")]
    Closed(State),
    /// It is gone; its history stays.
    #[serde(rename = "waitlist.deleted")]
    Deleted(State),
}

impl Event {
    /// The list as it is after this event.
    #[must_use]
    pub fn state(&self) -> &State {
        match self {
            Self::Created(state)
            | Self::SettingsChanged(state)
            | Self::Opened(state)
            | Self::Closed(state)
            | Self::Deleted(state) => state,
        }
    }
}

impl DomainEvent for Event {
    const CATEGORY: Category = Category::Waitlist;

    const TYPES: &'static [(&'static str, u32)] = &[
        ("waitlist.created", 1),
        ("waitlist.settings-changed", 1),
        ("waitlist.opened", 1),
        ("waitlist.closed", 1),
        ("waitlist.deleted", 1),
    ];

    fn type_name(&self) -> &'static str {
        match self {
            Self::Created(_) => "waitlist.created",
            Self::SettingsChanged(_) => "waitlist.settings-changed",
            Self::Opened(_) => "waitlist.opened",
            Self::Closed(_) => "waitlist.closed",
            Self::Deleted(_) => "waitlist.deleted",
        }
    }
}
