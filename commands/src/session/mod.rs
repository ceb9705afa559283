//! A session: begins with a sign-in, and accepts one refresh token after the other.

mod decide;
pub(crate) mod handler;
mod standing;

use infra::log::{Aggregate, Reading};
use schema::{
    Fact,
    session::{Event, State},
};

pub(crate) use self::handler::latest;
pub use self::{
    decide::{Command, REFRESH_GRACE_MS, REFRESH_TTL_MS, Refusal, Standing},
    standing::standing,
};

/// The folded session. Each of its events carries the whole state.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Session {
    #[default]
    None,
    Live(State),
    /// Signed out, or revoked because an old refresh token was used.
    Ended,
}

impl Aggregate for Session {
    type Event = Event;

    const READING: Reading = Reading::Latest;

    /// Unbounded, because one commit is read however long the stream.
    const EVENTS_MAX: u64 = u64::MAX;

    fn evolve(self, fact: &Fact<Event>) -> Self {
        fact.event.state().map_or(Self::Ended, |state| Self::Live(state.clone()))
    }
}
