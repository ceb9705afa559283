//! A rebuild: one attempt to make a new generation from the log.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Report, Segments};
use crate::{Actor, Time, commit::Tag};

/// A rebuild of a projection.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rebuild {
    pub id: Uuid,
    /// Number of the event that requested it; it also names the table of its rows.
    pub generation: u64,
    pub requested_by: Actor,
    pub requested_at: Time,
    /// Why, in the operator's words. It is not personal data, and stays in clear.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    pub promote: Promote,
    /// The bound on the write units that the workers together consume in a second.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub write_units_per_second: Option<u32>,
    /// The command that requested it, if it had an idempotency key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command: Option<Command>,
    pub stage: Stage,
    /// The time at which the candidate's table existed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prepared_at: Option<Time>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finished_at: Option<Time>,
    /// Segments of the events table, from Prepared on.
    pub scanned: Segments,
    /// Segments of the row tables, from Prepared on.
    pub verified: Segments,
    pub done: Done,
    pub report: Report,
}

/// Identifies the command that requested a rebuild.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Command {
    /// Hash of the idempotency key, in hexadecimal.
    key: String,
    /// Hash of the request's content.
    request: String,
}

impl Command {
    #[must_use]
    pub fn new(key: Tag, request: Tag) -> Self {
        Self { key: format!("{key:?}"), request: format!("{request:?}") }
    }

    /// Whether both have the same idempotency key.
    #[must_use]
    pub fn has_key_of(&self, other: &Self) -> bool {
        self.key == other.key
    }
}

/// Who decides that a verified candidate becomes live.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Promote {
    /// It becomes live at once if no row differs from the live one, or only as another version of the fold makes
    /// expected.
    #[default]
    Auto,
    /// An operator promotes it.
    Manual,
}

/// A part of a rebuild that is done by segments.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Phase {
    /// Reads the events table and writes rows.
    Scan,
    /// Compares rows.
    Verify,
}

/// How far a rebuild is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Stage {
    Requested,
    /// The candidate's table exists. Scanning begins once every feed writes the candidate.
    Prepared,
    Scanning,
    Verifying,
    /// Verified, and not live yet.
    Ready,
    Promoted,
    Rejected,
    Cancelled,
    /// It was live, and the generation before it is live again.
    RolledBack,
}

/// The work that was done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Done {
    /// Commits that were scanned, of all streams.
    pub commits: u64,
    /// Rows that were written to the candidate by the scan.
    pub rows: u64,
    pub read_units: u64,
    pub write_units: u64,
}

impl Rebuild {
    /// The segments of a phase.
    #[must_use]
    pub fn segments(&self, phase: Phase) -> &Segments {
        match phase {
            Phase::Scan => &self.scanned,
            Phase::Verify => &self.verified,
        }
    }
}

impl Stage {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Requested => "requested",
            Self::Prepared => "prepared",
            Self::Scanning => "scanning",
            Self::Verifying => "verifying",
            Self::Ready => "ready",
            Self::Promoted => "promoted",
            Self::Rejected => "rejected",
            Self::Cancelled => "cancelled",
            Self::RolledBack => "rolled-back",
        }
    }

    #[must_use]
    pub fn is_unfinished(self) -> bool {
        match self {
            Self::Requested | Self::Prepared | Self::Scanning | Self::Verifying | Self::Ready => true,
            Self::Promoted | Self::Rejected | Self::Cancelled | Self::RolledBack => false,
        }
    }
}

impl Done {
    pub fn add(&mut self, other: Self) {
        let Self { commits, rows, read_units, write_units } = other;
        self.commits += commits;
        self.rows += rows;
        self.read_units += read_units;
        self.write_units += write_units;
    }
}
