//! A sample of the streams of the events table, for estimates.
//!
//! The table is read by pieces, which are segments of a scan. A stream is in one of them, by the hash of its key.

use std::time::Duration;

use futures::{StreamExt as _, TryStreamExt as _, stream};
use infra::{
    Backend, Failure,
    clock::{Moment, random},
    log::size,
    rows::RawRow,
};
use schema::{DomainEvent as _, table::Row as _};

use super::{collect::Collector, units};
use crate::projection::{Projection, fold};

/// The pieces of the table; a power of two.
const PIECES: u32 = 4_096;
/// The pieces of a table so large that none of the others is read in time; a power of two. DynamoDB allows a million.
const SMALL_PIECES: u32 = 1 << 19;
/// The pieces of a table that is read whole.
const PIECES_OF_WHOLE: u32 = 16;
const PIECES_AT_ONCE: usize = 8;
/// Two per cent of the pieces are read at a time.
const ROUNDS: u32 = 50;

/// The bounds of a sample.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sampling {
    /// A sample goes on until it has this many streams of the projection, and two per cent of the table.
    pub streams_min: u64,
    /// A table of at most about this many commits is read whole.
    pub whole_commits_max: u64,
    /// A sample ends after this time with what it has.
    pub time_max: Duration,
}

impl Sampling {
    /// For a person. It leaves an HTTP request time to be answered.
    pub const USUAL: Self =
        Self { streams_min: 2_000, whole_commits_max: 20_000, time_max: Duration::from_secs(15) };

    /// For the number of segments, which depends on the number of commits alone.
    pub const ROUGH: Self = Self { streams_min: 0, time_max: Duration::from_secs(8), ..Self::USUAL };
}

/// The contents of a part of the table.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Sample {
    /// The pieces that were read, of so many.
    read: u32,
    of: u32,
    /// Commits of all categories.
    pub(super) commits: u64,
    pub(super) bytes: u64,
    /// Streams of the projection, and with it their rows.
    pub(super) rows: u64,
    pub(super) row_bytes: u64,
    /// The write units of new rows.
    pub(super) write_units: f64,
    /// The read units that the sample itself used.
    pub(super) own_units: f64,
}

/// Pieces of the table that are read until a time.
struct Pieces<'b> {
    backend: &'b Backend,
    of: u32,
    begun: Moment,
    time_max: Duration,
}

/// Reads a sample.
///
/// # Errors
/// The table cannot be read, or no piece of it is read in time.
pub(super) async fn sample<P: Projection>(backend: &Backend, sampling: Sampling) -> Result<Sample, Failure> {
    let begun = backend.clock.moment();
    let is_over = || backend.clock.moment().since(begun) >= sampling.time_max;
    let pieces = |of, time_max| Pieces { backend, of, begun, time_max };
    let order = shuffled(u64::from_be_bytes(random()));
    // Without a piece in a third of the time, smaller pieces are tried in the rest of it.
    let (mut of, mut time_max) = (PIECES, sampling.time_max / 3);
    let (mut sample, mut taken) = (Sample::default(), 0);
    while taken < of {
        let some = (of / ROUNDS).min(of - taken);
        pieces(of, time_max).add::<P>(&mut sample, (taken..taken + some).map(|at| order(at, of))).await?;
        taken += some;
        if sample.read == 0 && of == PIECES {
            (of, taken) = (SMALL_PIECES, 0);
        } else if sample.read == 0 && is_over() {
            let cause = format!("no part of it was read in {} s", sampling.time_max.as_secs());
            return Err(Failure::passing("sample the events table", cause));
        } else if sample.read > 0
            && taken == some
            && sample.whole(sample.commits as f64) <= sampling.whole_commits_max as f64
        {
            let mut whole = Sample { own_units: sample.own_units, ..Sample::default() };
            pieces(PIECES_OF_WHOLE, sampling.time_max).add::<P>(&mut whole, 0..PIECES_OF_WHOLE).await?;
            if whole.read == PIECES_OF_WHOLE {
                return Ok(whole);
            }
            sample.own_units = whole.own_units;
        }
        if sample.read > 0 && (sample.rows >= sampling.streams_min || is_over()) {
            return Ok(sample);
        }
        time_max = sampling.time_max;
    }
    Ok(sample)
}

impl Sample {
    /// An amount in the whole table, by the amount in the sample.
    pub(super) fn whole(&self, amount: f64) -> f64 {
        amount * f64::from(self.of) / f64::from(self.read.max(1))
    }
}

impl Pieces<'_> {
    /// Adds the pieces with these numbers that are read in time.
    async fn add<P: Projection>(
        &self,
        sample: &mut Sample,
        numbers: impl Iterator<Item = u32>,
    ) -> Result<(), Failure> {
        let read =
            stream::iter(numbers).map(|number| self.read::<P>(number)).buffer_unordered(PIECES_AT_ONCE);
        let sum = |sum: Sample, piece: Sample| async move {
            Ok(Sample {
                read: sum.read + piece.read,
                of: self.of,
                commits: sum.commits + piece.commits,
                bytes: sum.bytes + piece.bytes,
                rows: sum.rows + piece.rows,
                row_bytes: sum.row_bytes + piece.row_bytes,
                write_units: sum.write_units + piece.write_units,
                own_units: sum.own_units + piece.own_units,
            })
        };
        *sample = read.try_fold(*sample, sum).await?;
        Ok(())
    }

    /// Folds the streams of a piece. Of a piece that is not read in time only the units count.
    async fn read<P: Projection>(&self, number: u32) -> Result<Sample, Failure> {
        let mut sample = Sample { read: 1, ..Sample::default() };
        let (mut collector, mut start) = (Collector::after(None), None);
        loop {
            if self.backend.clock.moment().since(self.begun) >= self.time_max {
                return Ok(Sample { own_units: sample.own_units, ..Sample::default() });
            }
            let segment = (number, self.of);
            let page = self.backend.log.segment_page(P::Event::CATEGORY, segment, start.as_ref()).await?;
            sample.commits += page.items.len() as u64;
            sample.bytes += page.bytes;
            sample.own_units += page.read_units;
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
                sample.row_bytes += size(&row) as u64;
                sample.write_units += units::of_new_row(&row, P::Row::TABLE.indexes);
            }
            if start.is_none() {
                return Ok(sample);
            }
        }
    }
}

/// An order of pieces that depends on the seed: an odd step visits all of a power of two.
fn shuffled(seed: u64) -> impl Fn(u32, u32) -> u32 {
    let (begin, step) = ((seed >> 32) as u32, seed as u32 | 1);
    move |at, of| begin.wrapping_add(at.wrapping_mul(step)) % of
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_piece_is_in_the_order_once() {
        for seed in [0, 1, 0x0123_4567_89ab_cdef, u64::MAX] {
            let order = shuffled(seed);
            for of in [PIECES, SMALL_PIECES] {
                let pieces: BTreeSet<u32> = (0..of).map(|at| order(at, of)).collect();
                assert_eq!(pieces.len() as u32, of, "{seed}");
                assert!(pieces.iter().all(|piece| *piece < of));
            }
        }
    }
}
