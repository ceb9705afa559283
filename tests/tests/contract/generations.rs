//! The set of generations: its age, its costs, and readers that find the live table gone.

use std::time::Duration;

use futures::future::join_all;
use infra::{
    Failure,
    aws::{Answer, in_process},
    generations::{Generations, HAND_OVER, SET_AGE_MAX},
    rows::{Order, Patience, Range, Selection, Target},
    tables,
};
use projections::{
    feed::{self, Doorbell},
    rebuild::Command,
    waitees::Waitees,
};
use schema::{
    StreamId, WaiteeId, WaitlistId,
    projection::{Name, Promote, Roles},
    table::{ACTIVE, DAY, DUE, Index, KeyType, Projected, RowTable, WAITEES},
};
use serde_json::{Value, json};
use uuid::Uuid;
use waitlist_tests::{
    costs::documented,
    generations::{change, finish, prepare, request},
    stage::Stage,
};

const REBUILD: Uuid = Uuid::from_u128(5);

/// As many requests as one process serves at once.
const AT_ONCE: usize = 50;

/// A set of the stage's log, over a metered client.
fn set_of(stage: &Stage, age_max: Duration) -> Generations {
    Generations::new(stage.backend.log.clone(), age_max)
}

#[tokio::test]
async fn a_deployment_without_events_of_projections_is_served_from_generation_0() {
    let stage = Stage::new().await;
    let set = set_of(&stage, SET_AGE_MAX).current().await.unwrap();
    for name in Name::ALL {
        assert_eq!(set.roles(name), Roles::default());
    }
}

#[tokio::test]
async fn reading_the_set_costs_the_last_commit_of_each_projection() {
    let stage = Stage::new().await;
    prepare(&stage, Name::Waitees, REBUILD).await;
    let generations = set_of(&stage, SET_AGE_MAX);
    let _before = stage.meter.take();
    generations.current().await.unwrap();
    let used = stage.meter.take();
    assert_eq!(used.calls, 4);
    documented(
        &stage,
        "reading the set of generations, in a process that uses rows at most every 5 s",
        &used,
    );
    generations.current().await.unwrap();
    assert_eq!(stage.meter.take().calls, 0, "it is read again after 5 s");
    assert!(HAND_OVER > SET_AGE_MAX);
}

#[tokio::test]
async fn a_set_is_read_again_once_a_manual_clock_was_moved_by_its_age() {
    let stage = Stage::new().await;
    let generations = set_of(&stage, SET_AGE_MAX);
    generations.current().await.unwrap();
    prepare(&stage, Name::Waitees, REBUILD).await;
    assert_eq!(generations.current().await.unwrap().roles(Name::Waitees).candidate, None);
    stage.backend.clock.advance_millis(SET_AGE_MAX.as_millis() as i64);
    assert_eq!(generations.current().await.unwrap().roles(Name::Waitees).candidate, Some(1));
}

#[tokio::test]
async fn requests_that_find_the_set_too_old_wait_for_one_reading() {
    let stage = Stage::new().await;
    let generations = set_of(&stage, SET_AGE_MAX);
    let _before = stage.meter.take();
    let sets = join_all((0..AT_ONCE).map(|_| generations.current())).await;
    assert!(sets.iter().all(Result::is_ok));
    assert_eq!(stage.meter.take().calls, 4);
}

/// The backend of a process whose set is too old, and whose log does not answer.
async fn without_log(stage: &Stage) -> infra::Backend {
    let refuse = |_| async {
        let body = json!({ "__type": "com.amazonaws.dynamodb.v20120810#InternalServerError", "message": "simulated failure" });
        Answer { status: 400, body: body.to_string() }
    };
    let sdk = in_process(refuse).await;
    let log = stage.log_over(aws_sdk_dynamodb::Client::new(&sdk));
    let generations = Generations::new(log, Duration::ZERO);
    let rows = infra::Rows::new(stage.metered(), &stage.prefix, generations);
    infra::Backend { rows, ..stage.backend.clone() }
}

#[tokio::test]
async fn a_set_that_cannot_be_read_anew_is_not_used_and_requests_share_the_failure() {
    let stage = Stage::new().await;
    let backend = without_log(&stage).await;
    let failed = join_all((0..AT_ONCE).map(|_| backend.rows.generations().current())).await;
    assert!(failed.iter().all(|failed| failed.as_ref().is_err_and(Failure::is_passing)));

    let owner = stage.owner();
    let list = owner.list("Main room").await;
    let exp = backend.clock.now().millis() / 1000 + 900;
    let principal = infra::http::Principal::account(owner.id, exp);
    let path = format!("/v1/waitlists/{list}");
    let answer =
        waitlist_tests::stage::send(&backend, Some(principal), "GET", &path, None::<&Value>, &[]).await;
    assert_eq!(answer.status, 503, "{answer:?}");
}

/// A visit that is projected into generation 0 and into a candidate that becomes live.
async fn promoted(stage: &Stage) -> StreamId {
    let owner = stage.owner();
    let list = owner.list("Main room").await;
    let visit = StreamId::from(owner.join(&list, "Ana").await.parse::<WaiteeId>().unwrap());
    stage.project(visit).await;
    prepare(stage, Name::Waitees, REBUILD).await;
    finish(&stage.backend, Name::Waitees, REBUILD).await;
    change(&stage.backend, Name::Waitees, &Command::Promote { rebuild: REBUILD, by: None }).await;
    visit
}

#[tokio::test]
async fn a_reader_that_finds_the_former_table_gone_reads_from_the_live_one() {
    let stage = Stage::new().await;
    let visit = promoted(&stage).await;
    let fresh = stage.another();
    let fresh = infra::Backend {
        rows: infra::Rows::new(stage.metered(), &stage.prefix, set_of(&stage, Duration::ZERO)),
        ..fresh
    };
    let last = stage.commits(visit).await.pop().unwrap();
    let doorbell = Doorbell { stream: visit, last: last.last, commits: Vec::new() };
    assert_eq!(feed::apply(&fresh, &doorbell).await.unwrap(), feed::Applied::Written);
    let former = WAITEES.generation(0).name(&stage.prefix);
    stage.dynamodb.delete_table().table_name(&former).send().await.unwrap();

    // The stage's set is from before the promotion.
    assert_eq!(stage.backend.rows.live_table(WAITEES).await.unwrap().name(&stage.prefix), former);
    let _before = stage.meter.take();
    let found =
        stage.backend.rows.get::<<Waitees as projections::projection::Projection>::Row>(visit.id, 1).await;
    assert_eq!(found.unwrap().unwrap().seq, last.last);
    assert_eq!(stage.meter.take().calls, 2, "the former table and the live one, besides the set");
    assert_ne!(stage.backend.rows.live_table(WAITEES).await.unwrap().name(&stage.prefix), former);
}

/// An index that this release does not have.
const BY_ACCOUNT: Index = Index {
    name: "account",
    hash: ("tenant", KeyType::S),
    range: ("id", KeyType::S),
    projected: Projected::All,
};

#[tokio::test]
async fn an_index_that_only_the_candidate_has_answers_once_the_candidate_is_live() {
    let stage = Stage::new().await.with_set_age(Duration::ZERO);
    let owner = stage.owner();
    let list = owner.list("Main room").await;
    let visit = StreamId::from(owner.join(&list, "Ana").await.parse::<WaiteeId>().unwrap());
    stage.project(visit).await;
    let next = RowTable { indexes: &[ACTIVE, DAY, DUE, BY_ACCOUNT], ..WAITEES };
    let requested = change(&stage.backend, Name::Waitees, &request(REBUILD, Promote::Manual)).await;
    let generation = requested.rebuild(REBUILD).unwrap().generation;
    tables::create(&stage.dynamodb, &stage.prefix, &[next.generation(generation)]).await.unwrap();
    let prepared = Command::Prepare { rebuild: REBUILD, scans: 1, verifications: 1 };
    change(&stage.backend, Name::Waitees, &prepared).await;
    let doorbell = Doorbell { stream: visit, last: 1, commits: Vec::new() };
    let target = Target { generation, patience: Patience::Usual };
    assert_eq!(feed::apply_in(&stage.backend, &doorbell, target).await.unwrap(), feed::Applied::Written);
    finish(&stage.backend, Name::Waitees, REBUILD).await;

    let rows = &stage.backend.rows;
    let (owner, list) = (owner.id.to_string(), list.parse().unwrap());
    let selection =
        Selection { index: BY_ACCOUNT, partition: &owner, range: Range::All, order: Order::Ascending };
    let by_account = async || rows.entries::<Value>(next, selection, 10, None).await;
    let refused = by_account().await.unwrap_err();
    assert!(!refused.is_passing() && !refused.is_missing_table(), "{}", refused.chain());
    assert_eq!(rows.board(WaitlistId(list), 10).await.unwrap().rows.len(), 1);

    change(&stage.backend, Name::Waitees, &Command::Promote { rebuild: REBUILD, by: None }).await;
    assert_eq!(by_account().await.unwrap().rows.len(), 1);
    assert_eq!(rows.board(WaitlistId(list), 10).await.unwrap().rows.len(), 1);
}

#[tokio::test]
async fn a_missing_live_table_is_reported_after_one_reading_of_the_set() {
    let stage = Stage::new().await;
    let table = stage.live(WAITEES).await;
    stage.dynamodb.delete_table().table_name(table).send().await.unwrap();
    let _before = stage.meter.take();
    let missing = stage.backend.rows.on_board(WaitlistId(REBUILD), 1).await.unwrap_err();
    assert!(missing.is_missing_table() && !missing.is_passing(), "{}", missing.chain());
    assert_eq!(stage.meter.take().calls, 1, "besides the set");
}

#[tokio::test]
async fn setup_creates_the_generations_with_a_role_and_never_again_one_that_was_retired() {
    let stage = Stage::new().await;
    promoted(&stage).await;
    change(&stage.backend, Name::Waitees, &Command::Retire { by: None }).await;
    let former = WAITEES.generation(0).name(&stage.prefix);
    stage.dynamodb.delete_table().table_name(&former).send().await.unwrap();
    let live = stage.live(WAITEES).await;
    stage.dynamodb.delete_table().table_name(&live).send().await.unwrap();

    let created = infra::setup::create_rows(&stage.dynamodb, &stage.prefix).await.unwrap();
    assert!(created.contains(&live) && !created.contains(&former), "{created:?}");
    stage.dynamodb.describe_table().table_name(&live).send().await.unwrap();
    assert!(stage.dynamodb.describe_table().table_name(&former).send().await.is_err());
}
