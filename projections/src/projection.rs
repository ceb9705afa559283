//! The trait of projections, and the fold of commits into rows.

use schema::{Commit, Fact, Time, commit::Unreadable, event::DomainEvent, projection::Name, table::Row};

/// A pure fold of a stream's facts into one row.
pub trait Projection {
    type Event: DomainEvent;

    type Row: Row;

    const NAME: Name = Self::Row::TABLE.projection;

    /// The version of the fold. A row of an older version is folded again from the log; a row of a newer
    /// version is not written.
    const VERSION: u32;

    /// Makes the row of a stream from its first event. Returns `None` for other events.
    fn begin(fact: &Fact<Self::Event>) -> Option<Self::Row>;

    /// Applies an event to the row, the first one included.
    fn apply(row: &mut Self::Row, fact: &Fact<Self::Event>);

    /// Returns the time from which the tick finds the row after this event, or `None` if nothing is due.
    fn due_at(row: &Self::Row, fact: &Fact<Self::Event>) -> Option<Time>;

    /// Returns the row after a fact, or `None` if the stream does not begin with its first event.
    fn project(row: Option<Self::Row>, fact: &Fact<Self::Event>) -> Option<Self::Row> {
        let mut row = Self::begin(fact).or(row)?;
        Self::apply(&mut row, fact);
        let due_at = Self::due_at(&row, fact);
        row.stamp(fact.seq, Self::VERSION, due_at);
        Some(row)
    }
}

/// Folds commits into a row.
///
/// # Errors
/// A commit holds an event that this code cannot read.
pub fn fold<P: Projection>(row: Option<P::Row>, commits: &[Commit]) -> Result<Option<P::Row>, Unreadable> {
    commits.iter().try_fold(row, |row, commit| Ok(commit.facts::<P::Event>()?.iter().fold(row, P::project)))
}
