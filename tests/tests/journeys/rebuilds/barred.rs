//! Promotions that dead doorbells bar.

use std::time::Duration;

use projections::{feed, rebuild::repair::repair};
use schema::{StreamId, WaiteeId, projection::Name};
use serde_json::{Value, json};
use waitlist_tests::stage::{Answer, Owner, Stage};

use super::{REBUILDS, started};
use crate::bad_input::assert_is_problem;

/// A stage with a party that has no row, and a rebuild that is ready and lacks the party too.
async fn ready(stage: &Stage) -> (Owner<'_>, StreamId, u64, String) {
    let (operator, owner) = (stage.operator(), stage.owner());
    let list = owner.list("Main room").await;
    let party: WaiteeId = owner.join(&list, "Ana").await.parse().unwrap();
    let id = started(&operator, json!({ "promote": "manual" })).await;
    stage.make_ready(Name::Waitees, id).await;
    stage.backend.clock.advance_millis(1_000); // older doorbells than the table bar nothing
    let generation = operator.get(&format!("{REBUILDS}/{id}")).await.body["generation"].as_u64().unwrap();
    (operator, party.into(), generation, format!("{REBUILDS}/{id}/promote"))
}

fn doorbell(stream: StreamId, generation: Option<u64>) -> String {
    let mut body = json!({ "consumer": "projector", "stream": stream, "seq": 1, "cause": "throttled" });
    if let Some(generation) = generation {
        body["generation"] = generation.into();
    }
    body.to_string()
}

fn assert_names(refused: &Answer, letter: &str, stream: StreamId) {
    assert_is_problem(refused, 409, "doorbells-parked", letter);
    let detail = refused.body["detail"].as_str().unwrap();
    for part in [
        format!("waitlist dead-letters redrive {letter}"),
        format!("waitlist rebuild start waitees --stream {stream}"),
    ] {
        assert!(detail.contains(&part), "{detail}");
    }
}

#[tokio::test]
async fn a_dead_doorbell_of_the_candidate_bars_its_promotion_until_the_row_is_repaired() {
    let stage = Stage::new().await.with_set_age(Duration::ZERO);
    let (operator, stream, generation, promote) = ready(&stage).await;
    let retries = &stage.backend.retries;
    let letter = stage.dead(retries, &doorbell(stream, Some(generation))).await;
    assert_names(&operator.post(&promote, json!({})).await, &letter, stream);
    repair(&stage.backend, stream).await.unwrap();
    let promoted = operator.post(&promote, json!({})).await;
    assert_eq!(promoted.status, 202, "{promoted:?}");
}

#[tokio::test]
async fn a_dead_doorbell_that_names_no_generation_bars_until_it_is_redriven_and_applied() {
    let stage = Stage::new().await.with_set_age(Duration::ZERO);
    let (operator, stream, _, promote) = ready(&stage).await;
    let retries = &stage.backend.retries;
    let letter = stage.dead(retries, &doorbell(stream, None)).await;
    assert_names(&operator.post(&promote, json!({})).await, &letter, stream);
    assert!(retries.redrive(&letter).await.unwrap());
    let waiting = operator.post(&promote, json!({})).await;
    assert_is_problem(&waiting, 409, "doorbells-parked", "it waits on the queue");
    let message = retries.receive(1).await.unwrap().remove(0);
    feed::retry(&stage.backend, &message.body).await.unwrap();
    retries.delete(&message.receipt).await.unwrap();
    assert_eq!(operator.post(&promote, json!({})).await.status, 202);
}

#[tokio::test]
async fn dead_letters_of_others_and_older_ones_bar_nothing() {
    let stage = Stage::new().await.with_set_age(Duration::ZERO);
    let retries = &stage.backend.retries;
    let old: StreamId = "waitee-01920000-0000-7000-8000-000000000001".parse().unwrap();
    let other: StreamId = "user-01920000-0000-7000-8000-000000000002".parse().unwrap();
    stage.dead(retries, &doorbell(old, None)).await;
    let (operator, stream, generation, promote) = ready(&stage).await;
    for body in [
        doorbell(other, None),
        doorbell(other, Some(generation)),
        doorbell(stream, Some(0)),
        "no doorbell".to_owned(),
        Value::Null.to_string(),
    ] {
        stage.dead(retries, &body).await;
    }
    let promoted = operator.post(&promote, json!({})).await;
    assert_eq!(promoted.status, 202, "{promoted:?}");
}
