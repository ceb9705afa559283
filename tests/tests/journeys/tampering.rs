//! Commits that are altered, removed or added in the table itself: reading a history finds the place, and shows
//! what can be read.

mod flips;
mod hidden;
mod scene;

use infra::log::encode;
use schema::commit::Tail;
use serde_json::{Value, json};
use waitlist_tests::{
    past::{called, next},
    stage::Stage,
};

use self::scene::Scene;

#[tokio::test]
async fn an_untouched_history_is_verified_whether_the_row_is_fresh_or_behind() {
    let stage = Stage::new().await;
    let scene = Scene::new(&stage).await;
    scene.assert_intact().await;
    scene.owner.post(&format!("/v1/waitees/{}/restore", scene.visit.id), json!({})).await;
    scene.assert_intact().await;
}

#[tokio::test]
async fn a_commit_removed_from_the_middle_is_found_at_the_next_commit() {
    let stage = Stage::new().await;
    let scene = Scene::new(&stage).await;
    for (seq, next) in [(1, 2), (2, 4), (4, 5)] {
        let item = scene.remove(seq).await;
        scene.assert_found(next, "does not follow the commit before it").await;
        scene.put(item).await;
    }
    scene.assert_intact().await;
}

#[tokio::test]
async fn a_removed_end_is_found_by_the_row_that_shows_more() {
    let stage = Stage::new().await;
    let scene = Scene::new(&stage).await;
    const MISSING: &str = "is missing, although a read model shows its events";
    let mut removed = Vec::new();
    for seq in [5, 4, 2, 1] {
        removed.push(scene.remove(seq).await);
        scene.assert_found(seq, MISSING).await;
    }
    let history = scene.history("").await;
    assert_eq!(history["items"], json!([]), "the whole stream is removed");
    for item in removed {
        scene.put(item).await;
    }
    scene.assert_intact().await;
}

#[tokio::test]
async fn an_added_commit_is_found() {
    let stage = Stage::new().await;
    let scene = Scene::new(&stage).await;
    let commits = stage.commits(scene.visit).await;
    // A copy of the last commit, and one with a hash of its own but without the hash of the one before.
    let copy = schema::Commit { seq: 6, last: 6, ..commits[3].clone() };
    let forged = next(
        scene.visit,
        &Tail { hash: Tail::EMPTY.hash, ..commits[3].tail() },
        &scene.author(),
        &[called()],
    );
    for added in [copy, forged] {
        scene.put(encode(&added).unwrap()).await;
        scene.assert_found(6, "does not carry the hash of the commit before it").await;
        scene.remove(6).await;
    }
    // Inside the commit of events 2 and 3, with the right hashes.
    let inside = next(scene.visit, &Tail { seq: 2, ..commits[0].tail() }, &scene.author(), &[called()]);
    scene.put(encode(&inside).unwrap()).await;
    scene.assert_found(3, "does not follow the commit before it").await;
    scene.remove(3).await;
    // DynamoDB's numbers may have fractions.
    let mut between = scene.item(2).await;
    between.insert("seq".into(), aws_sdk_dynamodb::types::AttributeValue::N("3.5".into()));
    scene.put(between.clone()).await;
    scene.assert_found(4, "cannot be read").await;
    scene.remove_key("3.5").await;
    scene.assert_intact().await;
}

#[tokio::test]
async fn an_added_commit_with_a_number_below_1_is_found() {
    let stage = Stage::new().await;
    let scene = Scene::new(&stage).await;
    let numbers = ["0", "-0.5", "-1", "-2", "-7"];
    for below in numbers {
        let mut item = scene.item(4).await;
        for name in ["seq", "last"] {
            item.insert(name.into(), aws_sdk_dynamodb::types::AttributeValue::N(below.into()));
        }
        scene.put(item).await;
        scene.assert_found(0, "has a number below 1").await;
    }
    let numbers_shown: Vec<Value> = scene.history("").await["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|event| event["seq"].clone())
        .collect();
    assert_eq!(numbers_shown, [1, 2, 3, 4, 5]);
    for below in numbers {
        scene.remove_key(below).await;
    }
    scene.assert_intact().await;
}

#[tokio::test]
async fn an_added_commit_whose_id_has_another_time_is_found() {
    let stage = Stage::new().await;
    let scene = Scene::new(&stage).await;
    let tail = stage.commits(scene.visit).await[3].tail();
    let whole = next(scene.visit, &tail, &scene.author(), &[called()]);
    for ms in [-60_000, -1, 1] {
        let mut hidden =
            schema::Commit { commit: stage.backend.clock.id(whole.at.plus_millis(ms)), ..whole.clone() };
        hidden.hash = hidden.compute_hash();
        scene.put(encode(&hidden).unwrap()).await;
        scene.assert_found(6, "its id does not carry its time").await;
        scene.remove(6).await;
    }
    scene.put(encode(&whole).unwrap()).await;
    scene.assert_intact().await;
}

#[tokio::test]
async fn two_swapped_commits_are_found_at_the_first() {
    let stage = Stage::new().await;
    let scene = Scene::new(&stage).await;
    let (one, other) = (scene.item(4).await, scene.item(5).await);
    for (place, content) in [(&one, &other), (&other, &one)] {
        let mut moved = content.clone();
        moved.insert("seq".into(), place["seq"].clone());
        scene.put(moved).await;
    }
    // The content of commit 5 claims to end at 5, and so do both commits with changed numbers.
    scene.assert_broken(4).await;
    for (place, content) in [(&one, &other), (&other, &one)] {
        let mut moved = content.clone();
        moved.insert("seq".into(), place["seq"].clone());
        moved.insert("last".into(), place["seq"].clone());
        scene.put(moved).await;
    }
    scene.assert_broken(4).await;
    for item in [one, other] {
        scene.put(item).await;
    }
    scene.assert_intact().await;
}

#[tokio::test]
async fn a_command_on_a_damaged_stream_fails_and_appends_nothing() {
    let stage = Stage::new().await;
    let scene = Scene::new(&stage).await;
    scene.remove(2).await;
    let restore = scene.owner.post(&format!("/v1/waitees/{}/restore", scene.visit.id), json!({})).await;
    assert_eq!((restore.status, &restore.body["errors"]), (500, &Value::Null), "{restore:?}");
    scene.assert_found(4, "does not follow the commit before it").await;
}
