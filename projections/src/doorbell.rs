//! Doorbells: hints that a stream has grown, and how its row is brought up to date.
//!
//! A stream record is a doorbell, not the truth. Its commits are folded if they directly follow the row, what the row
//! shows already is skipped, and the log is read if there is a gap. Rows are written conditionally on their former
//! state. Duplicates, reordering, loss, several shards and concurrent feeds therefore all lead to the same rows.

use infra::{
    Backend, Failure, fault,
    rows::{Found, Patience, Target},
};
use schema::{Commit, StreamId, commit::Tail, projection::Name, table::Row as _};

use crate::{
    dispatch::of_projection,
    lag,
    projection::{Projection, fold},
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

impl Doorbell {
    /// The id of the request that led to the last of its commits; empty without commits.
    #[must_use]
    pub fn correlation(&self) -> &str {
        self.commits.last().map_or("", |commit| &commit.correlation)
    }
}

/// The outcome of applying a doorbell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Applied {
    Written,
    /// The row showed the events already.
    AlreadyShown,
    /// Code of this newer version wrote the row, which is left as it is.
    RowIsNewer(u32),
    /// No projection folds streams of this category.
    NoProjection,
}

impl Applied {
    /// The name of the outcome in logs.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Written => "written",
            Self::AlreadyShown => "already-shown",
            Self::RowIsNewer(_) => "row-is-newer",
            Self::NoProjection => "no-projection",
        }
    }
}

/// Brings the row of a doorbell's stream up to date in the live generation. Usually costs 1 read unit and the write
/// units of the row.
///
/// # Errors
/// The log ends before `last` or holds an unreadable event, or a table does not answer.
pub async fn apply(backend: &Backend, doorbell: &Doorbell) -> Result<Applied, Failure> {
    let Some(name) = Name::folding(doorbell.stream.category) else { return Ok(Applied::NoProjection) };
    let generation = backend.rows.generations().current().await?.roles(name).live;
    apply_in(backend, doorbell, Target { generation, patience: Patience::Usual }).await
}

/// Like [`apply`], in one generation.
///
/// # Errors
/// As [`apply`].
pub async fn apply_in(backend: &Backend, doorbell: &Doorbell, target: Target) -> Result<Applied, Failure> {
    let Some(name) = Name::folding(doorbell.stream.category) else { return Ok(Applied::NoProjection) };
    of_projection!(name, P => apply_by::<P>(backend, doorbell, target).await)
}

/// Like [`apply_in`], by a fold that the caller names, which may be another version of a projection's.
///
/// # Errors
/// As [`apply`].
pub async fn apply_by<P: Projection>(
    backend: &Backend,
    doorbell: &Doorbell,
    target: Target,
) -> Result<Applied, Failure> {
    let Doorbell { stream, last, commits } = doorbell;
    let doing = || format!("project {stream} into {}", P::NAME.as_str());
    for _ in 0..RACES_MAX {
        let old: Option<Found<P::Row>> = backend.rows.get_in(target, stream.id, P::VERSION).await?;
        fault::point("feed.row-read");
        if let Some(newer) = old.as_ref().filter(|old| old.version > P::VERSION) {
            return Ok(Applied::RowIsNewer(newer.version));
        }
        let current = old.as_ref().and_then(|old| old.row.clone());
        let shown = current.as_ref().map_or(0, P::Row::seq);
        if shown >= *last {
            return Ok(Applied::AlreadyShown);
        }
        let commits = match contiguous(commits, shown, *last) {
            Some(run) => run,
            None => backend.log.load_after(*stream, shown).await?,
        };
        let new = fold::<P>(current, &commits);
        let new = new.map_err(|cause| Failure::broken(doing(), cause))?;
        let new = new
            .filter(|row| row.seq() >= *last)
            .ok_or_else(|| Failure::broken(doing(), format!("the log ends before event {last}")))?;
        fault::point("feed.row-folded");
        if backend.rows.put(target, &new, old.as_ref()).await? {
            fault::point("feed.row-written");
            if let (Patience::Usual, Some(latest)) = (target.patience, commits.last()) {
                lag::observe(backend, P::NAME, latest.at);
            }
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
