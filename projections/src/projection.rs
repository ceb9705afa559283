//! What a read model is: a pure fold that remembers.

use infra::rows::Row;
use schema::{Commit, Fact, commit::Unreadable, event::DomainEvent};

/// A read model with one row per stream.
pub trait Projection {
    /// The facts it folds.
    type Event: DomainEvent;

    /// What it remembers.
    type Row: Row;

    /// Its name, as operators know it.
    const NAME: &'static str;

    /// Version of the fold. A row that an older version wrote is folded anew from the log; one of a newer version is not
    /// touched.
    const VERSION: u32;

    /// The row after a fact; none while the stream has not begun as it should.
    fn project(row: Option<Self::Row>, fact: &Fact<Self::Event>) -> Option<Self::Row>;
}

/// Folds commits onto a row.
///
/// # Errors
/// A commit holds what this code cannot read.
pub fn fold<P: Projection>(row: Option<P::Row>, commits: &[Commit]) -> Result<Option<P::Row>, Unreadable> {
    commits.iter().try_fold(row, |row, commit| Ok(commit.facts::<P::Event>()?.iter().fold(row, P::project)))
}

/// Says that a struct with `id`, `seq`, `v` and `tenant` is a row of a table.
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
