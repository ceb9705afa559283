//! Several generations of a projection: the feed writes all of them, the live one first, while their roles change and
//! one feed knows of the changes late.

mod case;
pub(crate) mod side;
mod world;

use std::{collections::BTreeSet, time::Duration};

use futures::future::join_all;
use infra::{
    Backend, Rows,
    aws::{Answer, in_process},
    generations::Generations,
};
use projections::{
    feed::{Feed, Parked},
    rebuild::Command,
};
use proptest::test_runner::TestRunner;
use schema::{Commit, projection::Name};
use serde_json::json;
use uuid::Uuid;
use waitlist_tests::{
    cases::{cases, runtime},
    generations::{change, prepare},
    stage::Stage,
};

use self::{case::case, side::Side, world::World};
use crate::{
    history::{append, visit},
    oracle::Tables,
    poison::{parked, retry_failures, ring},
};

const CASES: u32 = 12;
const VISITS: usize = 10;
const REBUILD: Uuid = Uuid::from_u128(5);

#[test]
fn every_generation_equals_the_fold_of_the_log_while_roles_change_and_one_feed_knows_it_late() {
    let runtime = runtime();
    let stage = runtime.block_on(Stage::new());
    let world = runtime.block_on(World::of(&stage));
    TestRunner::new(cases(CASES)).run(&case(), |case| runtime.block_on(world.play(&case))).unwrap();
}

/// Appends visits of one commit.
async fn visits(stage: &Stage) -> Vec<Commit> {
    let visits: Vec<Commit> = (0..VISITS).flat_map(|_| visit(1).commits(&stage.backend)).collect();
    for commit in &visits {
        append(&stage.backend, commit).await;
    }
    visits
}

/// Checks that a generation has the rows of these visits.
async fn has_rows(stage: &Stage, visits: &[Commit], generation: u64) {
    let tables = Tables::of(stage);
    for commit in visits {
        let expected = tables.expected(commit.stream).await;
        assert_eq!(tables.row_in(commit.stream, generation).await, expected, "generation {generation}");
    }
}

#[tokio::test]
async fn a_throttled_candidate_is_tried_once_after_all_live_rows_and_its_doorbells_are_parked() {
    let stage = Stage::new().await;
    let candidate = prepare(&stage, Name::Waitees, REBUILD).await.candidate.unwrap();
    let side = Side::start(&stage, Duration::ZERO).await;
    side.throttle(BTreeSet::from([candidate]), 1);
    let visits = visits(&stage).await;
    ring(&side.feed, &visits.iter().collect::<Vec<_>>()).await;

    let calls = side.take_calls();
    let (live, others) = calls.split_at(2 * VISITS);
    assert!(live.iter().all(|(_, generation)| *generation == 0), "{calls:?}");
    let once: Vec<_> = (0..VISITS).map(|_| ("GetItem".to_owned(), candidate)).collect();
    assert_eq!(others, once, "each doorbell is tried once");
    has_rows(&stage, &visits, 0).await;

    let waiting = parked(&stage.backend).await;
    assert_eq!(waiting.len(), VISITS);
    assert!(waiting.iter().all(|parked| parked.generation == Some(candidate)), "{waiting:?}");
    side.throttle(BTreeSet::new(), 1);
    assert_eq!(retry_failures(&side.feed, &waiting).await, 0);
    has_rows(&stage, &visits, candidate).await;
    assert_eq!(parked(&stage.backend).await, []);
}

#[tokio::test]
async fn a_parked_doorbell_without_a_generation_is_applied_to_every_generation() {
    let stage = Stage::new().await;
    let candidate = prepare(&stage, Name::Waitees, REBUILD).await.candidate.unwrap();
    let side = Side::start(&stage, Duration::ZERO).await;
    let visits = visits(&stage).await;
    let of_older_code = |commit: &Commit| -> Parked {
        let body = json!({ "consumer": "projector", "stream": commit.stream, "seq": commit.last, "cause": "simulated failure" });
        serde_json::from_value(body).unwrap()
    };
    let older: Vec<Parked> = visits.iter().map(of_older_code).collect();
    assert_eq!(retry_failures(&side.feed, &older).await, 0);
    for generation in [0, candidate] {
        has_rows(&stage, &visits, generation).await;
    }
}

#[tokio::test]
async fn doorbells_are_parked_for_every_generation_while_the_set_cannot_be_read() {
    let stage = Stage::new().await;
    let candidate = prepare(&stage, Name::Waitees, REBUILD).await.candidate.unwrap();
    let refuse = |_| async {
        let body = json!({ "__type": "com.amazonaws.dynamodb.v20120810#InternalServerError", "message": "simulated failure" });
        Answer { status: 400, body: body.to_string() }
    };
    let log = stage.log_over(aws_sdk_dynamodb::Client::new(&in_process(refuse).await));
    let rows = Rows::new(stage.dynamodb.clone(), &stage.prefix, Generations::new(log, Duration::ZERO));
    let visits = visits(&stage).await;
    let feed = Feed::new(Backend { rows, ..stage.backend.clone() });
    ring(&feed, &visits.iter().collect::<Vec<_>>()).await;

    let waiting = parked(&stage.backend).await;
    assert_eq!(waiting.len(), VISITS);
    assert!(waiting.iter().all(|parked| parked.generation.is_none()), "{waiting:?}");
    assert_eq!(retry_failures(&feed, &waiting).await, VISITS, "the set still cannot be read");
    let side = Side::start(&stage, Duration::ZERO).await;
    assert_eq!(retry_failures(&side.feed, &waiting).await, 0);
    for generation in [0, candidate] {
        has_rows(&stage, &visits, generation).await;
    }
}

#[tokio::test]
async fn a_parked_doorbell_of_a_generation_that_lost_its_role_is_done() {
    let stage = Stage::new().await;
    let candidate = prepare(&stage, Name::Waitees, REBUILD).await.candidate.unwrap();
    // This feed learns of the candidate here, and of its end only when it looks again.
    let side = Side::start(&stage, Duration::MAX).await;
    side.reload().await;
    side.throttle(BTreeSet::from([candidate]), 1);
    let visits = visits(&stage).await;
    ring(&side.feed, &visits.iter().collect::<Vec<_>>()).await;
    change(&stage.backend, Name::Waitees, &Command::Cancel { rebuild: REBUILD, by: None }).await;
    let table = Name::Waitees.table_name(&stage.prefix, candidate);
    stage.dynamodb.delete_table().table_name(table).send().await.unwrap();

    let waiting = parked(&stage.backend).await;
    assert_eq!(waiting.len(), VISITS);
    assert_eq!(retry_failures(&Side::start(&stage, Duration::ZERO).await.feed, &waiting).await, 0);
    has_rows(&stage, &visits, 0).await;
    assert_eq!(parked(&stage.backend).await, []);
}

/// A feed that learns of a candidate late parks nothing for it: the scan, which begins later, finds the commits.
#[tokio::test]
async fn a_parked_doorbell_is_not_dropped_by_a_process_that_does_not_know_its_generation_yet() {
    let stage = Stage::new().await;
    let late = Side::start(&stage, Duration::MAX).await;
    late.reload().await;
    let candidate = prepare(&stage, Name::Waitees, REBUILD).await.candidate.unwrap();
    let visits = visits(&stage).await;
    let named = visits.iter().map(|commit| {
        let body = json!({ "consumer": "projector", "stream": commit.stream, "seq": commit.last, "cause": "simulated failure", "generation": candidate });
        serde_json::from_value(body).unwrap()
    });
    let named: Vec<Parked> = named.collect();
    let retried = named.chunks(1).map(|one| retry_failures(&late.feed, one));
    assert_eq!(join_all(retried).await.into_iter().sum::<usize>(), 0);
    has_rows(&stage, &visits, candidate).await;
}
