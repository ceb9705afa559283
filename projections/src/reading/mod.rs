//! Readings of an account's history by operators, and exports to its owner. Each is recorded before it happens, in a
//! stream of its own that the owner sees in the history.

mod decide;
mod record;

use infra::log::{Aggregate, Reading};
use schema::{Fact, reading::Event};

pub use self::record::{record, record_export};

/// An account's readings. No decision depends on earlier ones.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Readings;

impl Aggregate for Readings {
    type Event = Event;

    /// The stream grows without bound, and only its end is needed.
    const READING: Reading = Reading::Latest;
    const EVENTS_MAX: u64 = u64::MAX;

    fn evolve(self, _: &Fact<Event>) -> Self {
        self
    }
}
