//! Comparing the rows of a candidate with the live ones, in one segment of both tables.
//!
//! Rows are compared while the feed writes. A difference is therefore looked at again, and what the rows should be
//! is decided by the log.

use std::time::Duration;

use infra::{
    Failure, fault,
    generations::HAND_OVER,
    rows::{Patience, RawRow, Target, seq_of},
    work::{Part, Places, Step},
};
use schema::{
    DomainEvent as _, StreamId,
    projection::{Done, Example, Finding, Phase, Rebuild, Report, State},
};
use serde_json::Value;
use uuid::Uuid;

use super::{
    compare::{Difference, Verdict, compare},
    missed::is_any_parked,
    pairs::{Pair, Pairs, Rows},
    scan::unreadable,
    step::Due,
    worker::Worker,
};
use crate::{
    doorbell::{Doorbell, apply_in},
    projection::{Projection, fold},
};

/// How often rows are compared again that show different events.
const LOOKS_MAX: u32 = 3;

/// The feed writes a row to the candidate after the live generation, or parks its doorbell, within about this time. It
/// may do so long after the commit, when it is behind.
const BETWEEN_MAX: Duration = Duration::from_secs(5);
const BETWEEN_LOOKS: u32 = 10;

impl Worker {
    /// Verifies a part of a segment for as long as a message is worked on.
    pub(super) async fn verify<P: Projection>(
        &self,
        state: &State,
        rebuild: &Rebuild,
        part: Part<Places>,
    ) -> Result<(), Failure> {
        let Part { segment, from, mut done, found: mut report } = part;
        let pair = Pair {
            generations: [state.live, rebuild.generation],
            live: self.backend.rows.generation(P::NAME, state.live),
            candidate: self.backend.rows.generation(P::NAME, rebuild.generation),
        };
        let mut pairs = Pairs::after(from.unwrap_or_default(), &pair, (segment, rebuild.verified.of()));
        let begun = self.backend.clock.moment();
        let is_late = || self.backend.clock.moment().since(begun) >= self.work_max;
        let mut is_last = false;
        while !is_last {
            let mut some = pairs.next().await?;
            fault::point("rebuild.rows-read");
            is_last = pairs.is_over() || is_late();
            if is_last {
                some.extend(pairs.rest().await?);
            }
            for (id, rows) in some {
                report.streams += 1;
                // A report with such a finding bars promotion already: nothing is waited for.
                let is_clean = report.missing + report.extra + report.drift == 0;
                let rows = if is_clean { self.with_both(&pair, id, rows).await? } else { rows };
                self.judge::<P>(&pair, id, rows, &mut report).await?;
            }
        }
        done.add(Done { read_units: pairs.read_units as u64, ..Done::default() });
        if pairs.is_over() {
            return self.finish(P::NAME, rebuild, Phase::Verify, (segment, done, report)).await;
        }
        let part = Part { segment, from: Some(pairs.places), done, found: report };
        let step = Step::Verify { rebuild: rebuild.id, part };
        self.send(P::NAME, Due { step, delay: Duration::ZERO }).await
    }

    /// Reads rows again of which one is missing, until the feed must have written the other one.
    async fn with_both(&self, pair: &Pair, id: Uuid, mut rows: Rows) -> Result<Rows, Failure> {
        for _ in 0..BETWEEN_LOOKS {
            if rows.live.is_some() == rows.candidate.is_some() {
                break;
            }
            self.backend.clock.sleep(BETWEEN_MAX / BETWEEN_LOOKS).await;
            rows = pair.read(id).await?;
        }
        Ok(rows)
    }

    /// Decides what a stream's rows show. Rows that show different events are projected again and compared again.
    async fn judge<P: Projection>(
        &self,
        pair: &Pair,
        id: Uuid,
        mut rows: Rows,
        report: &mut Report,
    ) -> Result<(), Failure> {
        let stream = StreamId { category: P::Event::CATEGORY, id };
        for _ in 0..LOOKS_MAX {
            let finding = match compare(rows.live.as_ref(), rows.candidate.as_ref()) {
                Verdict::Equal | Verdict::Neither => return Ok(()),
                Verdict::Expected(difference) => Some((Finding::Expected, Some(difference))),
                Verdict::Differs(difference) => {
                    Some((self.judge_drift::<P>(stream, &rows).await?, Some(difference)))
                }
                Verdict::Apart => None,
                Verdict::OnlyLive => self.judge_single(stream, Finding::Missing, Finding::Drift).await?,
                Verdict::OnlyCandidate => self.judge_single(stream, Finding::Drift, Finding::Extra).await?,
            };
            if let Some((finding, difference)) = finding {
                report.find(example(finding, stream, &rows, difference));
                return Ok(());
            }
            let last = self.backend.log.latest(stream).await?.map_or(0, |latest| latest.last);
            let doorbell = Doorbell { stream, last, commits: Vec::new() };
            for generation in pair.generations {
                // A row that cannot be brought up to date is found by the comparison that follows.
                let target = Target { generation, patience: Patience::Usual };
                if let Err(passing) = apply_in(&self.backend, &doorbell, target).await
                    && passing.is_passing()
                {
                    return Err(passing);
                }
            }
            rows = pair.read(id).await?;
        }
        report.find(example(Finding::Lagging, stream, &rows, None));
        Ok(())
    }

    /// Decides about a stream with a row in one generation alone. `None` while the other row may still come.
    async fn judge_single(
        &self,
        stream: StreamId,
        with_events: Finding,
        without_events: Finding,
    ) -> Result<Option<(Finding, Option<Difference>)>, Failure> {
        let Some(latest) = self.backend.log.latest(stream).await? else {
            return Ok(Some((without_events, None)));
        };
        let hand_over = i64::try_from(HAND_OVER.as_millis()).unwrap_or(i64::MAX);
        let may_come = latest.at.plus_millis(hand_over) > self.backend.clock.now();
        let may_come = may_come || is_any_parked(&self.backend).await?;
        Ok((!may_come).then_some((with_events, None)))
    }

    /// Decides which of two different rows is the fold of the log.
    async fn judge_drift<P: Projection>(&self, stream: StreamId, rows: &Rows) -> Result<Finding, Failure> {
        let Some(candidate) = &rows.candidate else { return Ok(Finding::Drift) };
        let commits = match self.backend.log.load(stream).await {
            Err(damaged) if !damaged.is_passing() => return Ok(Finding::Unreadable),
            commits => commits?,
        };
        let shown = seq_of(candidate);
        let commits: Vec<_> = commits.into_iter().take_while(|commit| commit.last <= shown).collect();
        let folded = fold::<P>(None, &commits).ok().flatten();
        let folded: Option<RawRow> = folded.and_then(|row| serde_dynamo::to_item(row).ok());
        Ok(if folded.as_ref() == Some(candidate) { Finding::Drift } else { Finding::Wrong })
    }
}

fn example(finding: Finding, stream: StreamId, rows: &Rows, difference: Option<Difference>) -> Example {
    let Rows { live, candidate } = rows;
    if finding == Finding::Unreadable {
        return unreadable(stream);
    }
    let shown = candidate.as_ref().or(live.as_ref());
    let number = |row: &Option<RawRow>| row.as_ref().map_or(Value::Null, |row| seq_of(row).into());
    let (field, live, candidate) = match difference {
        Some(Difference { field, live, candidate }) => (Some(field), live, candidate),
        None if finding == Finding::Lagging => (Some("seq".to_owned()), number(live), number(candidate)),
        None => (None, Value::Null, Value::Null),
    };
    Example { finding, stream, seq: shown.map(seq_of).unwrap_or_default(), field, live, candidate }
}
