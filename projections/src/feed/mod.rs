//! The feed: turns doorbells into rows.
//!
//! A stream record is a doorbell, not the truth. It is applied when it is exactly what the row waits for; what is older is
//! skipped, and across a gap the log itself is read. Rows are written on condition of what they were. So duplicates,
//! reordering, loss, several shards and several feeds at once all end in the same rows.

mod retry;
mod stream;

use infra::{
    Backend, Failure, fault,
    rows::{Found, Row},
};
use schema::{Commit, StreamId, commit::Tail, id::Category};

pub use self::{
    retry::{Parked, retry},
    stream::{CONSUMER, Feed},
};
use crate::{
    mails::Mails,
    projection::{Projection, fold},
    users::Users,
    waitees::Waitees,
    waitlists::Waitlists,
};

/// How often a row is read again when another feed writes it at the same time.
const RACES_MAX: u32 = 10;

/// Something happened in a stream, up to event `last`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Doorbell {
    /// Where.
    pub stream: StreamId,
    /// Number of the last event there is, as far as this doorbell knows.
    pub last: u64,
    /// The commits that came with it, in order of seq; may be none, and may have gaps.
    pub commits: Vec<Commit>,
}

/// What a doorbell led to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Applied {
    /// The row shows it now.
    Written,
    /// The row showed it already.
    Known,
    /// No read model is about such streams.
    Nothing,
}

/// Brings the rows of a doorbell's stream up to date. Common case: 1 read unit, and the row's write units.
///
/// # Errors
/// The row is a newer version's, the log lacks what the doorbell announced or cannot be understood, or a table does not answer.
pub async fn apply(backend: &Backend, doorbell: &Doorbell) -> Result<Applied, Failure> {
    match doorbell.stream.category {
        Category::Waitlist => apply_to::<Waitlists>(backend, doorbell).await,
        Category::Waitee => apply_to::<Waitees>(backend, doorbell).await,
        Category::User => apply_to::<Users>(backend, doorbell).await,
        Category::Mail => apply_to::<Mails>(backend, doorbell).await,
        Category::Session => Ok(Applied::Nothing),
    }
}

async fn apply_to<P: Projection>(backend: &Backend, doorbell: &Doorbell) -> Result<Applied, Failure> {
    let Doorbell { stream, last, commits } = doorbell;
    let doing = || format!("project {stream} into {}", P::NAME);
    for _ in 0..RACES_MAX {
        let old: Option<Found<P::Row>> = backend.rows.get(&stream.id.to_string(), P::VERSION).await?;
        fault::point("feed.row-read");
        if let Some(newer) = old.as_ref().filter(|old| old.version > P::VERSION) {
            return Err(Failure::broken(
                doing(),
                format!("the row is of version {}, this code of {}", newer.version, P::VERSION),
            ));
        }
        let current = old.as_ref().and_then(|old| old.row.clone());
        let shown = current.as_ref().map_or(0, Row::seq);
        if shown >= *last {
            return Ok(Applied::Known);
        }
        let new = match brought(commits, shown, *last) {
            Some(run) => fold::<P>(current, &run),
            None => fold::<P>(current, &backend.log.load_after(*stream, shown).await?),
        };
        let new = new.map_err(|cause| Failure::broken(doing(), cause))?;
        let new = new
            .filter(|row| row.seq() >= *last)
            .ok_or_else(|| Failure::broken(doing(), format!("the log ends before {last}")))?;
        fault::point("feed.row-folded");
        if backend.rows.put(&new, old.as_ref()).await? {
            fault::point("feed.row-written");
            return Ok(Applied::Written);
        }
    }
    Err(Failure::Conflict)
}

/// The commits that lead from event `shown` to `last` without a gap, unaltered; none when the doorbell did not bring them.
fn brought(commits: &[Commit], shown: u64, last: u64) -> Option<Vec<Commit>> {
    let run: Vec<Commit> = commits.iter().filter(|commit| commit.seq > shown).cloned().collect();
    let first = run.first()?;
    let mut tail = Tail { seq: shown, at: None, hash: first.prev };
    for commit in &run {
        tail = tail.follow(commit).ok()?;
    }
    (tail.seq >= last).then_some(run)
}
