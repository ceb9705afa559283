//! Estimates the reads and writes of a rebuild from a sample of the streams.

use std::time::Duration;

use futures::{StreamExt as _, TryStreamExt as _, stream};
use infra::{Backend, Failure, clock, generations::HAND_OVER, log::size, rows::RawRow};
use schema::{DomainEvent as _, projection::Name, table::Row as _};

use super::{collect::Collector, units};
use crate::{
    dispatch::of_projection,
    projection::{Projection, fold},
};

/// The pieces of the table that a sample is taken from. A stream is in one of them, by the hash of its key.
const PIECES: u32 = 4_096;
/// Two per cent.
const PIECES_MIN: u32 = PIECES / 50;
/// A sample goes on until it has this many streams. A table with fewer is read whole, in fewer pieces.
const STREAMS_MIN: u64 = 2_000;
const PIECES_OF_SMALL: u32 = 16;
const PIECES_AT_ONCE: usize = 8;
/// A sample ends after this time with what it has.
const SAMPLE_MAX: Duration = Duration::from_secs(15);

/// Rows that one worker writes in a second, for the estimate of the time.
const WRITES_PER_SECOND: f64 = 500.0;
/// Commits that one worker reads in a second.
const COMMITS_PER_SECOND: f64 = 10_000.0;

/// On-demand prices in US East (N. Virginia), in dollars per million units.
/// <https://aws.amazon.com/dynamodb/pricing/on-demand/>
const READ_MILLION_DOLLARS: f64 = 0.125;
const WRITE_MILLION_DOLLARS: f64 = 0.625;
pub const PRICED_ON: &str = "2024-11-01";

/// The estimate of a rebuild.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Quote {
    /// Commits in the events table, of all categories: a rebuild reads all of them.
    pub commits: u64,
    pub bytes: u64,
    /// Strongly consistent reads of the events table, and of both generations for the verification.
    pub read_units: u64,
    /// Writes of the new rows and their indexes.
    pub write_units: u64,
    pub dollars: f64,
    pub seconds: u64,
}

/// Estimates a rebuild of a projection by `workers` workers. Reads a sample of the events table: two per cent of it,
/// or 2,000 streams of the projection, whichever is more, but for 15 seconds at most.
///
/// # Errors
/// The table cannot be read.
pub async fn quote(
    backend: &Backend,
    name: Name,
    write_units_per_second: Option<u32>,
    workers: u32,
) -> Result<Quote, Failure> {
    let sample = of_projection!(name, P => sample_of::<P>(backend).await)?;
    let whole = |part: f64| (part / sample.share).round();
    let (commits, rows) = (whole(sample.commits as f64), whole(sample.rows as f64));
    let (read_units, write_units) = (whole(sample.read_units), whole(sample.write_units));
    let workers = f64::from(workers.max(1));
    let unbounded = rows / (WRITES_PER_SECOND * workers);
    let writing =
        write_units_per_second.map_or(unbounded, |rate| unbounded.max(write_units / f64::from(rate.max(1))));
    let seconds = HAND_OVER.as_secs_f64() + commits / (COMMITS_PER_SECOND * workers) + writing;
    Ok(Quote {
        commits: commits as u64,
        bytes: whole(sample.bytes as f64) as u64,
        read_units: read_units as u64,
        write_units: write_units as u64,
        dollars: (read_units * READ_MILLION_DOLLARS + write_units * WRITE_MILLION_DOLLARS) / 1e6,
        seconds: seconds.ceil() as u64,
    })
}

/// The contents of a part of the table.
#[derive(Clone, Copy, Debug, Default)]
struct Sample {
    /// The part of the table that was read.
    share: f64,
    commits: u64,
    bytes: u64,
    /// Streams of the projection.
    rows: u64,
    read_units: f64,
    write_units: f64,
}

async fn sample_of<P: Projection>(backend: &Backend) -> Result<Sample, Failure> {
    let begun = backend.clock.moment();
    let order = shuffled(u64::from_be_bytes(clock::random()));
    let mut sample = Sample::default();
    let mut taken = 0;
    while taken < PIECES {
        let some = PIECES_MIN.min(PIECES - taken);
        let pieces = (taken..taken + some).map(|at| piece::<P>(backend, (order(at), PIECES)));
        sample = add(sample, pieces).await?;
        taken += some;
        sample.share = f64::from(taken) / f64::from(PIECES);
        if sample.rows >= STREAMS_MIN || backend.clock.moment().since(begun) >= SAMPLE_MAX {
            return Ok(sample);
        }
        if sample.rows as f64 / sample.share < STREAMS_MIN as f64 {
            let pieces = (0..PIECES_OF_SMALL).map(|at| piece::<P>(backend, (at, PIECES_OF_SMALL)));
            return add(Sample { share: 1.0, ..Sample::default() }, pieces).await;
        }
    }
    Ok(sample)
}

async fn add(
    sample: Sample,
    pieces: impl Iterator<Item = impl Future<Output = Result<Sample, Failure>>>,
) -> Result<Sample, Failure> {
    let sum = |sum: Sample, piece: Sample| async move {
        Ok(Sample {
            share: sum.share,
            commits: sum.commits + piece.commits,
            bytes: sum.bytes + piece.bytes,
            rows: sum.rows + piece.rows,
            read_units: sum.read_units + piece.read_units,
            write_units: sum.write_units + piece.write_units,
        })
    };
    stream::iter(pieces).buffer_unordered(PIECES_AT_ONCE).try_fold(sample, sum).await
}

/// Folds the streams of a piece of the table.
async fn piece<P: Projection>(backend: &Backend, piece: (u32, u32)) -> Result<Sample, Failure> {
    let mut sample = Sample::default();
    let (mut collector, mut start) = (Collector::after(None), None);
    loop {
        let page = backend.log.segment_page(P::Event::CATEGORY, piece, start.as_ref()).await?;
        sample.commits += page.items.len() as u64;
        sample.bytes += page.bytes;
        sample.read_units += page.read_units;
        let mut runs: Vec<_> = page.items.into_iter().filter_map(|item| collector.add(item)).collect();
        start = page.next;
        if start.is_none() {
            runs.extend(collector.end());
        }
        for run in runs {
            let row = run.commits.and_then(|commits| fold::<P>(None, &commits).ok().flatten());
            let row: Option<RawRow> = row.and_then(|row| serde_dynamo::to_item(row).ok());
            let Some(row) = row else { continue };
            sample.rows += 1;
            sample.write_units += units::of_new_row(&row, P::Row::TABLE.indexes);
            // Both generations are scanned, and each row is looked up in the other one.
            let scanned = size(&row) as f64 / f64::from(4_096);
            sample.read_units += 2.0 * (scanned + units::of_read(&row));
        }
        if start.is_none() {
            return Ok(sample);
        }
    }
}

/// An order of the pieces that depends on the seed: an odd step visits all of a power of two.
fn shuffled(seed: u64) -> impl Fn(u32) -> u32 {
    let (begin, step) = ((seed >> 32) as u32, seed as u32 | 1);
    move |at| begin.wrapping_add(at.wrapping_mul(step)) % PIECES
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_piece_is_in_the_order_once() {
        for seed in [0, 1, 0x0123_4567_89ab_cdef, u64::MAX] {
            let order = shuffled(seed);
            let pieces: BTreeSet<u32> = (0..PIECES).map(&order).collect();
            assert_eq!(pieces.len() as u32, PIECES, "{seed}");
            assert!(pieces.iter().all(|piece| *piece < PIECES));
        }
    }
}
