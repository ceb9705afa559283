//! Alterations do not bring an erased guest's data back.

use aws_sdk_dynamodb::types::AttributeValue;
use serde_json::{Value, json};
use waitlist_tests::stage::Stage;

use super::scene::Scene;

/// Asks for the guest's erasure. The guest's key still exists.
async fn erase(scene: &Scene<'_>) -> u64 {
    let erase = scene.owner.post(&format!("/v1/waitees/{}/erase", scene.visit.id), json!({})).await;
    assert_eq!(erase.status, 202, "{erase:?}");
    scene.stage.commits(scene.visit).await.last().unwrap().seq
}

async fn assert_hidden(scene: &Scene<'_>) {
    for query in ["", "?limit=1"] {
        assert_eq!(scene.history(query).await["items"][0]["data"]["name"], Value::Null);
    }
}

#[tokio::test]
async fn a_guest_whose_erasure_is_removed_from_the_log_stays_hidden_by_the_row() {
    let stage = Stage::new().await;
    let scene = Scene::new(&stage).await;
    assert_eq!(scene.history("").await["items"][0]["data"]["name"], "Ana");
    let seq = erase(&scene).await;
    stage.project(scene.visit).await;
    scene.remove(seq).await;
    assert_hidden(&scene).await;
    scene.assert_broken(seq).await;
}

#[tokio::test]
async fn a_guest_whose_damaged_history_may_hold_an_erasure_is_hidden_while_the_row_is_behind() {
    let stage = Stage::new().await;
    let scene = Scene::new(&stage).await;
    let seq = erase(&scene).await;
    let mut item = scene.item(seq).await;
    item.insert("events".into(), AttributeValue::S("?".into()));
    scene.put(item).await;
    assert_hidden(&scene).await;
    scene.assert_broken(seq).await;
}
