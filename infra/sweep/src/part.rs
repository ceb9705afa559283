//! The parts of a sweep.

use infra::log::Place;
use schema::projection::Name;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::report::Report;

/// A part of a sweep, whose pages are read one after the other.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Part {
    /// A segment of the events table, after a commit.
    Commits { segment: u32, segments: u32, after: Option<Place> },
    /// The rows of a generation, after a row.
    Rows { projection: Name, generation: u64, after: Option<Uuid> },
}

/// A page that was read.
pub(crate) struct Page {
    pub(crate) found: Report,
    /// The rest of its part; `None` at the end.
    pub(crate) rest: Option<Part>,
}
