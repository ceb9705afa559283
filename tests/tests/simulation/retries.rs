//! The queue of parked doorbells, consumed as by an event source mapping of SQS, with a manual clock.

use infra::function::RETRIES;
use local::workers::{Consumer, receive_once};
use projections::feed::Feed;
use schema::Commit;
use serde_json::json;
use waitlist_tests::stage::Stage;

use crate::{
    history::{append, visit},
    oracle::Tables,
    poison::{NEWER, ring, with},
};

const VISIBILITY_MS: i64 = RETRIES.policy.visibility.as_millis() as i64;
const ATTEMPTS_MAX: usize = RETRIES.policy.attempts_max as usize;

const DAY_MS: i64 = 24 * 3_600_000;
/// The interval at which a test looks for messages.
const POLL_MS: i64 = 300_000;

/// A visit with a row that cannot be read, so that its doorbell was parked.
struct Scene {
    stage: Stage,
    tables: Tables,
    feed: Feed,
    commits: Vec<Commit>,
    row: serde_json::Value,
}

impl Scene {
    async fn new() -> Self {
        let stage = Stage::new().await;
        let (tables, feed) = (Tables::of(&stage), Feed::new(stage.backend.clone()));
        let commits = visit(2).commits(&stage.backend);
        for commit in &commits {
            append(&stage.backend, commit).await;
        }
        ring(&feed, &[&commits[0]]).await;
        let row = tables.row(commits[0].stream).await.unwrap();
        let scene = Self { stage, tables, feed, commits, row };
        scene
            .tables
            .put_row(scene.commits[0].stream, &with(&scene.row, &[("state", json!("unknown"))]))
            .await;
        ring(&scene.feed, &[&scene.commits[1]]).await;
        scene
    }

    /// Puts back the row as it was, so that the doorbell can be applied.
    async fn restore_row(&self) {
        self.tables.put_row(self.commits[0].stream, &self.row).await;
    }

    async fn receive(&self) -> usize {
        receive_once(&self.stage.backend.retries, &Consumer::Projector(self.feed.clone())).await
    }

    fn pass(&self, ms: i64) {
        self.stage.backend.clock.advance_millis(ms);
    }

    async fn row_is_current(&self) -> bool {
        let stream = self.commits[0].stream;
        self.tables.row(stream).await == self.tables.expected(stream).await
    }

    async fn dead(&self) -> Vec<String> {
        self.stage
            .backend
            .retries
            .dead_letters(None, 10)
            .await
            .unwrap()
            .letters
            .into_iter()
            .map(|letter| letter.id)
            .collect()
    }

    /// Tries the message until it becomes a dead letter.
    async fn exhaust(&self) {
        for _ in 0..ATTEMPTS_MAX {
            assert_eq!(self.receive().await, 1);
            self.pass(VISIBILITY_MS);
        }
        assert_eq!(self.receive().await, 0);
    }
}

#[tokio::test]
async fn a_parked_doorbell_is_tried_again_after_the_visibility_time_out() {
    let scene = Scene::new().await;
    assert_eq!(scene.receive().await, 1);
    assert_eq!(scene.receive().await, 0, "it is hidden after the first try");
    scene.restore_row().await;
    scene.pass(VISIBILITY_MS - 1);
    assert_eq!(scene.receive().await, 0);
    assert!(!scene.row_is_current().await);
    scene.pass(1);
    assert_eq!(scene.receive().await, 1);
    assert!(scene.row_is_current().await);

    scene.pass(10 * VISIBILITY_MS);
    assert_eq!(scene.receive().await, 0, "an applied doorbell is not delivered again");
    assert_eq!(scene.dead().await, Vec::<String>::new());
}

#[tokio::test]
async fn a_doorbell_that_always_fails_becomes_a_dead_letter_and_can_be_redriven() {
    let scene = Scene::new().await;
    let queue = &scene.stage.backend.retries;
    scene.exhaust().await;
    let dead = scene.dead().await;
    assert_eq!(dead.len(), 1);
    scene.pass(10 * VISIBILITY_MS);
    assert_eq!(scene.receive().await, 0, "a dead letter is not tried again");

    assert!(queue.redrive(&dead[0]).await.unwrap());
    assert_eq!(scene.dead().await, Vec::<String>::new());
    scene.exhaust().await;
    assert_eq!(scene.dead().await.len(), 1, "it fails again while the cause exists");

    scene.restore_row().await;
    assert_eq!(queue.redrive_all().await.unwrap(), 1);
    assert_eq!(scene.receive().await, 1);
    assert!(scene.row_is_current().await);
    scene.pass(10 * VISIBILITY_MS);
    assert_eq!((scene.receive().await, scene.dead().await.len()), (0, 0));
}

#[tokio::test]
async fn only_the_failed_messages_of_a_batch_are_delivered_again() {
    let scene = Scene::new().await;
    let retries = &scene.stage.backend.retries;
    let good = visit(2).commits(&scene.stage.backend);
    for commit in &good {
        append(&scene.stage.backend, commit).await;
    }
    let body = json!({ "consumer": "projector", "stream": good[0].stream, "seq": good[1].last, "cause": "simulated failure" });
    retries.send(&body.to_string(), std::time::Duration::ZERO).await.unwrap();
    retries.send("no parked doorbell", std::time::Duration::ZERO).await.unwrap();

    assert_eq!(scene.receive().await, 3);
    assert_eq!(scene.tables.row(good[0].stream).await, scene.tables.expected(good[0].stream).await);
    scene.pass(VISIBILITY_MS);
    assert_eq!(scene.receive().await, 2);
    for _ in 0..ATTEMPTS_MAX {
        scene.pass(VISIBILITY_MS);
        scene.receive().await;
    }
    assert_eq!(scene.dead().await.len(), 2);
}

/// A doorbell waits for the code that its row needs, and is not dead after minutes.
#[tokio::test]
async fn a_doorbell_whose_row_newer_code_wrote_waits_a_day_before_its_attempts_count() {
    let scene = Scene::new().await;
    scene.receive().await;
    let newer = with(&scene.row, &[("v", json!(NEWER))]);
    scene.tables.put_row(scene.commits[0].stream, &newer).await;
    let (mut waited_ms, mut tried) = (0, 0);
    while scene.dead().await.is_empty() {
        scene.pass(POLL_MS);
        waited_ms += POLL_MS;
        tried += scene.receive().await;
        assert!(waited_ms < 2 * DAY_MS, "it is dead at some time");
    }
    assert!(waited_ms > DAY_MS, "{waited_ms} ms");
    assert!(tried < 120, "{tried} messages of a day");
    assert_eq!(scene.tables.row(scene.commits[0].stream).await, Some(newer));

    scene.restore_row().await;
    assert_eq!(scene.stage.backend.retries.redrive_all().await.unwrap(), 1);
    assert_eq!(scene.receive().await, 1);
    assert!(scene.row_is_current().await);
}
