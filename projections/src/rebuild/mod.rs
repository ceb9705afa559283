//! Rebuilding a projection: a new generation of rows is made from the log while reads go on, verified, and then
//! served.

mod decide;
pub(crate) mod handler;
pub mod operate;
mod progress;
mod refusal;
pub mod repair;
pub mod show;

use infra::log::{Aggregate, Reading};
use schema::{
    Fact,
    projection::{Event, State},
};

pub use self::{
    decide::{Command, PREVIOUS_KEPT_MS, Request},
    refusal::Refusal,
};

/// A projection's generations and rebuilds, folded. Each of its events carries the whole state.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Projection {
    pub state: State,
    /// Number of the last event.
    pub seq: u64,
}

impl Aggregate for Projection {
    type Event = Event;

    const READING: Reading = Reading::Latest;

    /// Unbounded, because one commit is read however long the stream.
    const EVENTS_MAX: u64 = u64::MAX;

    fn evolve(self, fact: &Fact<Event>) -> Self {
        Self { state: fact.event.state().clone(), seq: fact.seq }
    }
}
