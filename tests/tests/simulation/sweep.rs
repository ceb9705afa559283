//! Sweeps: whatever the feed lost is rung again, what a person must look at is named, and appends under way cause
//! neither.

mod world;

use std::time::Duration;

use projections::rebuild::Command;
use proptest::{collection::vec, prelude::*, sample::Index, test_runner::TestRunner};
use schema::{
    StreamId,
    id::Category,
    projection::{Name, Promote},
};
use sweep::{Ahead, FEED_MAX_MS, STEP_MAX_MS};
use uuid::Uuid;
use waitlist_tests::{
    cases::{cases_up_to, runtime},
    generations::{change, finish, prepare, request},
};

use self::world::World;
use crate::history::{self, History, history};

const CASES: u32 = 12;
/// A case sweeps a whole log several times.
const CASES_MAX: u32 = 200;

/// A commit is dated later than the one before, if only by a millisecond.
const SETTLED_MS: i64 = FEED_MAX_MS + 1_000;

/// An event before, between or during sweeps.
#[derive(Clone, Debug)]
enum Meanwhile {
    /// The next commit of a stream, with a record that the projector gets, or that is lost.
    Append(Index, bool),
    /// The row is removed.
    Remove(Index),
    /// The row shows the first commit alone.
    SetBack(Index),
    /// The row shows events that the log does not have.
    SetAhead(Index),
    /// A row without a stream.
    AddExtra(Index),
    Pass(i64),
    /// A sweep goes on for a page.
    Page,
    /// The same, but its progress is lost.
    Crash,
    /// The projector works off its queue.
    WorkOff,
}

fn meanwhile() -> impl Strategy<Value = Meanwhile> {
    prop_oneof![
        6 => (any::<Index>(), any::<bool>()).prop_map(|(stream, is_seen)| Meanwhile::Append(stream, is_seen)),
        2 => any::<Index>().prop_map(Meanwhile::Remove),
        2 => any::<Index>().prop_map(Meanwhile::SetBack),
        1 => any::<Index>().prop_map(Meanwhile::SetAhead),
        1 => any::<Index>().prop_map(Meanwhile::AddExtra),
        2 => (1..2 * FEED_MAX_MS).prop_map(Meanwhile::Pass),
        6 => Just(Meanwhile::Page),
        2 => Just(Meanwhile::Crash),
        1 => Just(Meanwhile::WorkOff),
    ]
}

#[test]
fn after_a_sweep_each_live_row_equals_the_fold_and_the_rows_ahead_are_named() {
    let runtime = runtime();
    let mut runner = TestRunner::new(cases_up_to(CASES_MAX, CASES));
    let case = (vec(history(), 2..7), vec(meanwhile(), 1..40));
    let property = async |histories: &[History], case: &[Meanwhile]| {
        let mut world = World::new(histories).await;
        for meanwhile in case {
            match meanwhile {
                Meanwhile::Append(stream, is_seen) => world.append(stream, *is_seen).await,
                Meanwhile::Remove(stream) => world.remove(stream).await,
                Meanwhile::SetBack(stream) => world.set_back(stream).await,
                Meanwhile::SetAhead(stream) => world.set_ahead(stream).await,
                Meanwhile::AddExtra(stream) => world.add_extra(stream).await,
                Meanwhile::Pass(ms) => world.pass(*ms),
                Meanwhile::Page => world.page().await,
                Meanwhile::Crash => world.crash().await,
                Meanwhile::WorkOff => world.work_off().await,
            }
            world.names_at_most_what_was_planted();
        }
        world.finish().await;
        world.pass(SETTLED_MS);
        let report = world.whole().await;
        world.names_exactly_what_was_planted(&report);
        world.work_off().await;
        world.rows_equal_the_log().await;
        let again = world.whole().await;
        assert_eq!(again.rung, 0, "nothing is left to ring: {again:?}");
    };
    runner
        .run(&case, |(histories, case)| {
            runtime.block_on(property(&histories, &case));
            Ok(())
        })
        .unwrap();
}

#[tokio::test]
async fn rows_of_every_complete_generation_are_compared() {
    let mut world = World::new(&history::some(8)).await;
    let (name, id) = (Name::Waitees, Uuid::from_u128(7));
    let backend = world.stage.backend.clone();
    world.append_all(true).await;
    world.pass(SETTLED_MS);
    let candidate = prepare(&world.stage, name, id).await.candidate.unwrap();
    let visits: Vec<StreamId> = world.streams_of(Category::Waitee);
    assert_eq!(world.whole().await.rung, 0, "the scan still writes the candidate");
    finish(&backend, name, id).await;
    assert_eq!(world.whole().await.rung, visits.len() as u64);
    world.work_off().await;
    for stream in &visits {
        assert_eq!(world.tables.row_in(*stream, candidate).await, world.tables.expected(*stream).await);
    }
    change(&backend, name, &Command::Promote { rebuild: id, by: None }).await;
    world.tables.remove_row(visits[0]).await;
    assert_eq!(world.whole().await.rung, 1, "a row of the live generation");
    world.work_off().await;
    assert_eq!(world.whole().await.rung, 0);
}

#[tokio::test]
async fn a_commit_that_the_feed_has_time_for_is_left_to_it() {
    let mut world = World::new(&history::some(4)).await;
    world.append_all(false).await;
    world.pass(FEED_MAX_MS - 1_000);
    assert_eq!(world.whole().await.rung, 0);
    world.pass(1_000);
    assert_eq!(world.whole().await.rung, 4);
}

#[tokio::test]
async fn a_rebuild_whose_record_was_lost_is_rung_again() {
    let world = World::new(&[]).await;
    let backend = &world.stage.backend;
    change(backend, Name::Mails, &request(Uuid::from_u128(7), Promote::Auto)).await;
    world.pass(STEP_MAX_MS - 1);
    assert_eq!(world.whole().await.rung, 0);
    world.pass(1);
    assert_eq!(world.whole().await.rung, 1);
    world.work_off().await;
    assert_eq!(backend.rebuilds.waiting(10).await.unwrap(), 1, "its first step is queued");
}

#[tokio::test]
async fn a_pointer_to_given_up_records_is_deleted_by_a_sweep_that_began_after_it() {
    let world = World::new(&history::some(2)).await;
    let failures = &world.stage.backend.stream_failures;
    failures.send("{}", Duration::ZERO).await.unwrap();
    assert_eq!(world.whole().await.pointers, 0, "its commits may be too young for this sweep");
    world.pass(FEED_MAX_MS);
    failures.send("{}", Duration::ZERO).await.unwrap();
    assert_eq!(world.whole().await.pointers, 1);
    assert_eq!(failures.waiting(10).await.unwrap(), 1, "the younger one is left to the next sweep");
    world.pass(FEED_MAX_MS);
    assert_eq!(world.whole().await.pointers, 1);
    assert_eq!(failures.waiting(10).await.unwrap(), 0);
}

#[tokio::test]
async fn a_stream_that_was_removed_or_cut_off_is_named() {
    let mut world = World::new(&history::some(8)).await;
    world.append_all(true).await;
    world.pass(SETTLED_MS);
    let long = world.streams.iter().max_by_key(|stream| stream.commits.len()).unwrap().commits.clone();
    let last = &long[long.len() - 1];
    world.delete(last).await;
    let gone = world.streams.iter().find(|stream| stream.id() != last.stream).unwrap().commits.clone();
    for commit in &gone {
        world.delete(commit).await;
    }
    let mut named = world.whole().await.named;
    named.sort_by_key(|row| row.last);
    let row = |stream: StreamId, shows, last| Ahead {
        projection: Name::folding(stream.category).unwrap(),
        generation: 0,
        stream,
        shows,
        last,
    };
    let of_gone = row(gone[0].stream, gone[gone.len() - 1].last, 0);
    assert_eq!(named, [of_gone, row(last.stream, last.last, last.seq - 1)]);
}
