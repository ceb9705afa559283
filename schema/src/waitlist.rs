//! Events of a waiting list.

use serde::{Deserialize, Serialize};

use crate::{
    Time,
    event::events,
    value::{Capacity, DayStart, HoldMinutes, Language, ListName, QuoteMinutes, Region, RemindMinutes, Zone},
};

/// The settings of a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    pub name: ListName,
    /// The business day follows its wall clock.
    pub time_zone: Zone,
    /// Its telephone numbers need no prefix.
    pub region: Region,
    /// Parties that may wait at once.
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
    /// The quote for a party behind `ahead` others, at most [`QuoteMinutes::MOST`]. `None` when the list quotes nothing.
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
    #[serde(flatten)]
    pub settings: Settings,
    /// Whether parties may join.
    pub open: bool,
    pub created_at: Time,
}

events! {
    /// An event of a list.
    Waitlist;
    /// A new list is open.
    "waitlist.created" v1 => Created(State),
    "waitlist.settings-changed" v1 => SettingsChanged(State),
    /// Parties may join.
    "waitlist.opened" v1 => Opened(State),
    /// Parties may no longer join.
    "waitlist.closed" v1 => Closed(State),
    /// The list is gone; its history stays.
    "waitlist.deleted" v1 => Deleted(State),
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
