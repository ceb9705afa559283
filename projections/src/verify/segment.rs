//! Reads every stream of the log by scans of its segments. Memory is bounded: a scan holds one page, and the state
//! of one stream.

use std::future::Future;

use futures::{StreamExt as _, TryStreamExt as _, stream as streams};
use infra::{
    Backend, Failure,
    log::{Item, Scanned},
};
use schema::{
    body::Bad,
    commit::{Chain, RawCommit},
};

use crate::again::again;

/// The segments that are scanned at once.
pub const SCANS_DEFAULT: u32 = 8;
/// More scans at once would not be faster.
pub const SCANS_MAX: u32 = 64;
/// The segments that each scan reads, one after another. The embedded engine sorts the rest of a segment for each page.
pub const SEGMENTS_PER_SCAN: u32 = 8;

/// A scan of one segment, with the state `S` of the stream whose commits it reads.
pub(crate) struct Segment<'a, S> {
    backend: &'a Backend,
    number: i32,
    of: i32,
    start: Option<Item>,
    current: Option<(String, S)>,
    is_done: bool,
}

/// A page of a segment.
pub(crate) struct Part<S> {
    pub(crate) commits: u64,
    /// The streams whose last commits were read, by their names, which may be the names of no streams.
    pub(crate) streams: Vec<(String, S)>,
}

/// Runs `scan` for each of the log's segments, `at_once` of them at the same time.
///
/// # Errors
/// The first failure of a scan.
pub(crate) async fn each<'a, S, Scan>(
    backend: &'a Backend,
    at_once: u32,
    scan: impl Fn(Segment<'a, S>) -> Scan,
) -> Result<(), Failure>
where
    Scan: Future<Output = Result<(), Failure>>,
{
    let scans = at_once.clamp(1, SCANS_MAX);
    let of = (scans * SEGMENTS_PER_SCAN).cast_signed();
    streams::iter(0..of)
        .map(|number| scan(Segment { backend, number, of, start: None, current: None, is_done: false }))
        .buffer_unordered(scans as usize)
        .try_collect()
        .await
}

impl<S> Segment<'_, S> {
    /// Whether all pages have been read.
    pub(crate) fn is_done(&self) -> bool {
        self.is_done
    }

    /// Reads a page, eventually consistent: half a read unit per 4 KB. `begin` gives the state before the first
    /// commit of a stream by the stream's name. `None` after the last page.
    ///
    /// # Errors
    /// The table cannot be read.
    pub(crate) async fn next(
        &mut self,
        begin: impl Fn(&str) -> S,
        follow: impl Fn(S, &RawCommit) -> S,
    ) -> Result<Option<Part<S>>, Failure> {
        if self.is_done {
            return Ok(None);
        }
        let (backend, number, of, start) = (self.backend, self.number, self.of, self.start.take());
        let page = again(&backend.clock, || backend.log.scan(number, of, start.clone())).await?;
        let mut part = Part { commits: page.items.len() as u64, streams: Vec::new() };
        for Scanned { stream, raw } in page.items {
            let (name, state) = match self.current.take() {
                Some((name, state)) if name == stream => (name, state),
                other => {
                    part.streams.extend(other);
                    let state = begin(&stream);
                    (stream, state)
                }
            };
            self.current = Some((name, follow(state, &raw)));
        }
        self.start = page.next;
        self.is_done = self.start.is_none();
        if self.is_done {
            part.streams.extend(self.current.take());
        }
        Ok(Some(part))
    }
}

/// The fault of commits whose key names no stream.
pub(crate) fn unnamed(name: String, chain: &Chain) -> Bad {
    let why = "its key names no stream that this code knows".to_owned();
    Bad { stream: name, seq: chain.broken.map_or(chain.key, |(seq, _)| seq), why }
}
