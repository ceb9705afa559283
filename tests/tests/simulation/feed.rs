//! Doorbells that are repeated, lost, reordered or damaged: the rows still equal the fold of the log and
//! never go back.

mod case;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use aws_lambda_events::dynamodb::EventRecord;
use futures::future::{join, join_all};
use infra::queue::RECEIVE_MAX;
use projections::feed::Feed;
use proptest::{prelude::*, test_runner::TestRunner};
use schema::{Commit, StreamId, table::WAITEES};
use waitlist_tests::{
    cases::{cases, runtime},
    stage::Stage,
};

use self::case::{Case, Ring, What, case};
use crate::{
    history::{append, visit},
    oracle::{Item, Tables},
    poison,
    proxy::{Proxy, Trouble},
    records::{self, Image},
};

const CASES: u32 = 24;

/// A running case.
struct Play<'s> {
    stage: &'s Stage,
    tables: Tables,
    feeds: Vec<Feed>,
    appended: Vec<Commit>,
    /// The next of the appended commits in order.
    turn: usize,
    records: AtomicUsize,
}

impl Play<'_> {
    /// Returns the place, among the appended commits, of the commit that a ring announces.
    fn commit_of(&mut self, ring: Ring) -> usize {
        if !ring.in_turn || self.turn >= self.appended.len() {
            return ring.commit.index(self.appended.len());
        }
        self.turn += 1;
        self.turn - 1
    }

    /// Delivers the records, in order within each shard, all shards at the same time.
    async fn deliver(&self, rings: &[(Ring, usize)]) -> Result<(), TestCaseError> {
        let shards: BTreeSet<usize> = rings.iter().map(|(ring, _)| ring.shard).collect();
        let shards = shards.into_iter().map(|shard| async move {
            let mut shown = BTreeMap::new();
            let mine: Vec<_> = rings.iter().filter(|(ring, _)| ring.shard == shard).copied().collect();
            for batch in mine.chunk_by(|_, (next, _)| !next.cut) {
                self.batch(shard, batch, &mut shown).await?;
            }
            Ok(())
        });
        join_all(shards).await.into_iter().collect()
    }

    /// Delivers one batch. Afterwards the rows must show what it announced, and no row may have gone back.
    async fn batch(
        &self,
        shard: usize,
        rings: &[(Ring, usize)],
        shown: &mut BTreeMap<StreamId, u64>,
    ) -> Result<(), TestCaseError> {
        let records = rings.iter().map(|(ring, commit)| self.record(*ring, *commit)).collect();
        let response = self.feeds[shard % self.feeds.len()].records(records::batch(records)).await;
        prop_assert_eq!(records::failed(&response), Vec::<String>::new());
        let mut announced: BTreeMap<StreamId, u64> = BTreeMap::new();
        for (ring, commit) in rings {
            if let What::Insert(_) = ring.what {
                let commit = &self.appended[*commit];
                let last = announced.entry(commit.stream).or_default();
                *last = commit.last.max(*last);
            }
        }
        for (stream, last) in announced {
            let seq = self.tables.row(stream).await.and_then(|row| row["seq"].as_u64()).unwrap_or(0);
            prop_assert!(seq >= last, "the row of {stream} shows {seq} after {last} was announced");
            let before = shown.insert(stream, seq).unwrap_or(0);
            prop_assert!(seq >= before, "the row of {stream} went back from {before} to {seq}");
        }
        Ok(())
    }

    fn record(&self, ring: Ring, place: usize) -> EventRecord {
        let sequence = self.records.fetch_add(1, Ordering::SeqCst);
        let commit = &self.appended[place];
        let foreign = &self.appended[(place + 1) % self.appended.len()];
        match ring.what {
            What::Insert(image) => records::insert(sequence, commit, image, foreign),
            What::Alteration(name) => {
                let altered = records::insert(sequence, commit, Image::Altered, foreign).change.new_image;
                let mut record = records::insert(sequence, commit, Image::Whole, foreign);
                record.event_name = name.into();
                record.change.new_image = altered;
                record
            }
            What::UnknownCategory => records::record(
                sequence,
                "INSERT",
                &format!("table-{}", commit.stream.id),
                1,
                records::item(commit),
            ),
            What::OtherCategory => records::record(
                sequence,
                "INSERT",
                &format!("session-{}", commit.stream.id),
                1,
                records::item(commit),
            ),
            What::NoKeys => {
                let mut record = records::insert(sequence, commit, Image::Whole, foreign);
                record.change.keys = Item::new().into();
                record
            }
        }
    }

    /// Checks that each row equals the fold of the log.
    async fn check_rows(&self, streams: &[StreamId]) -> Result<(), TestCaseError> {
        for stream in streams {
            prop_assert_eq!(
                self.tables.row(*stream).await,
                self.tables.expected(*stream).await,
                "the row of {}",
                stream
            );
        }
        Ok(())
    }

    /// Returns the parked doorbells and deletes them, so that no case sees those of another.
    async fn parked(&self) -> Vec<String> {
        let mut bodies = Vec::new();
        loop {
            let messages = self.stage.backend.retries.receive(RECEIVE_MAX).await.unwrap();
            if messages.is_empty() {
                return bodies;
            }
            for message in messages {
                self.stage.backend.retries.delete(&message.receipt).await.unwrap();
                bodies.push(message.body);
            }
        }
    }
}

async fn play(stage: &Stage, feeds: Vec<Feed>, case: Case) -> Result<(), TestCaseError> {
    let mut pending: Vec<Vec<Commit>> =
        case.histories.iter().map(|history| history.commits(&stage.backend)).collect();
    pending.iter_mut().for_each(|commits| commits.reverse());
    let streams: Vec<StreamId> = pending.iter().map(|commits| commits[0].stream).collect();
    let mut play = Play {
        stage,
        tables: Tables::of(stage),
        feeds,
        appended: Vec::new(),
        turn: 0,
        records: AtomicUsize::new(1),
    };
    let outcome = ring_all(&mut play, pending, &streams, &case).await;
    // The log is sound, so no doorbell may be parked.
    prop_assert_eq!(play.parked().await, Vec::<String>::new());
    outcome
}

async fn ring_all(
    play: &mut Play<'_>,
    mut pending: Vec<Vec<Commit>>,
    streams: &[StreamId],
    case: &Case,
) -> Result<(), TestCaseError> {
    for (number, round) in case.rounds.iter().enumerate() {
        let is_last = number + 1 == case.rounds.len();
        for index in &round.appends {
            let stream = index.index(streams.len());
            grow(play, &mut pending[stream]).await;
        }
        for commits in pending.iter_mut().filter(|_| is_last) {
            while grow(play, commits).await {}
        }
        if play.appended.is_empty() {
            continue;
        }
        let mut rings: Vec<(Ring, usize)> =
            round.rings.iter().map(|ring| (*ring, play.commit_of(*ring))).collect();
        for (stream, (place, ring)) in streams.iter().zip(&case.last).filter(|_| is_last) {
            let newest = play.appended.iter().rposition(|commit| commit.stream == *stream).unwrap();
            rings.insert(place.index(rings.len() + 1), (*ring, newest));
        }
        play.deliver(&rings).await?;
    }
    play.check_rows(streams).await
}

/// Appends the next commit of a stream. Returns false if there is none.
async fn grow(play: &mut Play<'_>, pending: &mut Vec<Commit>) -> bool {
    let Some(commit) = pending.pop() else { return false };
    append(&play.stage.backend, &commit).await;
    play.appended.push(commit);
    true
}

fn property<F: Future<Output = Vec<Feed>>>(feeds: impl FnOnce(Arc<Stage>) -> F) {
    let runtime = runtime();
    // All cases share a stage and have streams of their own, because creating tables takes longer than a
    // case.
    let stage = Arc::new(runtime.block_on(Stage::new()));
    let feeds = runtime.block_on(feeds(stage.clone()));
    TestRunner::new(cases(CASES))
        .run(&case(), |case| runtime.block_on(play(&stage, feeds.clone(), case)))
        .unwrap();
}

#[test]
fn rows_equal_the_fold_of_the_log_for_any_delivery_of_doorbells() {
    property(async |stage| vec![Feed::new(stage.backend.clone())]);
}

#[test]
fn rows_equal_the_fold_of_the_log_when_two_feeds_write_concurrently() {
    property(async |stage| {
        // The first feed repeatedly overtakes the second between its reading and its writing of a row.
        let late = Proxy::new(&stage, "PutItem", stage.live(WAITEES).await, Trouble::Late, usize::MAX);
        vec![Feed::new(stage.backend.clone()), Feed::new(late.backend(&stage).await)]
    });
}

#[tokio::test]
async fn an_overtaken_feed_does_not_overwrite_a_newer_row() {
    let stage = Stage::new().await;
    let (tables, feed) = (Tables::of(&stage), Feed::new(stage.backend.clone()));
    // First without a row, then with one.
    for before in [0, 1] {
        let commits = visit(3).commits(&stage.backend);
        for commit in &commits {
            append(&stage.backend, commit).await;
        }
        poison::ring(&feed, &commits[..before].iter().collect::<Vec<_>>()).await;
        let proxy = Proxy::new(&stage, "PutItem", stage.live(WAITEES).await, Trouble::Held, 1);
        let overtaken = Feed::new(proxy.backend(&stage).await);
        let overtaking = async {
            proxy.until_called().await;
            poison::ring(&feed, &[&commits[2]]).await;
            assert_eq!(tables.row(commits[0].stream).await, tables.expected(commits[0].stream).await);
            proxy.release();
        };
        join(poison::ring(&overtaken, &[&commits[before]]), overtaking).await;
        assert_eq!(tables.row(commits[0].stream).await, tables.expected(commits[0].stream).await);
    }
}
