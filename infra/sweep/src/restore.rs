//! Prepares a restored log for use, before functions or a server work on it: repeats erasures that it lacks, ends the messages that
//! were still to be sent, and folds every row. Each step can be repeated.
//!
//! A restored log ends at an instant; what was appended later is lost. Messages that were sent later would be found unsent by the
//! tick.

use std::sync::{Mutex, PoisonError};

use commands::{forget, recording};
use futures::{StreamExt as _, TryStreamExt as _, future::try_join_all, stream as streams};
use infra::{
    Backend, Failure,
    log::{Head, Log, Place},
};
use projections::rebuild::repair::{Repair, Repaired, repair};
use schema::{StreamId, Time};

/// The segments of the events table, which are read side by side.
const SEGMENTS: u32 = 8;

/// The streams of a segment that are prepared at once.
const STREAMS_AT_ONCE: usize = 8;

/// The most streams that are named because they could not be prepared.
const LEFT_NAMED_MAX: usize = 100;

/// The types of the events that begin an erasure.
const ERASED: [&str; 2] = ["user.erased", "waitee.erased"];

/// The instant of a restore, and the former log.
#[derive(Clone, Debug)]
pub struct Restore {
    /// The instant to which the log was restored. Messages that later events led to are left alone.
    pub until: Time,
    /// The log as it was before, if it can be read: it has the erasures that were lost.
    pub erased_in: Option<Log>,
}

/// The report of [`restore`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Restored {
    pub streams: u64,
    /// Rows that were written, in every generation with a role.
    pub rows: u64,
    /// Erasures that the restored log lacked.
    pub erased: u64,
    /// Messages that were still to be sent.
    pub settled: u64,
    /// Streams that could not be prepared.
    pub left: u64,
    /// The first hundred of the streams that could not be prepared, each with the reason.
    pub named: Vec<(StreamId, String)>,
}

/// Prepares the log of `backend`, whose tables of rows exist. Calls `tell` after each page. Costs half a read unit per 4 KB of the
/// log, and of the former log; for each stream, reading it once and once per generation, and 1 read and 1 write unit per row, indexes
/// aside; for each erasure and message, 2 write units and reading its stream once more.
///
/// # Errors
/// A table does not answer. A stream that cannot be read is named in the report instead.
pub async fn restore(
    backend: &Backend,
    plan: &Restore,
    tell: impl Fn(&Restored) + Send + Sync,
) -> Result<Restored, Failure> {
    let report = Mutex::new(Restored::default());
    let count = |change: &dyn Fn(&mut Restored)| {
        let mut report = report.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut report);
        tell(&report);
    };
    if let Some(before) = &plan.erased_in {
        let segments = (0..SEGMENTS).map(|segment| erase(backend, before, segment, &count));
        try_join_all(segments).await?;
    }
    let segments = (0..SEGMENTS).map(|segment| prepare(backend, plan.until, segment, &count));
    try_join_all(segments).await?;
    Ok(report.into_inner().unwrap_or_else(PoisonError::into_inner))
}

type Count<'c> = dyn Fn(&dyn Fn(&mut Restored)) + Send + Sync + 'c;

/// Repeats the erasures of a segment of the log as it was before.
async fn erase(backend: &Backend, before: &Log, segment: u32, count: &Count<'_>) -> Result<(), Failure> {
    let mut pages = Pages::of(before, segment);
    while let Some(heads) = pages.next().await? {
        let is_erased = |head: &Head| head.types.iter().any(|kind| ERASED.contains(&kind.as_str()));
        for head in heads.iter().filter(|head| is_erased(head)) {
            let Some(tenant) = head.tenant else { continue };
            match forget::ask_again(backend, head.stream, tenant).await {
                Ok(asked) => count(&|report| report.erased += u64::from(asked)),
                Err(failure) if is_of_stream(&failure) => {
                    count(&|report| report.leave(head.stream, failure.chain()));
                }
                Err(failure) => return Err(failure),
            }
        }
    }
    Ok(())
}

/// Whether a failure is the fault of one stream; after any other, no stream can be prepared.
fn is_of_stream(failure: &Failure) -> bool {
    !failure.is_passing() && !failure.is_missing_table()
}

/// Prepares the streams that begin in a segment.
async fn prepare(backend: &Backend, until: Time, segment: u32, count: &Count<'_>) -> Result<(), Failure> {
    let mut pages = Pages::of(&backend.log, segment);
    while let Some(heads) = pages.next().await? {
        let begun = heads.into_iter().filter(|head| head.seq == 1).map(|head| head.stream);
        let prepared: Vec<Prepared> = streams::iter(begun)
            .map(|stream| of_stream(backend, stream, until))
            .buffer_unordered(STREAMS_AT_ONCE)
            .try_collect()
            .await?;
        count(&|report| prepared.iter().for_each(|prepared| report.add(prepared)));
    }
    Ok(())
}

/// The outcome for one stream.
enum Prepared {
    Ready {
        settled: u64,
        rows: u64,
    },
    /// It is left as it is, for this reason.
    Left(StreamId, String),
}

async fn of_stream(backend: &Backend, stream: StreamId, until: Time) -> Result<Prepared, Failure> {
    match settle_and_fold(backend, stream, until).await {
        Err(failure) if is_of_stream(&failure) => Ok(Prepared::Left(stream, failure.chain())),
        Err(failure) => Err(failure),
        Ok((settled, rows)) => Ok(match rows.iter().find_map(fault) {
            Some(fault) => Prepared::Left(stream, fault),
            None => Prepared::Ready { settled, rows: rows.len() as u64 },
        }),
    }
}

async fn settle_and_fold(
    backend: &Backend,
    stream: StreamId,
    until: Time,
) -> Result<(u64, Vec<Repaired>), Failure> {
    let settled = recording::settle(backend, stream, until).await?;
    Ok((settled, repair(backend, stream).await?))
}

fn fault(Repaired { generation, repair }: &Repaired) -> Option<String> {
    match repair {
        Repair::Written => None,
        Repair::RowIsNewer(version) => {
            Some(format!("newer code, of version {version}, wrote its row in g{generation}"))
        }
        Repair::RowIsAhead(seq) => {
            Some(format!("its row in g{generation} shows event {seq}, which the log does not have"))
        }
    }
}

impl Restored {
    fn add(&mut self, prepared: &Prepared) {
        self.streams += 1;
        match prepared {
            Prepared::Ready { settled, rows } => {
                self.settled += settled;
                self.rows += rows;
            }
            Prepared::Left(stream, reason) => self.leave(*stream, reason.clone()),
        }
    }

    fn leave(&mut self, stream: StreamId, reason: String) {
        self.left += 1;
        if self.named.len() < LEFT_NAMED_MAX {
            self.named.push((stream, reason));
        }
    }
}

/// The pages of a segment.
struct Pages<'l> {
    log: &'l Log,
    segment: u32,
    place: Option<Place>,
    is_over: bool,
}

impl<'l> Pages<'l> {
    fn of(log: &'l Log, segment: u32) -> Self {
        Self { log, segment, place: None, is_over: false }
    }

    async fn next(&mut self) -> Result<Option<Vec<Head>>, Failure> {
        if self.is_over {
            return Ok(None);
        }
        let page = self.log.heads((self.segment, SEGMENTS), self.place.as_ref()).await?;
        self.is_over = page.next.is_none();
        self.place = page.next;
        Ok(Some(page.heads))
    }
}
