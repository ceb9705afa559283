//! The read model of lists: one row per list, for an account's lists and for what every page of a list begins with.

pub(crate) mod query;

use schema::{
    Fact, Time, UserId, WaitlistId, table,
    waitlist::{Event, State},
};
use serde::{Deserialize, Serialize};

use crate::projection::{Projection, row};

/// The read model `waitlists`.
#[derive(Clone, Copy, Debug)]
pub struct Waitlists;

/// A list, as it is remembered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WaitlistRow {
    /// The list.
    pub id: WaitlistId,
    /// Number of the last event it shows.
    pub seq: u64,
    /// Version of the fold that wrote it.
    pub v: u32,
    /// Whose it is.
    pub tenant: UserId,
    /// The list itself.
    pub list: State,
    /// Key of the index `owned`; gone with the list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<UserId>,
    /// Place in the index `owned`: when it was made, and its id.
    pub made: String,
    /// When the last event was.
    pub at: Time,
    /// Key of the index `due`: one of a few, once the list is gone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due_in: Option<String>,
    /// Place in the index `due`: since when it is gone. For a day the minute's look sees whether anybody was left on it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due_at: Option<Time>,
}

impl WaitlistRow {
    /// Whether the list is there.
    #[must_use]
    pub fn is_kept(&self) -> bool {
        self.owner.is_some()
    }
}

row!(WaitlistRow, table::WAITLISTS);

impl Projection for Waitlists {
    type Event = Event;
    type Row = WaitlistRow;

    const NAME: &'static str = "waitlists";
    const VERSION: u32 = 2;

    fn project(row: Option<WaitlistRow>, fact: &Fact<Event>) -> Option<WaitlistRow> {
        let id = WaitlistId(fact.stream.id);
        let owner = row.as_ref().map_or(Some(fact.tenant), |row| row.owner);
        let list = fact.event.state().clone();
        let gone = matches!(fact.event, Event::Deleted(_));
        Some(WaitlistRow {
            id,
            seq: fact.seq,
            v: Self::VERSION,
            tenant: fact.tenant,
            owner: if gone { None } else { owner },
            made: format!("{}#{id}", list.created_at),
            list,
            at: fact.at,
            due_in: gone.then(|| table::due_in(id.0)),
            due_at: gone.then_some(fact.at),
        })
    }
}
