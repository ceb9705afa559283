//! A deployment with two feeds: one knows each change of roles at once, the other late.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use futures::future::join3;
use infra::rows::{Patience, Target};
use projections::{
    feed::{Doorbell, apply_in},
    rebuild::Command,
};
use proptest::prelude::*;
use schema::{
    Commit, StreamId,
    projection::{Event, Name, Stage as Progress, State},
};
use uuid::Uuid;
use waitlist_tests::{
    generations::{change, finish, prepare},
    stage::Stage,
};

use super::{
    case::{Case, Ring},
    side::Side,
};
use crate::{
    history::append,
    oracle::Tables,
    poison::{parked, retry_failures},
    records,
};

const NAME: Name = Name::Waitees;

pub(super) struct World<'s> {
    stage: &'s Stage,
    tables: Tables,
    fresh: Side,
    late: Side,
    records: AtomicUsize,
}

/// The next change of roles.
#[derive(Clone, Copy, Debug)]
enum Change {
    Prepare(Uuid),
    /// Every stream is folded into the candidate, once no feed has a set without it.
    Scan(Uuid),
    Promote(Uuid),
    Cancel(Uuid),
    Rollback,
    Retire,
}

impl<'s> World<'s> {
    pub(super) async fn of(stage: &'s Stage) -> Self {
        let (fresh, late) =
            (Side::start(stage, Duration::ZERO).await, Side::start(stage, Duration::MAX).await);
        Self { stage, tables: Tables::of(stage), fresh, late, records: AtomicUsize::new(1) }
    }

    /// Plays a case. At its end each generation with a role must equal the fold of the log.
    pub(super) async fn play(&self, case: &Case) -> Result<(), TestCaseError> {
        self.tidy().await;
        let mut pending: Vec<Vec<Commit>> =
            case.histories.iter().map(|history| history.commits(&self.stage.backend)).collect();
        pending.iter_mut().for_each(|commits| commits.reverse());
        let streams: Vec<StreamId> = pending.iter().map(|commits| commits[0].stream).collect();
        let mut appended: Vec<Commit> = Vec::new();
        for (number, round) in case.rounds.iter().enumerate() {
            let is_last = number + 1 == case.rounds.len();
            let grown = round.appends.iter().map(|index| index.index(streams.len()));
            let all = pending.iter().enumerate().flat_map(|(place, left)| vec![place; left.len()]);
            let grown: Vec<usize> = if is_last { all.collect() } else { grown.collect() };
            for place in grown {
                let Some(commit) = pending[place].pop() else { continue };
                append(&self.stage.backend, &commit).await;
                appended.push(commit);
            }
            let mut rings: Vec<(Ring, usize)> = round
                .rings
                .iter()
                .filter(|_| !appended.is_empty())
                .map(|ring| (*ring, ring.commit.index(appended.len())))
                .collect();
            for (stream, ring) in streams.iter().zip(&case.last).filter(|_| is_last) {
                let newest = appended.iter().rposition(|commit| commit.stream == *stream).unwrap();
                rings.insert(ring.commit.index(rings.len() + 1), (*ring, newest));
            }
            let state = self.state().await;
            let change = round.change.map(|choice| {
                possible(&state, choice, self.stage.backend.clock.id(self.stage.backend.clock.now()))
            });
            self.throttle(&state, change, round.throttle).await;
            if let Some(Change::Scan(_)) = change {
                self.late.reload().await;
            }
            let of_late =
                |is_late| rings.iter().filter(move |(ring, _)| ring.late == is_late).copied().collect();
            let delivered = join3(
                self.deliver(&self.fresh, of_late(false), &appended),
                self.deliver(&self.late, of_late(true), &appended),
                self.execute(change, &streams),
            );
            let (fresh, late, ()) = delivered.await;
            fresh.and(late)?;
            if round.refresh {
                self.late.reload().await;
            }
        }
        self.settle(&streams).await?;
        self.check(&streams).await
    }

    /// Delivers records to a feed, in batches. Live rows must show what a batch announced, and must have been written
    /// before the rows of other generations were looked at.
    async fn deliver(
        &self,
        side: &Side,
        rings: Vec<(Ring, usize)>,
        appended: &[Commit],
    ) -> Result<(), TestCaseError> {
        for batch in rings.chunk_by(|_, (next, _)| !next.cut) {
            side.take_calls();
            let records = batch.iter().map(|(ring, place)| {
                let sequence = self.records.fetch_add(1, Ordering::SeqCst);
                let foreign = &appended[(place + 1) % appended.len()];
                records::insert(sequence, &appended[*place], ring.image, foreign)
            });
            let response = side.feed.records(records::batch(records.collect())).await;
            prop_assert_eq!(records::failed(&response), Vec::<String>::new());

            let calls: Vec<u64> = side.take_calls().into_iter().map(|(_, generation)| generation).collect();
            let Some(live) = calls.first() else { continue };
            let others = calls.iter().skip_while(|generation| *generation == live);
            prop_assert!(others.clone().all(|generation| generation != live), "{:?}", calls);
            let mut announced: BTreeMap<StreamId, u64> = BTreeMap::new();
            for commit in batch.iter().map(|(_, place)| &appended[*place]) {
                let last = announced.entry(commit.stream).or_default();
                *last = commit.last.max(*last);
            }
            for (stream, last) in
                announced.into_iter().filter(|(stream, _)| stream.category == NAME.category())
            {
                let row = self.tables.row_in(stream, *live).await;
                let seq = row.and_then(|row| row["seq"].as_u64()).unwrap_or(0);
                prop_assert!(
                    seq >= last,
                    "{stream} shows {seq} in generation {live} after {last} was announced"
                );
            }
        }
        Ok(())
    }

    async fn execute(&self, change_to: Option<Change>, streams: &[StreamId]) {
        let backend = &self.stage.backend;
        match change_to {
            None => {}
            Some(Change::Prepare(id)) => drop(prepare(self.stage, NAME, id).await),
            Some(Change::Scan(id)) => self.scan(id, streams).await,
            Some(Change::Promote(rebuild)) => {
                change(backend, NAME, &Command::Promote { rebuild, by: None }).await;
            }
            Some(Change::Cancel(rebuild)) => {
                change(backend, NAME, &Command::Cancel { rebuild, by: None }).await;
            }
            Some(Change::Rollback) => drop(change(backend, NAME, &Command::Rollback { by: None }).await),
            Some(Change::Retire) => drop(change(backend, NAME, &Command::Retire { by: None }).await),
        }
    }

    /// Folds every visit of the case into the candidate.
    async fn scan(&self, id: Uuid, streams: &[StreamId]) {
        let state = self.state().await;
        let target = Target { generation: state.rebuild(id).unwrap().generation, patience: Patience::Usual };
        for stream in streams.iter().filter(|stream| stream.category == NAME.category()) {
            if let Some(last) = self.stage.commits(*stream).await.pop() {
                let doorbell = Doorbell { stream: *stream, last: last.last, commits: Vec::new() };
                apply_in(&self.stage.backend, &doorbell, target).await.unwrap();
            }
        }
        finish(&self.stage.backend, NAME, id).await;
    }

    /// Throttles the generations that no feed takes for the live one in this round.
    async fn throttle(&self, state: &State, change: Option<Change>, one_in: usize) {
        let roles = state.roles();
        let mut live = BTreeSet::from([roles.live, self.late.live().await]);
        match change {
            Some(Change::Promote(_)) => live.extend(roles.candidate),
            Some(Change::Rollback) => live.extend(roles.previous),
            Some(Change::Prepare(_) | Change::Scan(_) | Change::Cancel(_) | Change::Retire) | None => {}
        }
        let throttled: BTreeSet<u64> = roles.all().filter(|generation| !live.contains(generation)).collect();
        self.fresh.throttle(throttled.clone(), one_in);
        self.late.throttle(throttled, one_in);
    }

    /// Lets the late feed and the rebuild catch up, and retries the parked doorbells.
    async fn settle(&self, streams: &[StreamId]) -> Result<(), TestCaseError> {
        self.late.reload().await;
        if let Some(rebuild) =
            self.state().await.building().filter(|rebuild| rebuild.stage == Progress::Prepared)
        {
            self.scan(rebuild.id, streams).await;
        }
        for side in [&self.fresh, &self.late] {
            side.throttle(BTreeSet::new(), 1);
        }
        loop {
            let waiting = parked(&self.stage.backend).await;
            if waiting.is_empty() {
                return Ok(());
            }
            prop_assert!(waiting.iter().all(|parked| parked.generation.is_some()), "{:?}", waiting);
            prop_assert_eq!(retry_failures(&self.late.feed, &waiting).await, 0);
        }
    }

    async fn check(&self, streams: &[StreamId]) -> Result<(), TestCaseError> {
        let roles = self.state().await.roles();
        for stream in streams {
            let generations: Vec<u64> =
                if stream.category == NAME.category() { roles.all().collect() } else { vec![0] };
            for generation in generations {
                let row = self.tables.row_in(*stream, generation).await;
                let expected = self.tables.expected(*stream).await;
                prop_assert_eq!(
                    row,
                    expected,
                    "the row of {} in generation {} of {:?}",
                    stream,
                    generation,
                    roles
                );
            }
        }
        Ok(())
    }

    /// Ends what another case left unfinished, and deletes the tables of generations without a role.
    async fn tidy(&self) {
        let backend = &self.stage.backend;
        if let Some(rebuild) = self.state().await.building() {
            change(backend, NAME, &Command::Cancel { rebuild: rebuild.id, by: None }).await;
        }
        self.late.reload().await;
        parked(backend).await;
        for retired in self.state().await.retired {
            let table = NAME.table_name(&self.stage.prefix, retired.generation);
            self.stage.dynamodb.delete_table().table_name(table).send().await.unwrap();
            change(backend, NAME, &Command::Drop { generation: retired.generation }).await;
        }
    }

    async fn state(&self) -> State {
        let latest = self.stage.log_over(self.stage.dynamodb.clone()).latest(NAME.stream()).await.unwrap();
        let facts = latest.map(|commit| commit.facts::<Event>().unwrap()).unwrap_or_default();
        facts.last().map(|fact| fact.event.state().clone()).unwrap_or_default()
    }
}

/// A change that is possible now.
fn possible(state: &State, choice: u8, fresh_id: Uuid) -> Change {
    let has_former = state.previous.is_some();
    match state.building() {
        None if has_former && choice.is_multiple_of(4) => Change::Rollback,
        None if has_former && choice % 4 == 1 => Change::Retire,
        None => Change::Prepare(fresh_id),
        Some(rebuild) if choice.is_multiple_of(5) => Change::Cancel(rebuild.id),
        Some(rebuild) if rebuild.stage == Progress::Ready => Change::Promote(rebuild.id),
        Some(rebuild) => Change::Scan(rebuild.id),
    }
}
