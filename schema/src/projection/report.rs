//! What verification found: the differences between the candidate, the live generation and the log.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::StreamId;

/// The differences that a report names. It counts all of them.
pub const EXAMPLES_MAX: usize = 20;

/// The differences between the rows of the candidate and of the live generation, counted by streams.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Report {
    /// Streams that were compared.
    pub streams: u64,
    /// The candidate lacks the row.
    pub missing: u64,
    /// The candidate has a row, but the log has no such stream.
    pub extra: u64,
    /// The row differs from the live one, which was written by the same version of the fold from the same events.
    pub drift: u64,
    /// Of these, the candidate's row is not what the log folds to.
    pub wrong: u64,
    /// The row differs from the live one, which was written by another version of the fold.
    pub expected: u64,
    /// The row did not show all events of its stream, even after it was projected again.
    pub lagging: u64,
    /// The stream holds an event that this code cannot read.
    pub unreadable: u64,
    /// The first differences, at most 20; none for all but the last three rebuilds.
    pub examples: Vec<Example>,
}

/// A difference in one stream.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Example {
    pub finding: Finding,
    pub stream: StreamId,
    /// The event that the rows show.
    pub seq: u64,
    /// The first attribute that differs; null if one of the rows is missing.
    pub field: Option<String>,
    /// Its value in the live row. Sealed values are not shown; a value whose JSON text is longer than 256 bytes is
    /// shown as the beginning of that text.
    pub live: Value,
    /// Its value in the candidate's row.
    pub candidate: Value,
}

/// The kind of a difference.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Finding {
    Missing,
    Extra,
    Drift,
    Wrong,
    Expected,
    Lagging,
    Unreadable,
}

impl Report {
    /// Adds what was found in another segment.
    pub fn add(&mut self, other: Self) {
        let Self { streams, missing, extra, drift, wrong, expected, lagging, unreadable, examples } = other;
        self.streams += streams;
        self.missing += missing;
        self.extra += extra;
        self.drift += drift;
        self.wrong += wrong;
        self.expected += expected;
        self.lagging += lagging;
        self.unreadable += unreadable;
        self.examples.extend(examples);
        self.examples.truncate(EXAMPLES_MAX);
    }

    /// Counts a difference, and names it while there is room. A wrong row is also drift.
    pub fn find(&mut self, example: Example) {
        match example.finding {
            Finding::Missing => self.missing += 1,
            Finding::Extra => self.extra += 1,
            Finding::Drift => self.drift += 1,
            Finding::Wrong => {
                self.drift += 1;
                self.wrong += 1;
            }
            Finding::Expected => self.expected += 1,
            Finding::Lagging => self.lagging += 1,
            Finding::Unreadable => self.unreadable += 1,
        }
        if self.examples.len() < EXAMPLES_MAX {
            self.examples.push(example);
        }
    }

    /// Whether the candidate itself has faults, so that it must not become live.
    #[must_use]
    pub fn bars(&self) -> bool {
        self.missing + self.extra + self.wrong + self.lagging + self.unreadable > 0
    }
}
