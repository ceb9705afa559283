//! Scanning a segment of the events table, and writing the rows of its streams to the candidate.

use std::time::Duration;

use futures::{StreamExt as _, TryStreamExt as _, stream};
use infra::{
    Failure, fault,
    log::Place,
    rows::{Generation, RawRow},
    work::{Part, Step},
};
use schema::{
    DomainEvent as _, StreamId,
    projection::{Done, Example, Finding, Phase, Rebuild, Report},
    table::Row as _,
};
use serde_json::Value;
use tokio::sync::Mutex;

use super::{
    budget::Budget,
    collect::{Collector, Run, Start},
    step::Due,
    units,
    worker::Worker,
};
use crate::projection::{Projection, fold};

/// Rows that are written at once.
const WRITES_AT_ONCE: usize = 16;

/// The longest time, about, in which a budget lets rows be written that were begun at once: a message ends after
/// [`work_max`](super::Bounds::work_max) and this, well before the time-out of its function.
const WRITING_MAX: Duration = Duration::from_secs(5);
/// The units of a visit on the board: in its table and three indexes.
const ROW_UNITS: f64 = 4.0;

/// The outcome of writing a run's row.
enum Written {
    Row {
        is_written: bool,
        units: f64,
    },
    /// The stream cannot be folded.
    Unreadable(StreamId),
}

impl Worker {
    /// Scans a part of a segment for as long as a message is worked on.
    pub(super) async fn scan<P: Projection>(
        &self,
        rebuild: &Rebuild,
        part: Part<Option<Place>>,
    ) -> Result<(), Failure> {
        let Part { segment, from, done: before, found: mut report } = part;
        let (category, segments) = (P::Event::CATEGORY, (segment, rebuild.scanned.of()));
        let begun = self.backend.clock.moment();
        let is_over = || self.backend.clock.moment().since(begun) >= self.bounds.work_max;
        let mut writer =
            Writer::new(self, self.backend.rows.generation(P::NAME, rebuild.generation), rebuild);
        let mut collector = Collector::after(from.clone());
        let mut start = from.clone();
        let mut units = 0.0;
        let at_once = writer.budget.lock().await.at_once(WRITES_AT_ONCE, ROW_UNITS, WRITING_MAX);
        loop {
            let page = self.backend.log.segment_page(category, segments, start.as_ref()).await?;
            fault::point("rebuild.page-read");
            units += page.read_units;
            let mut runs: Vec<Run> = page.items.into_iter().filter_map(|item| collector.add(item)).collect();
            if page.next.is_none() {
                runs.extend(collector.end());
            }
            let mut rest = runs.into_iter().peekable();
            let mut cut: Option<Start> = None;
            while rest.peek().is_some() {
                let some: Vec<Run> = rest.by_ref().take(at_once).collect();
                writer.write_all::<P>(some, &mut report).await?;
                if is_over()
                    && let Some(next) = rest.peek()
                {
                    cut = Some(next.start.clone());
                    break;
                }
            }
            if cut.is_none() && page.next.is_some() && is_over() {
                cut = Some(self.cut::<P>(&collector, from.as_ref(), &mut writer, &mut report).await?);
            }
            let done = |items| {
                let (rows, write_units) = (writer.rows, writer.units as u64);
                let mut done = before;
                done.add(Done { commits: items, rows, read_units: units as u64, write_units });
                done
            };
            match cut {
                Some(Start { after, items }) => {
                    writer.rest().await;
                    let part = Part { segment, from: after, done: done(items), found: report };
                    let step = Step::Scan { rebuild: rebuild.id, part };
                    return self.send(P::NAME, Due { step, delay: Duration::ZERO }).await;
                }
                None if page.next.is_none() => {
                    writer.rest().await;
                    let finished = (segment, done(collector.reached().items), report);
                    return self.finish(P::NAME, rebuild, Phase::Scan, finished).await;
                }
                None => start = page.next,
            }
        }
    }

    /// The place from which a new message continues: before the unfinished run, which it reads whole. A run that
    /// fills the whole message is read from the log instead, so that each message makes progress.
    async fn cut<P: Projection>(
        &self,
        collector: &Collector,
        from: Option<&Place>,
        writer: &mut Writer<'_>,
        report: &mut Report,
    ) -> Result<Start, Failure> {
        match collector.unfinished() {
            None => Ok(collector.reached().clone()),
            Some(run) if run.start.after.as_ref() != from => Ok(run.start.clone()),
            Some(run) => {
                let whole = Run { commits: None, ..run.clone() };
                writer.write_all::<P>(vec![whole], report).await?;
                Ok(collector.reached().clone())
            }
        }
    }
}

/// Writes rows to the candidate within the budget.
struct Writer<'w> {
    worker: &'w Worker,
    candidate: Generation,
    budget: Mutex<Budget>,
    begun: infra::clock::Moment,
    /// The number of rows written.
    rows: u64,
    units: f64,
}

impl<'w> Writer<'w> {
    fn new(worker: &'w Worker, candidate: Generation, rebuild: &Rebuild) -> Self {
        Self {
            worker,
            candidate,
            budget: Mutex::new(Budget::share(rebuild.write_units_per_second, worker.at_once)),
            begun: worker.backend.clock.moment(),
            rows: 0,
            units: 0.0,
        }
    }

    async fn write_all<P: Projection>(&mut self, runs: Vec<Run>, report: &mut Report) -> Result<(), Failure> {
        let writer = &*self;
        let written: Vec<Written> = stream::iter(runs)
            .map(|run| writer.write::<P>(run))
            .buffer_unordered(WRITES_AT_ONCE)
            .try_collect()
            .await?;
        for outcome in written {
            match outcome {
                Written::Row { is_written, units } => {
                    self.rows += u64::from(is_written);
                    self.units += units;
                }
                Written::Unreadable(stream) => report.find(unreadable(stream)),
            }
        }
        Ok(())
    }

    async fn write<P: Projection>(&self, run: Run) -> Result<Written, Failure> {
        let Run { stream, commits, .. } = run;
        let commits = match commits {
            Some(commits) => Ok(commits),
            None => self.worker.backend.log.load(stream).await,
        };
        let row = match commits {
            Err(damaged) if !damaged.is_passing() => None,
            commits => fold::<P>(None, &commits?).ok().flatten(),
        };
        let Some(row) = row else { return Ok(Written::Unreadable(stream)) };
        let item: RawRow = serde_dynamo::to_item(&row)
            .map_err(|cause| Failure::broken(format!("write the row of {stream}"), cause))?;
        let expected = units::of_new_row(&item, P::Row::TABLE.indexes);
        let wait = self.budget.lock().await.take(expected, self.elapsed());
        if !wait.is_zero() {
            self.worker.backend.clock.sleep(wait).await;
        }
        let put = self.candidate.put_newer(item).await?;
        fault::point("rebuild.row-written");
        self.budget.lock().await.correct(put.units - expected);
        Ok(Written::Row { is_written: put.is_written, units: put.units })
    }

    /// Waits until the time is over that the units used so far take. The next message begins with a budget of its
    /// own, and many short ones would exceed the bound otherwise.
    async fn rest(&self) {
        let pending = self.budget.lock().await.pending(self.elapsed());
        if !pending.is_zero() {
            self.worker.backend.clock.sleep(pending.min(self.worker.bounds.work_max)).await;
        }
    }

    fn elapsed(&self) -> Duration {
        self.worker.backend.clock.moment().since(self.begun)
    }
}

/// The finding of a stream whose events this code cannot read.
pub(super) fn unreadable(stream: StreamId) -> Example {
    Example {
        finding: Finding::Unreadable,
        stream,
        seq: 0,
        field: None,
        live: Value::Null,
        candidate: Value::Null,
    }
}
