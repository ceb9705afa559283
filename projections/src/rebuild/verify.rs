//! Comparing the rows of a candidate with the live ones, in one segment of both tables.
//!
//! Rows are compared while the feed writes. A difference is therefore looked at again, and what the rows should be
//! is decided by the log.

use std::time::Duration;

use futures::{StreamExt as _, TryStreamExt as _, stream};
use infra::{
    Failure, fault,
    generations::HAND_OVER,
    rows::{Patience, RawRow, Target, seq_of},
    work::{Part, Places, Step},
};
use schema::{
    DomainEvent as _, StreamId,
    projection::{Done, Example, Finding, Phase, Rebuild, State},
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

/// How often rows that show different events are compared. They are projected again before each time but the first.
const COMPARISONS_MAX: u32 = 4;

/// The pauses before each new reading of rows without a partner: 5 s in all. Within about that time the feed writes a row to
/// the candidate after the live generation, or parks its doorbell. A feed that is behind does so long after the commit.
const LATE_ROW_PAUSES_MS: [u64; 4] = [200, 600, 1_500, 2_700];

/// Streams that are judged at once. Most of them need no calls, because their rows are equal.
const JUDGED_AT_ONCE: usize = 16;

impl Worker {
    /// Verifies a segment, or a part of it, and sends the rest as a new message.
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
        let segments = (segment, rebuild.verified.of());
        let mut pairs = Pairs::after(from, &pair, segments, self.bounds.page_rows_max);
        let begun = self.backend.clock.moment();
        let is_late = || self.backend.clock.moment().since(begun) >= self.bounds.work_max;
        let mut is_last = false;
        while !is_last {
            let mut some = pairs.next().await?;
            fault::point("rebuild.rows-read");
            // A wait for rows is the last thing that a message does, so that it stays within the time of its function.
            is_last = pairs.is_over() || is_late() || some.iter().any(|(_, rows)| rows.is_single());
            if is_last {
                some.extend(pairs.rest().await?);
            }
            // With such a finding a rebuild is not promoted by itself, so nothing is waited for.
            if report.missing + report.extra + report.drift == 0 {
                self.wait_for_partners(&pair, &mut some).await?;
            }
            report.streams += some.len() as u64;
            let judged = some.into_iter().map(|(id, rows)| self.judge::<P>(&pair, id, rows));
            let found: Vec<Option<Example>> =
                stream::iter(judged).buffered(JUDGED_AT_ONCE).try_collect().await?;
            found.into_iter().flatten().for_each(|example| report.find(example));
        }
        done.add(Done { read_units: pairs.read_units as u64, ..Done::default() });
        if pairs.is_over() {
            return self.finish(P::NAME, rebuild, Phase::Verify, (segment, done, report)).await;
        }
        let part = Part { segment, from: pairs.places, done, found: report };
        let step = Step::Verify { rebuild: rebuild.id, part };
        self.send(P::NAME, Due { step, delay: Duration::ZERO }).await
    }

    /// Reads the streams again that have a row in one generation alone, until both are there or the pauses are over.
    async fn wait_for_partners(&self, pair: &Pair, streams: &mut [(Uuid, Rows)]) -> Result<(), Failure> {
        for pause in LATE_ROW_PAUSES_MS {
            let mut single: Vec<&mut (Uuid, Rows)> =
                streams.iter_mut().filter(|(_, rows)| rows.is_single()).collect();
            if single.is_empty() {
                return Ok(());
            }
            self.backend.clock.sleep(Duration::from_millis(pause)).await;
            let ids: Vec<Uuid> = single.iter().map(|(id, _)| *id).collect();
            let mut again = pair.read(&ids).await?;
            for (id, rows) in &mut single {
                *rows = again.remove(id).unwrap_or_default();
            }
        }
        Ok(())
    }

    /// Decides what a stream's rows show. Rows that show different events are projected again and compared again.
    async fn judge<P: Projection>(
        &self,
        pair: &Pair,
        id: Uuid,
        mut rows: Rows,
    ) -> Result<Option<Example>, Failure> {
        let stream = StreamId { category: P::Event::CATEGORY, id };
        for comparison in 1..=COMPARISONS_MAX {
            let finding = match compare(rows.live.as_ref(), rows.candidate.as_ref()) {
                Verdict::Equal | Verdict::Neither => return Ok(None),
                Verdict::Expected(difference) => Some((Finding::Expected, Some(difference))),
                Verdict::Differs(difference) => {
                    Some((self.judge_drift::<P>(stream, &rows).await?, Some(difference)))
                }
                Verdict::Apart => None,
                Verdict::OnlyLive => self.judge_single(stream, Finding::Missing, Finding::Drift).await?,
                Verdict::OnlyCandidate => self.judge_single(stream, Finding::Drift, Finding::Extra).await?,
            };
            if let Some((finding, difference)) = finding {
                return Ok(Some(example(finding, stream, &rows, difference)));
            }
            if comparison == COMPARISONS_MAX {
                break;
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
            rows = pair.read(&[id]).await?.remove(&id).unwrap_or_default();
        }
        Ok(Some(example(Finding::Lagging, stream, &rows, None)))
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
