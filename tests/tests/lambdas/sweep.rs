//! The lambda sweep: begun by its schedules, it goes on message by message, also after its process ended.

use std::time::Duration;

use infra::queue::RECEIVE_MAX;
use schema::table::{EVENTS, WAITEES};
use serde_json::{Value, json};
use waitlist_tests::{events::queue_event, runtime_api::Function, template::resource};

use super::deployment::Deployment;

/// Points at which a process ends while it works on a message.
const ABORTS: [&str; 4] = ["sweep.page", "feed.park", "feed.parked", "sweep.worked"];

async fn invoke(sweep: &Function, schedule: &str) -> Value {
    sweep.invoke(json!({ "sweep": schedule })).await.unwrap()["begun"].clone()
}

/// The messages of sweeps, which are deleted.
async fn taken(deployment: &Deployment) -> Vec<Value> {
    let queue = deployment.backend().sweeps;
    let mut bodies = Vec::new();
    for message in queue.receive(RECEIVE_MAX).await.unwrap() {
        queue.delete(&message.receipt).await.unwrap();
        bodies.push(serde_json::from_str(&message.body).unwrap());
    }
    bodies
}

/// The metric of the alarm on findings, as the lambda wrote it.
fn findings(logs: &str) -> f64 {
    let lines = logs.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    lines.filter_map(|line| line["sweep_findings"].as_f64()).sum()
}

/// The number of findings beyond which the alarm begins.
fn threshold() -> f64 {
    resource("SweepFound").property("Threshold").as_f64().unwrap()
}

/// Gives the lambda its messages until a sweep is finished.
async fn finish(deployment: &Deployment, sweep: &Function) {
    loop {
        let messages = taken(deployment).await;
        if messages.is_empty() {
            return;
        }
        let answer = sweep.invoke(queue_event("sweeps", &messages)).await.unwrap();
        assert_eq!(answer, json!({ "batchItemFailures": [] }));
    }
}

/// Dates all commits so that the feed had time for them.
async fn age(deployment: &Deployment) {
    let table = EVENTS.name(&deployment.stage.prefix);
    let items = deployment.stage.dynamodb.scan().table_name(&table).limit(100).send().await.unwrap();
    for mut item in items.items.unwrap() {
        let at = aws_sdk_dynamodb::types::AttributeValue::S("2026-01-01T00:00:00.000Z".into());
        item.insert("at".into(), at);
        deployment.put(item).await;
    }
}

#[tokio::test]
async fn a_daily_sweep_rings_a_lost_commit_and_goes_on_after_its_process_ended() {
    let deployment = Deployment::new().await;
    let host = deployment.host();
    let list = host.list().await; // the projector gets no record of it
    age(&deployment).await;
    let sweep = deployment.start("sweep", &[]);
    assert_eq!(invoke(&sweep, "daily").await, true);
    assert_eq!(invoke(&sweep, "daily").await, false, "one is under way");
    let [begun] = taken(&deployment).await.try_into().unwrap();
    for point in ABORTS {
        let dying = deployment.start("sweep", &[("WAITLIST_ABORT_AT", point)]);
        assert!(dying.invoke(queue_event("sweeps", std::slice::from_ref(&begun))).await.is_err(), "{point}");
    }
    let answer = sweep.invoke(queue_event("sweeps", &[begun])).await.unwrap();
    assert_eq!(answer, json!({ "batchItemFailures": [] }));
    finish(&deployment, &sweep).await;
    assert!(findings(&sweep.stop().await) > threshold());
    let parked = deployment.backend().retries.receive(RECEIVE_MAX).await.unwrap();
    let parked: Vec<Value> =
        parked.iter().map(|message| serde_json::from_str(&message.body).unwrap()).collect();
    assert!(!parked.is_empty());
    for doorbell in &parked {
        assert_eq!(doorbell["stream"], format!("waitlist-{}", list.id()));
        assert_eq!(doorbell["cause"], "sweep: the row shows event 0 of 1");
    }
    let answer = deployment.projector().await.invoke(queue_event("retries", &parked)).await.unwrap();
    assert_eq!(answer, json!({ "batchItemFailures": [] }));
    assert_eq!(host.get("/v1/waitlists", "").await.body["items"][0]["id"], list.id());
    let next = deployment.start("sweep", &[]);
    assert_eq!(invoke(&next, "daily").await, true);
    finish(&deployment, &next).await;
    let logs = next.stop().await;
    assert!(logs.contains("finished a sweep") && findings(&logs) <= threshold(), "{logs}");
    assert_eq!(
        deployment.stage.live(WAITEES).await,
        format!("{}-events-waitees-g0", deployment.stage.prefix)
    );
}

#[tokio::test]
async fn a_pointer_to_given_up_records_makes_a_sweep_due_and_is_deleted_by_a_later_one() {
    let deployment = Deployment::new().await;
    let sweep = deployment.start("sweep", &[]);
    assert_eq!(invoke(&sweep, "given-up").await, false, "no records were given up");
    let pointer = json!({ "DDBStreamBatchInfo": {
        "shardId": "shardId-1", "startSequenceNumber": "1", "endSequenceNumber": "1", "batchSize": 1,
    } });
    let failures = deployment.backend().stream_failures;
    failures.send(&pointer.to_string(), Duration::ZERO).await.unwrap();
    assert_eq!(invoke(&sweep, "given-up").await, true);
    let [mut begun] = taken(&deployment).await.try_into().unwrap();
    let young = sweep.invoke(queue_event("sweeps", std::slice::from_ref(&begun))).await.unwrap();
    assert_eq!(young, json!({ "batchItemFailures": [] }));
    assert_eq!(failures.waiting(10).await.unwrap(), 1, "the sweep did not begin a minute after it");
    assert!(failures.receive(RECEIVE_MAX).await.unwrap().is_empty(), "the sweep has just looked at it");

    // As if it had begun later. The pointer is hidden for a while after each look.
    begun["begun"] = json!("2126-01-01T00:00:00.000Z");
    failures.send(&pointer.to_string(), Duration::ZERO).await.unwrap();
    let later = sweep.invoke(queue_event("sweeps", &[begun])).await.unwrap();
    assert_eq!(later, json!({ "batchItemFailures": [] }));
    assert_eq!(failures.waiting(10).await.unwrap(), 1, "the pointer that could be received is deleted");
    let logs = sweep.stop().await;
    assert!(logs.contains("finished a sweep") && logs.contains("\"pointers\":1"), "{logs}");
}

#[tokio::test]
async fn an_event_that_is_no_schedule_and_no_message_fails() {
    let deployment = Deployment::new().await;
    let sweep = deployment.start("sweep", &[]);
    for event in [json!({}), json!({ "sweep": "hourly" })] {
        sweep.invoke(event).await.unwrap_err();
    }
    let answer = sweep.invoke(queue_event("sweeps", &[json!({ "parts": [] })])).await.unwrap();
    assert_eq!(answer["batchItemFailures"][0]["itemIdentifier"], "message-1");
}
