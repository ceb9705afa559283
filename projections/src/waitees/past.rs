//! Parties as of an earlier time, folded from the log. Only the erasure of a guest is shown as of now.

use futures::{StreamExt as _, TryStreamExt as _, future::try_join_all, stream};
use infra::{
    Backend, Failure,
    rows::{Order, Range, Selection},
};
use schema::{
    Actor, Commit, Problem, StreamId, Time, WaiteeId, WaitlistId, access,
    table::{DAY, DayEntry, DayKeys, WAITEES, WaiteeRow},
};
use tracing::warn;
use uuid::Uuid;

use super::Waitees;
use crate::projection::fold;

/// How long before `at` the parties of its board can have joined: the tick ends a visit after 24 hours, and may
/// be that late again.
const JOINED_BEFORE_MS: i64 = 48 * 3_600_000;

/// The most parties of a list that are examined for one board. Of more, the first to join are left out.
const ARRIVALS_MAX: usize = 10_000;

/// The most streams that one request reads at once.
const STREAMS_AT_ONCE: usize = 16;

/// A party as of `at`.
///
/// # Errors
/// 404 if the party had not joined by then or the caller may not see it. The log cannot be read.
pub(super) async fn found(
    backend: &Backend,
    caller: Actor,
    id: WaiteeId,
    at: Time,
) -> Result<WaiteeRow, Failure> {
    let row = party(backend, id, at).await?.ok_or_else(Problem::not_found)?;
    access::may(caller, id.into(), row.tenant)?;
    Ok(row)
}

/// The parties on a list's board as of `at`, in any order.
///
/// The index `day` names the parties that joined before, and their rows tell which of them were over by then.
/// Only the streams of the others are read, about one board. A party whose row is not written by
/// [`crate::complete::complete_until`] is missed.
///
/// # Errors
/// The rows or the log cannot be read.
pub(super) async fn board(backend: &Backend, list: WaitlistId, at: Time) -> Result<Vec<WaiteeRow>, Failure> {
    let rows: Vec<WaiteeRow> = backend.rows.get_all(&arrived(backend, list, at).await?).await?;
    let was_over = |row: &WaiteeRow| row.finished_at.is_some_and(|finished| finished <= at);
    let open: Vec<WaiteeId> = rows.iter().filter(|row| !was_over(row)).map(|row| row.id).collect();
    let parties = stream::iter(open.into_iter().map(|id| party(backend, id, at)));
    let parties: Vec<Option<WaiteeRow>> = parties.buffer_unordered(STREAMS_AT_ONCE).try_collect().await?;
    Ok(parties.into_iter().flatten().filter(|row| row.board() == Some(list)).collect())
}

/// The ids of the parties that may have been on the board.
async fn arrived(backend: &Backend, list: WaitlistId, at: Time) -> Result<Vec<Uuid>, Failure> {
    let after = at.plus_millis(-JOINED_BEFORE_MS);
    let (low, high) = DayKeys::arrivals(after, at);
    let partitions: Vec<String> = DayKeys::days(after, at).map(|day| DayKeys::partition(list, day)).collect();
    let pages = partitions.iter().map(|partition| {
        let (range, order) = (Range::Between(&low, &high), Order::Descending);
        let selection = Selection { index: DAY, partition, range, order };
        backend.rows.entries::<DayEntry>(WAITEES, selection, ARRIVALS_MAX + 1, None)
    });
    let mut entries: Vec<DayEntry> =
        try_join_all(pages).await?.into_iter().flat_map(|page| page.rows).collect();
    if entries.len() > ARRIVALS_MAX {
        warn!(waitlist = %list, %at, "more than {ARRIVALS_MAX} parties joined in the 48 hours before; the board as of then leaves out the first to join");
        entries.sort_unstable_by(|a, b| b.arrival.cmp(&a.arrival));
        entries.truncate(ARRIVALS_MAX);
    }
    Ok(entries.into_iter().map(|entry| entry.id.0).collect())
}

/// The row of a party as of `at`; `None` if it had not joined. Reads its whole stream, which tells an erasure
/// at once.
async fn party(backend: &Backend, id: WaiteeId, at: Time) -> Result<Option<WaiteeRow>, Failure> {
    let stream = StreamId::from(id);
    let commits = backend.log.load(stream).await?;
    let fold = |row, commits: &[Commit]| {
        fold::<Waitees>(row, commits)
            .map_err(|cause| Failure::broken(format!("fold {stream} as of {at}"), cause))
    };
    let (until, since) = commits.split_at(commits.partition_point(|commit| commit.at <= at));
    let Some(mut row) = fold(None, until)? else { return Ok(None) };
    row.erased = fold(Some(row.clone()), since)?.is_some_and(|now| now.erased);
    Ok(Some(row))
}
