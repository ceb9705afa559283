//! The feed: applies doorbells to rows.
//!
//! A stream record is a doorbell, not the truth. The feed folds its commits if they directly follow the row,
//! skips what the row shows already, and reads the log if there is a gap. Rows are written conditionally on
//! their former state. Duplicates, reordering, loss, several shards and concurrent feeds therefore all lead
//! to the same rows.

mod retry;
mod stream;

use infra::{Backend, Failure, fault, rows::Found};
use schema::{Commit, StreamId, commit::Tail, id::Category, table::Row as _};

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

/// Attempts to write a row that other feeds keep writing.
const RACES_MAX: u32 = 10;

/// Announces that a stream has grown up to event `last`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Doorbell {
    pub stream: StreamId,
    pub last: u64,
    /// The commits that came with the doorbell, in order of `seq`. There may be gaps, or no commits at all.
    pub commits: Vec<Commit>,
}

/// The outcome of applying a doorbell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Applied {
    Written,
    /// The row showed the events already.
    AlreadyShown,
    /// No projection folds streams of this category.
    NoProjection,
}

/// Brings the row of a doorbell's stream up to date. Usually costs 1 read unit and the write units of the
/// row.
///
/// # Errors
/// The row has a newer version, the log ends before `last` or holds an unreadable event, or a table does not
/// answer.
pub async fn apply(backend: &Backend, doorbell: &Doorbell) -> Result<Applied, Failure> {
    match doorbell.stream.category {
        Category::Waitlist => apply_to::<Waitlists>(backend, doorbell).await,
        Category::Waitee => apply_to::<Waitees>(backend, doorbell).await,
        Category::User => apply_to::<Users>(backend, doorbell).await,
        Category::Mail => apply_to::<Mails>(backend, doorbell).await,
        Category::Session | Category::Access | Category::Projection => Ok(Applied::NoProjection),
    }
}

async fn apply_to<P: Projection>(backend: &Backend, doorbell: &Doorbell) -> Result<Applied, Failure> {
    let Doorbell { stream, last, commits } = doorbell;
    let doing = || format!("project {stream} into {}", P::NAME);
    for _ in 0..RACES_MAX {
        let old: Option<Found<P::Row>> = backend.rows.get(stream.id, P::VERSION).await?;
        fault::point("feed.row-read");
        if let Some(newer) = old.as_ref().filter(|old| old.version > P::VERSION) {
            return Err(Failure::broken(
                doing(),
                format!(
                    "the row has version {}, newer than version {} of this code",
                    newer.version,
                    P::VERSION
                ),
            ));
        }
        let current = old.as_ref().and_then(|old| old.row.clone());
        let shown = current.as_ref().map_or(0, P::Row::seq);
        if shown >= *last {
            return Ok(Applied::AlreadyShown);
        }
        let new = match contiguous(commits, shown, *last) {
            Some(run) => fold::<P>(current, &run),
            None => fold::<P>(current, &backend.log.load_after(*stream, shown).await?),
        };
        let new = new.map_err(|cause| Failure::broken(doing(), cause))?;
        let new = new
            .filter(|row| row.seq() >= *last)
            .ok_or_else(|| Failure::broken(doing(), format!("the log ends before event {last}")))?;
        fault::point("feed.row-folded");
        if backend.rows.put(&new, old.as_ref()).await? {
            fault::point("feed.row-written");
            return Ok(Applied::Written);
        }
    }
    Err(Failure::Conflict)
}

/// Returns the commits that lead from event `shown` to `last` without a gap or a broken hash chain, or `None`
/// if `commits` does not contain them.
fn contiguous(commits: &[Commit], shown: u64, last: u64) -> Option<Vec<Commit>> {
    let run: Vec<Commit> = commits.iter().filter(|commit| commit.seq > shown).cloned().collect();
    let first = run.first()?;
    let mut tail = Tail { seq: shown, at: None, hash: first.prev };
    for commit in &run {
        tail = tail.follow(commit).ok()?;
    }
    (tail.seq >= last).then_some(run)
}
