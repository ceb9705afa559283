//! The steps of rebuilds, as messages of their queue. They stand here because the tick asks for one as well, and does not
//! know the worker.

use schema::projection::{Done, Name, Phase, Report};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{failure::Failure, log::Place};

/// A step of a projection's rebuild.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Work {
    pub projection: Name,
    pub step: Step,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Step {
    /// Creates the candidate's table.
    Prepare { rebuild: Uuid },
    /// Queues the first segments of a phase. It is one message, so that a process which ends while it queues them
    /// leaves none out: the message comes again.
    Begin { rebuild: Uuid, phase: Phase },
    /// Writes the rows of a segment of the events table.
    Scan { rebuild: Uuid, part: Part<Option<Place>> },
    /// Compares the rows of a segment of the row tables.
    Verify { rebuild: Uuid, part: Part<Places> },
    /// Makes the verified candidate live, if the rebuild is to be promoted automatically.
    Conclude { rebuild: Uuid },
    /// Retires the former generation once its time is over. The tick asks for it.
    Retire { generation: u64 },
    /// Deletes the table of a retired generation.
    Drop { generation: u64 },
}

/// The rest of a segment, with what was done in it before.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Part<Start> {
    pub segment: u32,
    /// The place behind which the rest begins. The default is the beginning of the segment.
    pub from: Start,
    pub done: Done,
    pub found: Report,
}

/// The places that the scans of both generations have reached in a segment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Places {
    pub live: Reached,
    pub candidate: Reached,
}

/// The place that a scan of rows has reached.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Reached {
    #[default]
    Nothing,
    /// The id of the last row that was read.
    Row(Uuid),
    End,
}

impl Work {
    /// The body of the message.
    ///
    /// # Errors
    /// The step cannot be serialised.
    pub fn body(&self) -> Result<String, Failure> {
        let doing = || format!("send a step of the rebuild of {}", self.projection.as_str());
        serde_json::to_string(self).map_err(|cause| Failure::broken(doing(), cause))
    }
}

impl<Start: Default> Part<Start> {
    /// A segment of which nothing was done.
    #[must_use]
    pub fn whole(segment: u32) -> Self {
        Self { segment, from: Start::default(), done: Done::default(), found: Report::default() }
    }
}
