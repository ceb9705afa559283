//! The queue of parked doorbells, worked off as an event source mapping of SQS would, on a clock that a test moves.

use local::workers::{Consumer, look};
use projections::feed::Feed;
use schema::Commit;
use serde_json::json;
use waitlist_tests::stage::Stage;

use crate::{
    history::{append, visit},
    oracle::Tables,
    poison::{NEWER, ring, with},
};

/// As the backend has it: a message is tried every half minute, five times.
const VISIBILITY_MS: i64 = 30_000;
const ATTEMPTS_MAX: usize = 5;

/// A visit whose row newer code wrote, and whose doorbell was therefore parked.
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
        scene.tables.put_row(scene.commits[0].stream, &with(&scene.row, &[("v", json!(NEWER))])).await;
        ring(&scene.feed, &[&scene.commits[1]]).await;
        scene
    }

    /// The cause is gone: older code's row is back.
    async fn heal(&self) {
        self.tables.put_row(self.commits[0].stream, &self.row).await;
    }

    async fn look(&self) -> usize {
        look(&self.stage.backend.retries, &Consumer::Projector(self.feed.clone())).await
    }

    fn pass(&self, ms: i64) {
        self.stage.backend.clock.advance_millis(ms);
    }

    async fn is_right(&self) -> bool {
        let stream = self.commits[0].stream;
        self.tables.row(stream).await == self.tables.due(stream).await
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

    /// Tries the message until it is given up.
    async fn wear_out(&self) {
        for _ in 0..ATTEMPTS_MAX {
            assert_eq!(self.look().await, 1);
            self.pass(VISIBILITY_MS);
        }
        assert_eq!(self.look().await, 0);
    }
}

#[tokio::test]
async fn a_parked_doorbell_is_tried_again_only_after_its_visibility_time_out() {
    let scene = Scene::new().await;
    assert_eq!(scene.look().await, 1);
    assert_eq!(scene.look().await, 0, "it was tried just now");
    scene.heal().await;
    scene.pass(VISIBILITY_MS - 1);
    assert_eq!(scene.look().await, 0);
    assert!(!scene.is_right().await);
    scene.pass(1);
    assert_eq!(scene.look().await, 1);
    assert!(scene.is_right().await);

    scene.pass(10 * VISIBILITY_MS);
    assert_eq!(scene.look().await, 0, "what is handled does not come back");
    assert_eq!(scene.dead().await, Vec::<String>::new());
}

#[tokio::test]
async fn a_doorbell_that_fails_every_time_waits_among_the_dead_letters_to_be_redriven() {
    let scene = Scene::new().await;
    let queue = &scene.stage.backend.retries;
    scene.wear_out().await;
    let dead = scene.dead().await;
    assert_eq!(dead.len(), 1);
    scene.pass(10 * VISIBILITY_MS);
    assert_eq!(scene.look().await, 0, "nobody tries a dead letter by themselves");

    assert!(queue.redrive(&dead[0]).await.unwrap());
    assert_eq!(scene.dead().await, Vec::<String>::new());
    scene.wear_out().await;
    assert_eq!(scene.dead().await.len(), 1, "redriven too early, it dies once more");

    scene.heal().await;
    assert_eq!(queue.redrive_all().await.unwrap(), 1);
    assert_eq!(scene.look().await, 1);
    assert!(scene.is_right().await);
    scene.pass(10 * VISIBILITY_MS);
    assert_eq!((scene.look().await, scene.dead().await.len()), (0, 0));
}

#[tokio::test]
async fn of_a_batch_only_what_failed_comes_again() {
    let scene = Scene::new().await;
    let retries = &scene.stage.backend.retries;
    let good = visit(2).commits(&scene.stage.backend);
    for commit in &good {
        append(&scene.stage.backend, commit).await;
    }
    let body = json!({ "consumer": "projector", "stream": good[0].stream, "seq": good[1].last, "cause": "was in trouble" });
    retries.send(&body.to_string(), std::time::Duration::ZERO).await.unwrap();
    retries.send("no parked doorbell", std::time::Duration::ZERO).await.unwrap();

    assert_eq!(scene.look().await, 3);
    assert_eq!(scene.tables.row(good[0].stream).await, scene.tables.due(good[0].stream).await);
    scene.pass(VISIBILITY_MS);
    assert_eq!(scene.look().await, 2);
    for _ in 0..ATTEMPTS_MAX {
        scene.pass(VISIBILITY_MS);
        scene.look().await;
    }
    assert_eq!(scene.dead().await.len(), 2);
}
