//! Events of a waiting list.

use serde::{Deserialize, Serialize};

use crate::{
    Time,
    event::events,
    value::{Capacity, DayStart, HoldMinutes, Language, ListName, QuoteMinutes, Region, RemindMinutes, Zone},
};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    pub name: ListName,
    /// The time zone of the business day and of messages.
    pub time_zone: Zone,
    /// The country whose telephone numbers need no prefix.
    pub region: Region,
    /// The most parties on the board.
    pub capacity: Capacity,
    pub hold_minutes: HoldMinutes,
    /// The guest is reminded this long before the hold ends; absent: not at all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remind_minutes: Option<RemindMinutes>,
    /// The minutes that a quote counts for each party ahead; absent: no quotes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quote_minutes: Option<QuoteMinutes>,
    /// The language of messages to guests without a language of their own.
    pub language: Language,
    pub day_starts: DayStart,
}

impl Settings {
    /// The quote for a party behind `ahead` others, at most [`QuoteMinutes::MAX`]; `None` if the list gives
    /// no quotes.
    #[must_use]
    pub fn quote(&self, ahead: usize) -> Option<QuoteMinutes> {
        let minutes =
            i64::from(self.quote_minutes?.get()).saturating_mul(i64::try_from(ahead).unwrap_or(i64::MAX));
        QuoteMinutes::parse(minutes.min(QuoteMinutes::MAX.into())).ok()
    }
}

/// A list after an event. Every event holds the whole state, so one commit is read however long the stream.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    #[serde(flatten)]
    pub settings: Settings,
    pub open: bool,
    pub created_at: Time,
}

events! {
    /// An event of a list.
    Waitlist;
    /// A new list, which is open.
    "waitlist.created" v1 => Created(State),
    "waitlist.settings-changed" v1 => SettingsChanged(State),
    "waitlist.opened" v1 => Opened(State),
    "waitlist.closed" v1 => Closed(State),
    "waitlist.deleted" v1 => Deleted(State),
}

impl Event {
    /// The list after this event.
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
