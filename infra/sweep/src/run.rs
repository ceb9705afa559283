//! A sweep, and its progress. The progress can be stored at any time between two pages: the sweep goes on from there.

use std::sync::{Mutex, MutexGuard, PoisonError};

use futures::future::try_join_all;
use infra::{Backend, Failure, fault};
use schema::{Time, projection::Name};
use serde::{Deserialize, Serialize};

use crate::{
    commits,
    pace::Pace,
    part::{Page, Part},
    pointers, rebuilds,
    report::Report,
    rows,
};

/// The segments of the events table, each with a place of its own.
const SEGMENTS: u32 = 8;

/// A sweep that was begun.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sweep {
    /// By the backend's clock.
    pub begun: Time,
    /// The parts that are not read to their end.
    parts: Vec<Part>,
    pub report: Report,
}

/// The parts that are shared among workers.
struct Shared {
    waiting: Vec<Part>,
    /// Parts whose rest is for the next run.
    left: Vec<Part>,
    report: Report,
}

impl Sweep {
    /// Begins a sweep. Nothing is read yet but the set of generations.
    ///
    /// # Errors
    /// The set of generations cannot be read.
    pub async fn begin(backend: &Backend) -> Result<Self, Failure> {
        let set = backend.rows.generations().current().await?;
        let commits = (0..SEGMENTS).map(|segment| Part::Commits { segment, segments: SEGMENTS, after: None });
        let rows = Name::ALL.into_iter().flat_map(|projection| {
            let generations = set.roles(projection).all();
            generations.map(move |generation| Part::Rows { projection, generation, after: None })
        });
        let parts = commits.chain(rows).collect();
        Ok(Self { begun: backend.clock.now(), parts, report: Report::default() })
    }

    /// Whether everything was read.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.parts.is_empty()
    }

    /// Goes on until everything was read, or the time is over. Each worker reads one page at least. Calls `tell` after
    /// each page. After a failure the sweep is as it was before, and can be run again: what was asked for is then
    /// asked for twice, which does no harm.
    ///
    /// Costs half a read unit per 4 KB of the log; for each stream one read unit for its row in each generation and one
    /// for its first commit in each; one read unit per 4 KB of the rows; and one for each erased guest or account.
    ///
    /// # Errors
    /// A table or a queue does not answer.
    pub async fn run(
        &mut self,
        backend: &Backend,
        pace: &Pace,
        tell: impl Fn(&Report) + Send + Sync,
    ) -> Result<(), Failure> {
        if self.is_done() {
            return Ok(());
        }
        let waiting = self.parts.iter().rev().cloned().collect();
        let shared = Mutex::new(Shared { waiting, left: Vec::new(), report: self.report.clone() });
        let workers = (0..pace.at_once()).map(|_| work(backend, pace, &shared, &tell));
        try_join_all(workers).await?;
        let Shared { mut waiting, mut left, mut report } =
            shared.into_inner().unwrap_or_else(PoisonError::into_inner);
        waiting.reverse();
        left.extend(waiting);
        if left.is_empty() {
            report.rung += rebuilds::ring(backend).await?;
            report.pointers += pointers::answer(backend, self.begun).await?;
        }
        (self.parts, self.report) = (left, report);
        Ok(())
    }
}

/// Takes parts and reads their pages, until none is left or the time is over.
async fn work(
    backend: &Backend,
    pace: &Pace,
    shared: &Mutex<Shared>,
    tell: &(impl Fn(&Report) + Send + Sync),
) -> Result<(), Failure> {
    let mut is_first = true;
    loop {
        let Some(part) = lock(shared).waiting.pop() else { return Ok(()) };
        let mut rest = Some(part);
        while let Some(part) = rest {
            if !std::mem::take(&mut is_first) && !pace.turn().await {
                lock(shared).left.push(part);
                return Ok(());
            }
            let page = read(backend, part).await?;
            fault::point("sweep.page");
            pace.used(page.found.read_units).await;
            let report = {
                let mut shared = lock(shared);
                shared.report.add(page.found);
                shared.report.clone()
            };
            tell(&report);
            rest = page.rest;
        }
    }
}

async fn read(backend: &Backend, part: Part) -> Result<Page, Failure> {
    match part {
        Part::Commits { segment, segments, after } => {
            commits::page(backend, (segment, segments), after.as_ref()).await
        }
        Part::Rows { projection, generation, after } => {
            rows::page(backend, projection, generation, after).await
        }
    }
}

fn lock(shared: &Mutex<Shared>) -> MutexGuard<'_, Shared> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}
