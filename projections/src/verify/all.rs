//! Verification of every stream in the table, by parallel scans. Memory is bounded: a scan holds one page, and
//! the streams whose rows are read next.
//!
//! A scan usually returns the commits of a stream in order. A stream that does not verify by the scan is read
//! again by its key, strongly consistent, and that reading decides: commits may have been appended meanwhile, or
//! the engine may have returned them in another order.

use std::collections::{BTreeMap, HashMap};

use infra::{Backend, Failure};
use schema::{
    StreamId,
    body::Bad,
    commit::Chain,
    id::Category,
    table::{MailRow, Row, UserRow, WaiteeRow, WaitlistRow},
};
use tokio::sync::Mutex;
use uuid::Uuid;

use super::{
    bad, gone,
    report::{Progress, Report},
    segment::{self, Part, Segment, unnamed},
    stream::check,
};
use crate::shown::shown;

/// The streams whose rows are read at once. DynamoDB's bound on BatchGetItem.
const ROWS_AT_ONCE: usize = 100;
/// The commits of a stream that are read by one call.
const COMMITS_AT_ONCE: usize = 1_000;

/// Verifies one stream. `None` if it does not exist.
///
/// # Errors
/// A table does not answer.
pub async fn one(backend: &Backend, stream: StreamId) -> Result<Option<Report>, Failure> {
    let (mut chain, mut commits) = (Chain::START, 0);
    // Ends: each reading but the last reads at least one commit.
    loop {
        let Some(checked) = check(backend, None, stream, chain, COMMITS_AT_ONCE).await? else {
            return Ok(None);
        };
        (chain, commits) = (checked.chain, commits + checked.commits as u64);
        if checked.ended {
            let bad = bad(stream, &chain);
            let progress = Progress { commits, streams: 1, bad: u64::from(bad.is_some()) };
            return Ok(Some(Report { progress, bad: bad.into_iter().collect() }));
        }
    }
}

/// Verifies every stream in `segments` scans at once, and calls `tell` with its progress after each page. Costs
/// half a read unit per 4 KB of the table and of the rows, and for each stream 1 read unit for its row and 1 for
/// its first commit.
///
/// # Errors
/// A table does not answer.
pub async fn all(
    backend: &Backend,
    segments: u32,
    tell: impl Fn(Progress) + Send + Sync,
) -> Result<Report, Failure> {
    let report = Mutex::new(Report::default());
    let (report, tell) = (&report, &tell);
    segment::each(backend, segments, |segment| scan(segment, backend, report, tell)).await?;
    gone::find(backend, report).await?;
    Ok(report.lock().await.clone())
}

async fn scan(
    mut segment: Segment<'_, Chain>,
    backend: &Backend,
    report: &Mutex<Report>,
    tell: &(impl Fn(Progress) + Send + Sync),
) -> Result<(), Failure> {
    let mut ended: Vec<(StreamId, Chain)> = Vec::new();
    while let Some(Part { commits, streams }) =
        segment.next(|_| Chain::START, |chain, raw| chain.follow(raw)).await?
    {
        let mut found = Report::default();
        found.progress.commits = commits;
        streams.into_iter().for_each(|stream| end(stream, &mut ended, &mut found));
        if ended.len() >= ROWS_AT_ONCE || segment.is_done() {
            for some in std::mem::take(&mut ended).chunks(ROWS_AT_ONCE) {
                found.add(judge(backend, some).await?);
            }
        }
        let progress = {
            let mut report = report.lock().await;
            report.add(found);
            report.progress
        };
        tell(progress);
    }
    Ok(())
}

/// Adds a stream whose last commit was scanned to `ended`, or reports a key that names no stream.
fn end((name, chain): (String, Chain), ended: &mut Vec<(StreamId, Chain)>, found: &mut Report) {
    match StreamId::stored(&name) {
        Ok(stream) => ended.push((stream, chain)),
        Err(_) => found.damaged(unnamed(name, &chain)),
    }
}

/// Compares streams with their rows, and reads those again that do not verify.
async fn judge(backend: &Backend, ended: &[(StreamId, Chain)]) -> Result<Report, Failure> {
    let shown = shown_of(backend, ended).await?;
    let mut found = Report::default();
    for (stream, chain) in ended {
        let by_scan = chain.end(shown.get(stream).copied().unwrap_or(0));
        found.progress.streams += 1;
        if by_scan.broken.is_some() {
            match one(backend, *stream).await? {
                Some(again) => again.bad.into_iter().for_each(|bad| found.damaged(bad)),
                None => found.damaged(removed(*stream, chain)),
            }
        }
    }
    Ok(found)
}

/// A stream that was scanned and has neither commits nor a row at its second reading.
fn removed(stream: StreamId, scanned: &Chain) -> Bad {
    let why = "was removed during the verification, and all others of its stream with it".to_owned();
    Bad { stream: stream.to_string(), seq: scanned.key, why }
}

/// The numbers that the rows of these streams show.
async fn shown_of(backend: &Backend, ended: &[(StreamId, Chain)]) -> Result<HashMap<StreamId, u64>, Failure> {
    let mut ids: BTreeMap<Category, Vec<Uuid>> = BTreeMap::new();
    for (stream, _) in ended {
        ids.entry(stream.category).or_default().push(stream.id);
    }
    let mut found = HashMap::new();
    for (category, ids) in ids {
        let seqs = match category {
            Category::Waitee => seqs::<WaiteeRow>(backend, &ids).await,
            Category::Waitlist => seqs::<WaitlistRow>(backend, &ids).await,
            Category::User => seqs::<UserRow>(backend, &ids).await,
            Category::Mail => seqs::<MailRow>(backend, &ids).await,
            Category::Session | Category::Access | Category::Projection => Ok(Vec::new()), // they have no rows
        };
        match seqs {
            Ok(seqs) => {
                found.extend(seqs.into_iter().map(|(id, seq)| (StreamId { category, id }, seq)));
            }
            // A row of another version may have another shape.
            Err(unreadable) if !unreadable.is_passing() => {
                for stream in ids.into_iter().map(|id| StreamId { category, id }) {
                    found.insert(stream, shown(backend, stream).await?.map_or(0, |shown| shown.seq));
                }
            }
            Err(failure) => return Err(failure),
        }
    }
    Ok(found)
}

async fn seqs<R: Row>(backend: &Backend, ids: &[Uuid]) -> Result<Vec<(Uuid, u64)>, Failure> {
    let rows = backend.rows.get_all::<R>(ids).await?;
    Ok(rows.iter().map(|row| (row.id(), row.seq())).collect())
}
