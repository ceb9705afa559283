//! A waiting list: its settings, and whether it is open or deleted.

mod decide;
pub(crate) mod handler;

use infra::log::{Aggregate, Reading};
use schema::{Fact, waitlist};

pub use self::{
    decide::{Command, Refusal, decide},
    handler::at_the_door as find,
};

/// The folded list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Waitlist {
    #[default]
    None,
    Kept(waitlist::State),
    Deleted,
}

impl Aggregate for Waitlist {
    type Event = waitlist::Event;

    const READING: Reading = Reading::Recent;

    /// Opened and closed once a day, a list lasts 13 years.
    const EVENTS_MAX: u64 = 10_000;

    fn always_fits(event: &waitlist::Event) -> bool {
        matches!(event, waitlist::Event::Closed(_) | waitlist::Event::Deleted(_))
    }

    fn evolve(self, fact: &Fact<waitlist::Event>) -> Self {
        match &fact.event {
            waitlist::Event::Created(state)
            | waitlist::Event::SettingsChanged(state)
            | waitlist::Event::Opened(state)
            | waitlist::Event::Closed(state) => Self::Kept(state.clone()),
            waitlist::Event::Deleted(_) => Self::Deleted,
        }
    }
}
