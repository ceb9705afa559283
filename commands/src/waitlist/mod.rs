//! A waiting list: its settings, and whether it is open or deleted.

mod decide;
pub(crate) mod handler;

use infra::log::{Aggregate, Reading};
use schema::{
    Fact,
    waitlist::{Event, State},
};

pub use self::{
    decide::{Command, Refusal},
    handler::find,
};

/// The folded list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Waitlist {
    #[default]
    None,
    Kept(State),
    Deleted,
}

impl Aggregate for Waitlist {
    type Event = Event;

    const READING: Reading = Reading::Recent;

    /// Opened and closed once a day, a list lasts 13 years.
    const EVENTS_MAX: u64 = 10_000;

    fn always_fits(event: &Event) -> bool {
        matches!(event, Event::Closed(_) | Event::Deleted(_))
    }

    fn evolve(self, fact: &Fact<Event>) -> Self {
        match &fact.event {
            Event::Created(state)
            | Event::SettingsChanged(state)
            | Event::Opened(state)
            | Event::Closed(state) => Self::Kept(state.clone()),
            Event::Deleted(_) => Self::Deleted,
        }
    }
}
