//! The report of a sweep.

use schema::{StreamId, projection::Name};
use serde::{Deserialize, Serialize};

/// The rows ahead of the log that are named. The others are counted.
pub const NAMED_MAX: usize = 100;

/// The findings of a sweep, or of a part of it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Report {
    pub commits: u64,
    pub streams: u64,
    /// Doorbells that were rung again, one for each row that is behind or missing, and for each stuck rebuild.
    pub rung: u64,
    /// Rows that show an event which the log lacks.
    pub ahead: u64,
    /// Rows of streams without any commit.
    pub extra: u64,
    /// Erased guests and accounts that had a key again, and are erased again.
    pub buried: u64,
    /// Pointers to given-up stream records that were deleted, because the sweep began after they arrived.
    pub pointers: u64,
    pub read_units: f64,
    /// The first [`NAMED_MAX`] rows of `ahead` and `extra`.
    pub named: Vec<Ahead>,
}

/// A row that shows an event which the log lacks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ahead {
    pub projection: Name,
    pub generation: u64,
    pub stream: StreamId,
    /// Number of the last event that the row shows.
    pub shows: u64,
    /// Number of the stream's last event; 0 without any.
    pub last: u64,
}

impl Report {
    /// Whether a person has to look at the report.
    #[must_use]
    pub fn is_ok(&self) -> bool {
        self.ahead + self.extra == 0
    }

    pub(crate) fn find(&mut self, row: Ahead) {
        if row.last == 0 {
            self.extra += 1;
        } else {
            self.ahead += 1;
        }
        if self.named.len() < NAMED_MAX {
            self.named.push(row);
        }
    }

    pub(crate) fn add(&mut self, other: Self) {
        let Self { commits, streams, rung, ahead, extra, buried, pointers, read_units, named } = other;
        self.commits += commits;
        self.streams += streams;
        self.rung += rung;
        self.ahead += ahead;
        self.extra += extra;
        self.buried += buried;
        self.pointers += pointers;
        self.read_units += read_units;
        let room = NAMED_MAX - self.named.len();
        self.named.extend(named.into_iter().take(room));
    }
}
