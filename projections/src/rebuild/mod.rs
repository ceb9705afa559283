//! Rebuilding a projection: a new generation of rows is made from the log while reads go on, verified, and then
//! served.

pub(crate) mod advance;
mod budget;
mod collect;
mod compare;
mod decide;
pub(crate) mod handler;
mod missed;
pub mod operate;
mod pairs;
mod progress;
mod quote;
mod refusal;
pub mod repair;
mod sample;
mod scan;
pub mod show;
mod step;
mod units;
mod verify;
mod worker;

use infra::log::{Aggregate, Reading};
use schema::{
    Fact,
    projection::{Event, State},
};

pub use self::{
    budget::Budget,
    decide::{Command, PREVIOUS_KEPT_MS, Request},
    quote::quote,
    refusal::Refusal,
    sample::Sampling,
    step::has_due_step,
    worker::{Bounds, Worker},
};

/// The most workers that run at once in AWS: the mapping's MaximumConcurrency. Each takes one message at a time.
pub const WORKERS_MAX: u32 = 8;

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
