//! The streams of an account, by the audit index, from the newest month to the oldest.
//!
//! A stream is checked at the place of its first commit in the index. An alteration may have taken that commit out
//! of the index, so where the index has only later commits of a stream, the first one is read from the log.

use std::collections::{BTreeMap, VecDeque};

use futures::{StreamExt as _, TryStreamExt as _, stream as streams};
use infra::{
    Backend, Failure,
    log::RawEntry,
    rows::{Order, Range},
};
use schema::{Commit, StreamId, UserId, commit::Chain};

use super::place::{At, Month, Step};
use crate::{shown::readable, users::Users};

/// The most months without commits that a page looks at.
const EMPTY_MONTHS_MAX: u32 = 24;
/// The most commits of the index that a page reads.
const ENTRIES_MAX: usize = 1_000;
const ENTRIES_AT_ONCE: usize = 200;
const STREAMS_AT_ONCE: usize = 8;

/// How far a page has looked, and the account's first month.
#[derive(Default)]
pub(super) struct Months {
    empty: u32,
    entries: usize,
    /// The month of the registration; `None` if it was not looked for, `Some(None)` if there is none.
    first: Option<Option<Month>>,
}

/// The month of now.
pub(super) fn of_clock(backend: &Backend) -> Option<Month> {
    Month::of(backend.clock.now())
}

impl Months {
    pub(super) fn may_look(&self) -> bool {
        self.empty < EMPTY_MONTHS_MAX && self.entries < ENTRIES_MAX
    }

    /// Finds streams in a month, before the commit `before`. Returns the next place to look.
    pub(super) async fn look(
        &mut self,
        backend: &Backend,
        account: UserId,
        month: Month,
        before: &str,
        found: &mut VecDeque<Step>,
    ) -> Result<Option<(Month, String)>, Failure> {
        let range = if before.is_empty() { Range::All } else { Range::Before(before) };
        let page = backend
            .log
            .raw_month(account, &month.to_string(), range, Order::Descending, ENTRIES_AT_ONCE)
            .await?;
        self.entries += page.entries.len();
        let entries: Vec<Entry> = page.entries.iter().filter_map(Entry::of).collect();
        found.extend(steps(backend, account, month, &entries).await?);
        if let Some(end) = page.end {
            return Ok(Some((month, end)));
        }
        self.empty += u32::from(page.entries.is_empty() && before.is_empty());
        let first = match self.first {
            Some(first) => first,
            None => *self.first.insert(registered(backend, account).await?),
        };
        // Tokens of the command line can name accounts that were never registered: those end after many empty months.
        let is_first = first.map_or(self.empty >= EMPTY_MONTHS_MAX, |first| month <= first);
        Ok((!is_first).then(|| (month.previous(), String::new())))
    }
}

/// A commit in the index, of a stream that this code knows.
struct Entry {
    stream: StreamId,
    is_first: bool,
    commit: String,
}

impl Entry {
    fn of(raw: &RawEntry) -> Option<Self> {
        Some(Self { stream: raw.stream?, is_first: raw.seq == 1, commit: raw.commit.clone() })
    }
}

/// The streams of these entries of a month that are to be checked here, in the order of the entries.
async fn steps(
    backend: &Backend,
    account: UserId,
    month: Month,
    entries: &[Entry],
) -> Result<Vec<Step>, Failure> {
    // The last entry of a stream is its oldest.
    let oldest: BTreeMap<StreamId, &Entry> = entries.iter().map(|entry| (entry.stream, entry)).collect();
    let (Some(newest), Some(end)) = (entries.first(), entries.last()) else { return Ok(Vec::new()) };
    let (of_first, others): (Vec<&Entry>, _) = oldest.into_values().partition(|entry| entry.is_first);
    let streams: Vec<StreamId> = others.iter().map(|entry| entry.stream).collect();
    let firsts = streams::iter(streams)
        .map(|stream| first(backend, account, stream))
        .buffered(STREAMS_AT_ONCE)
        .try_collect::<Vec<_>>()
        .await?;
    let is_here = |first: &Commit| {
        let (id, of) = (first.commit.to_string(), Month::of(first.at));
        of == Some(month) && (end.commit.as_str()..=newest.commit.as_str()).contains(&id.as_str())
    };
    let is_due = |first: Option<Commit>| first.is_none_or(|first| is_here(&first));
    let due =
        others.into_iter().zip(firsts).filter(|(_, first)| is_due(first.clone())).map(|(entry, _)| entry);
    let mut to_check: Vec<&Entry> = of_first.into_iter().chain(due).collect();
    to_check.sort_by(|a, b| b.commit.cmp(&a.commit));
    let step = |entry: &Entry| Step { stream: entry.stream, after: At::Month(month, entry.commit.clone()) };
    Ok(to_check.into_iter().map(step).collect())
}

/// The first commit of a stream, if it is intact and so has its entry in the index.
async fn first(backend: &Backend, account: UserId, stream: StreamId) -> Result<Option<Commit>, Failure> {
    let first = backend.log.raw_after(stream, Some(0), 1).await?.commits.pop();
    let is_intact = first.as_ref().is_some_and(|first| Chain::START.follow(first).broken.is_none());
    let commit = first.filter(|_| is_intact).and_then(|first| first.commit);
    let is_indexed = |commit: &Commit| {
        commit.tenant == account && commit.derived().is_ok_and(|derived| derived.month.is_some())
    };
    Ok(commit.filter(is_indexed))
}

/// The month in which the account registered.
async fn registered(backend: &Backend, account: UserId) -> Result<Option<Month>, Failure> {
    if let Some(row) = readable::<Users>(backend, account.0).await? {
        return Ok(Month::of(row.registered_at));
    }
    let first = backend.log.raw_after(account.into(), Some(0), 1).await?.commits.pop();
    Ok(first.and_then(|first| Month::of(first.commit?.at)))
}
