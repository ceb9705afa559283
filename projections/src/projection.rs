//! The trait of projections, and the fold of commits into rows.

use infra::rows::Row;
use schema::{Commit, Fact, commit::Unreadable, event::DomainEvent};

/// A pure fold of a stream's facts into one row.
pub trait Projection {
    type Event: DomainEvent;

    type Row: Row;

    /// The name that operators see.
    const NAME: &'static str;

    /// The version of the fold. A row of an older version is folded again from the log; a row of a newer
    /// version is not written.
    const VERSION: u32;

    /// Returns the row after a fact, or `None` if the stream does not begin with its first event.
    fn project(row: Option<Self::Row>, fact: &Fact<Self::Event>) -> Option<Self::Row>;
}

/// Folds commits into a row.
///
/// # Errors
/// A commit holds an event that this code cannot read.
pub fn fold<P: Projection>(row: Option<P::Row>, commits: &[Commit]) -> Result<Option<P::Row>, Unreadable> {
    commits.iter().try_fold(row, |row, commit| Ok(commit.facts::<P::Event>()?.iter().fold(row, P::project)))
}

/// Implements `Row` for a struct with the fields `id`, `seq`, `v` and `tenant`.
macro_rules! row {
    ($row:ty, $table:expr) => {
        impl infra::rows::Row for $row {
            const TABLE: schema::table::Table = $table;

            fn id(&self) -> String {
                self.id.to_string()
            }

            fn seq(&self) -> u64 {
                self.seq
            }

            fn version(&self) -> u32 {
                self.v
            }

            fn tenant(&self) -> schema::UserId {
                self.tenant
            }
        }
    };
}
pub(crate) use row;
