//! Readings of an account's history by operators: each is recorded before it happens, where the owner sees it.

mod decide;
mod handler;

use infra::log::{Aggregate, Reading};
use schema::{Fact, reading::Event};

pub use self::handler::record;

/// An account's readings. No decision depends on earlier ones.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Readings;

impl Aggregate for Readings {
    type Event = Event;

    /// The stream grows without bound, and only its end is needed.
    const READING: Reading = Reading::Latest;

    fn evolve(self, _: &Fact<Event>) -> Self {
        self
    }
}
