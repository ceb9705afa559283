//! Estimates the reads and writes of a rebuild from a sample of the streams.

use infra::{Backend, Failure, generations::HAND_OVER, log::PAGE_ITEMS_MAX, rows::PAGE_ROWS_MAX};
use schema::{
    body::projection::{PRICED_ON, Quote, READ_MILLION_DOLLARS, RebuildWish, WRITE_MILLION_DOLLARS},
    projection::Name,
};

use super::{
    WORKERS_MAX,
    sample::{Sample, Sampling, sample},
    step::segments,
};
use crate::dispatch::of_projection;

/// Rows that one worker writes in a second, for the estimate of the time.
const WRITES_PER_SECOND: f64 = 500.0;
/// Commits that one worker reads in a second.
const COMMITS_PER_SECOND: f64 = 10_000.0;

/// The bytes of a strongly consistent read unit.
const READ_UNIT_BYTES: f64 = 4_096.0;
/// DynamoDB's own bound on a page of a scan.
const PAGE_BYTES_MAX: f64 = 1_048_576.0;

/// Estimates a rebuild of a projection as it is asked for. Stores nothing.
///
/// # Errors
/// The events table cannot be read, or is too large to be sampled in time.
pub async fn quote(
    backend: &Backend,
    name: Name,
    wish: &RebuildWish,
    sampling: Sampling,
) -> Result<Quote, Failure> {
    let sample = of_projection!(name, P => sample::<P>(backend, sampling).await)?;
    let whole = |amount| sample.whole(amount);
    let commits = whole(sample.commits as f64).round();
    let (read_units, write_units) = (read_units(&sample), whole(sample.write_units).round());
    let workers = f64::from(WORKERS_MAX);
    let unbounded = whole(sample.rows as f64) / (WRITES_PER_SECOND * workers);
    let bounded = wish.write_units_per_second.map_or(0.0, |rate| write_units / f64::from(rate.max(1)));
    let reading = commits / (COMMITS_PER_SECOND * workers);
    let dollars = (read_units * READ_MILLION_DOLLARS + write_units * WRITE_MILLION_DOLLARS) / 1e6;
    Ok(Quote {
        commits: commits as u64,
        bytes: whole(sample.bytes as f64).round() as u64,
        read_units: read_units as u64,
        write_units: write_units as u64,
        dollars: (dollars * 1e6).round() / 1e6,
        priced_on: PRICED_ON,
        seconds: (HAND_OVER.as_secs_f64() + reading + unbounded.max(bounded)).ceil() as u64,
        sample_read_units: sample.own_units.ceil() as u64,
    })
}

/// The commits in the events table, about, for the number of segments.
///
/// # Errors
/// As [`quote`].
pub(super) async fn commits(backend: &Backend, name: Name) -> Result<u64, Failure> {
    let sample = of_projection!(name, P => sample::<P>(backend, Sampling::ROUGH).await)?;
    Ok(sample.whole(sample.commits as f64) as u64)
}

/// The strongly consistent reads of a rebuild: of the whole log, and for the verification of the rows in both
/// generations.
fn read_units(sample: &Sample) -> f64 {
    let whole = |amount| sample.whole(amount);
    let commits = whole(sample.commits as f64);
    let (scans, verifications) = segments(commits as u64);
    let log = scan_units(whole(sample.bytes as f64), commits / f64::from(PAGE_ITEMS_MAX), scans);
    let pages = whole(sample.rows as f64) / f64::from(PAGE_ROWS_MAX);
    let rows = scan_units(whole(sample.row_bytes as f64), pages, verifications);
    (log + 2.0 * rows).round()
}

/// The read units of scanning a table by segments. The size of each page is rounded up, by half a unit on average.
fn scan_units(bytes: f64, pages: f64, segments: u32) -> f64 {
    let segments = f64::from(segments);
    let pages = pages.max(bytes / PAGE_BYTES_MAX) + segments;
    segments.max(bytes / READ_UNIT_BYTES + pages / 2.0)
}
