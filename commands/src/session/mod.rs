//! A sign-in: which refresh token is good, and until when.

mod decide;
pub(crate) mod handler;
mod standing;

use infra::log::Aggregate;
use schema::{
    Fact,
    session::{Event, State},
};

pub(crate) use self::handler::latest;
pub use self::{
    decide::{Command, REFRESH_GRACE_MS, REFRESH_TTL_MS, Refusal, Standing, decide},
    standing::standing,
};

/// What deciding needs to know of a session. Every fact carries it whole.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Session {
    /// It never was.
    #[default]
    None,
    /// It goes on.
    Live(State),
    /// It was revoked.
    Ended,
}

impl Aggregate for Session {
    type Event = Event;

    const LATEST_ONLY: bool = true;

    fn evolve(self, fact: &Fact<Event>) -> Self {
        fact.event.state().map_or(Self::Ended, |state| Self::Live(state.clone()))
    }
}
