//! Events of a projection: its generations and its rebuilds. Each holds the whole state, so one commit is read
//! however long the stream.
//!
//! A generation is one complete set of rows, in a table of its own. A rebuild makes a new generation from the log,
//! the candidate, while reads go on from the live one. Once verified, the candidate becomes live, and the former
//! generation is kept up to date for a while, so that one step back is possible.

mod name;
mod rebuild;
mod report;
mod segments;

use serde::{Deserialize, Serialize};

pub use self::{
    name::Name,
    rebuild::{Command, Done, Phase, Promote, Rebuild, Stage},
    report::{EXAMPLES_MAX, Example, Finding, Report},
    segments::Segments,
};
use crate::{Time, UserId, event::events};

/// The rebuilds that the state remembers: older ones stay in the log alone.
pub const REBUILDS_MAX: usize = 20;

/// The last rebuilds whose reports name differences; older ones keep the counts. Every event holds the whole state, so
/// its size is the price of each.
pub const WITH_EXAMPLES_MAX: usize = 3;

/// A projection after an event.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    /// The generation that reads are served from. Generation 0 exists from the start.
    pub live: u64,
    /// The generation that was live before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous: Option<Previous>,
    /// Generations without a role, whose tables are still to be deleted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub retired: Vec<Retired>,
    /// The last [`REBUILDS_MAX`] rebuilds, oldest first. Only the last one can be unfinished.
    pub rebuilds: Vec<Rebuild>,
    /// The operator whose command led to this state; `None` if the rebuild's worker did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<UserId>,
}

/// The generation that was live before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Previous {
    pub generation: u64,
    /// The time from which on it is retired.
    pub until: Time,
}

/// A generation that no reader uses and no feed writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Retired {
    pub generation: u64,
    /// The time at which it lost its role. Processes learn of it a little later.
    pub at: Time,
}

/// The generations that the feed writes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Roles {
    /// Reads are served from it.
    pub live: u64,
    pub previous: Option<u64>,
    /// The time until which the previous generation is kept.
    pub previous_until: Option<Time>,
    /// The generation of an unfinished rebuild whose table exists.
    pub candidate: Option<u64>,
}

events! {
    /// An event of a projection.
    Projection;
    "projection.rebuild-requested" v1 => RebuildRequested(State),
    /// The candidate's table exists. The feed writes the candidate from here on.
    "projection.prepared" v1 => Prepared(State),
    /// The streams of a segment of the events table are in the candidate, or the rows of a segment are verified.
    "projection.segment-finished" v1 => SegmentFinished(State),
    /// Every row of the candidate is compared with the live one.
    "projection.verified" v1 => Verified(State),
    /// The candidate is live.
    "projection.promoted" v1 => Promoted(State),
    /// The candidate has faults, so it can never be live.
    "projection.rejected" v1 => Rejected(State),
    "projection.cancelled" v1 => Cancelled(State),
    /// The former generation is live again.
    "projection.rolled-back" v1 => RolledBack(State),
    /// The former generation lost its role.
    "projection.retired" v1 => Retired(State),
    /// The table of a retired generation is deleted.
    "projection.dropped" v1 => Dropped(State),
}

impl Event {
    #[must_use]
    pub fn state(&self) -> &State {
        match self {
            Self::RebuildRequested(state)
            | Self::Prepared(state)
            | Self::SegmentFinished(state)
            | Self::Verified(state)
            | Self::Promoted(state)
            | Self::Rejected(state)
            | Self::Cancelled(state)
            | Self::RolledBack(state)
            | Self::Retired(state)
            | Self::Dropped(state) => state,
        }
    }
}

impl State {
    #[must_use]
    pub fn roles(&self) -> Roles {
        let candidate = self.building().filter(|rebuild| rebuild.prepared_at.is_some());
        Roles {
            live: self.live,
            previous: self.previous.map(|previous| previous.generation),
            previous_until: self.previous.map(|previous| previous.until),
            candidate: candidate.map(|rebuild| rebuild.generation),
        }
    }

    /// The unfinished rebuild.
    #[must_use]
    pub fn building(&self) -> Option<&Rebuild> {
        self.rebuilds.last().filter(|rebuild| rebuild.stage.is_unfinished())
    }

    /// Takes its role from the former generation, if there is one.
    pub fn retire_previous(&mut self, at: Time) {
        let former = self.previous.take();
        self.retired.extend(former.map(|Previous { generation, .. }| Retired { generation, at }));
    }

    /// Ends the rebuild in this place, whose candidate never becomes live.
    pub fn give_up(&mut self, place: usize, stage: Stage, at: Time) {
        if let Some(rebuild) = self.rebuilds.get_mut(place) {
            rebuild.stage = stage;
            rebuild.finished_at = Some(at);
            self.retired.push(Retired { generation: rebuild.generation, at });
        }
    }

    /// Adds a rebuild, and forgets what is too old.
    pub fn add(&mut self, rebuild: Rebuild) {
        self.rebuilds.push(rebuild);
        let too_many = self.rebuilds.len().saturating_sub(REBUILDS_MAX);
        self.rebuilds.drain(..too_many);
        let older = self.rebuilds.iter_mut().rev().skip(WITH_EXAMPLES_MAX);
        older.for_each(|rebuild| rebuild.report.examples.clear());
    }

    #[must_use]
    pub fn rebuild(&self, id: uuid::Uuid) -> Option<&Rebuild> {
        self.rebuilds.iter().find(|rebuild| rebuild.id == id)
    }
}

impl Roles {
    /// All generations, the live one first.
    pub fn all(self) -> impl Iterator<Item = u64> {
        [Some(self.live), self.previous, self.candidate].into_iter().flatten()
    }
}

#[cfg(test)]
mod tests;
