//! The projector: its input from the stream and the queue, and its answer about records that it cannot apply.

use std::collections::HashSet;

use aws_sdk_dynamodb::types::AttributeValue;
use infra::queue::RECEIVE_MAX;
use schema::table::{EVENTS, QUEUE};
use serde_json::{Value, json};
use waitlist_tests::events::{Change, queue_event, stream_event, stream_event_of};

use super::deployment::Deployment;

const POISONED: &str = "waitee-01920000-0000-7000-8000-00000000dead";

fn nothing_failed() -> Value {
    json!({ "batchItemFailures": [] })
}

/// An item that this code cannot read, in DynamoDB's JSON.
fn poison(stream: &str) -> Value {
    json!({ "stream": { "S": stream }, "seq": { "N": "1" }, "events": { "S": "not a list" } })
}

/// Puts the same item into the log directly.
async fn put_poison(deployment: &Deployment, stream: &str) {
    let put = deployment.stage.dynamodb.put_item().table_name(EVENTS.name(&deployment.stage.prefix));
    let put = put.item("stream", AttributeValue::S(stream.into())).item("seq", AttributeValue::N("1".into()));
    put.item("events", AttributeValue::S("not a list".into())).send().await.unwrap();
}

/// Appends these records to an event.
fn with(mut event: Value, more: &Value) -> Value {
    event["Records"].as_array_mut().unwrap().extend(more["Records"].as_array().unwrap().iter().cloned());
    event
}

fn parked(stream: &str, seq: u64) -> Value {
    json!({ "consumer": "projector", "stream": stream, "seq": seq, "cause": "it was dark" })
}

#[tokio::test]
async fn an_unreadable_record_is_parked_and_does_not_block_the_stream() {
    let deployment = Deployment::new().await;
    let host = deployment.host();
    let list = host.list().await;
    let event = with(stream_event(&[poison(POISONED)]), &deployment.stream(1).await);
    put_poison(&deployment, POISONED).await;
    assert_eq!(deployment.projector().await.invoke(event).await.unwrap(), nothing_failed());
    assert_eq!(host.get("/v1/waitlists", "").await.body["items"][0]["id"], list.id());

    let parked = deployment.backend().retries.receive(RECEIVE_MAX).await.unwrap();
    assert_eq!(parked.len(), 1, "{parked:?}");
    let body: Value = serde_json::from_str(&parked[0].body).unwrap();
    assert_eq!(
        (&body["consumer"], &body["stream"], &body["seq"]),
        (&json!("projector"), &json!(POISONED), &json!(1))
    );
    assert!(body["cause"].as_str().unwrap().contains(POISONED), "{body}");

    // From the queue it fails as well and is reported, until it is a dead letter.
    let again = deployment.projector().await.invoke(queue_event("retries", &[body])).await.unwrap();
    assert_eq!(again, json!({ "batchItemFailures": [{ "itemIdentifier": "message-1" }] }));
}

#[tokio::test]
async fn only_failed_parked_doorbells_are_reported() {
    let deployment = Deployment::new().await;
    let host = deployment.host();
    let list = host.list().await;
    let known = format!("waitlist-{}", list.id());
    let ring = |bodies: &[Value]| queue_event("retries", bodies);
    let projector = deployment.projector().await;

    let mixed = ring(&[
        json!("no doorbell"),
        parked(&known, 1),
        parked(POISONED, 1),
        parked(&known, 2),
        parked("user-1", 1),
        json!({}),
    ]);
    let answer = projector.invoke(mixed).await.unwrap();
    let failed: Vec<_> = answer["batchItemFailures"]
        .as_array()
        .unwrap()
        .iter()
        .map(|f| f["itemIdentifier"].as_str().unwrap())
        .collect();
    assert_eq!(failed, ["message-1", "message-3", "message-4", "message-5", "message-6"]);
    assert_eq!(
        host.get("/v1/waitlists", "").await.body["items"][0]["id"],
        list.id(),
        "the readable doorbell was applied"
    );

    assert_eq!(
        projector.invoke(ring(&[parked(&known, 1), parked(&known, 1)])).await.unwrap(),
        nothing_failed()
    );
    let mut no_body = ring(&[parked(&known, 1)]);
    no_body["Records"][0].as_object_mut().unwrap().remove("body");
    assert_eq!(
        projector.invoke(no_body).await.unwrap()["batchItemFailures"][0]["itemIdentifier"],
        "message-1"
    );
}

#[tokio::test]
async fn a_record_that_can_be_neither_applied_nor_parked_is_reported_as_failed() {
    let deployment = Deployment::new().await;
    let host = deployment.host();
    let list = host.list().await;
    let event = with(deployment.stream(1).await, &stream_event(&[poison(POISONED)]));
    let bad = event["Records"][1]["dynamodb"]["SequenceNumber"].clone();
    deployment
        .stage
        .dynamodb
        .delete_table()
        .table_name(QUEUE.name(&deployment.stage.prefix))
        .send()
        .await
        .unwrap();
    let answer = deployment.projector().await.invoke(event).await.unwrap();
    assert_eq!(answer, json!({ "batchItemFailures": [{ "itemIdentifier": bad }] }));
    assert_eq!(
        host.get("/v1/waitlists", "").await.body["items"][0]["id"],
        list.id(),
        "the readable record was applied"
    );
}

#[tokio::test]
async fn records_in_any_order_incomplete_or_without_images_give_the_same_rows() {
    let deployment = Deployment::new().await;
    let host = deployment.host();
    let list = host.list().await;
    let parties = format!("/v1/waitlists/{}/waitees", list.id());
    let joined = host.post(&parties, &json!({ "name": "Ana", "party_size": 2 })).await;
    assert_eq!(host.post(&format!("/v1/waitees/{}/call", joined.id()), &json!({})).await.status, 202);
    let mut event = deployment.stream(3).await;
    let records = event["Records"].as_array_mut().unwrap();
    records.reverse(); // called, joined, list
    records.remove(1); // lost
    records[1]["dynamodb"].as_object_mut().unwrap().remove("NewImage");
    let twice = with(event.clone(), &event);
    assert_eq!(deployment.projector().await.invoke(twice).await.unwrap(), nothing_failed());
    let board = host.get(&parties, "").await;
    assert_eq!(
        (&board.body["items"][0]["name"], &board.body["items"][0]["state"]),
        (&json!("Ana"), &json!("called")),
        "{board:?}"
    );
    assert!(
        deployment.backend().retries.receive(RECEIVE_MAX).await.unwrap().is_empty(),
        "nothing was parked"
    );
}

#[tokio::test]
async fn an_altered_event_raises_an_alarm_and_changes_no_row() {
    let deployment = Deployment::new().await;
    let host = deployment.host();
    let list = host.list().await;
    let image = deployment.stream(1).await["Records"][0]["dynamodb"]["NewImage"].clone();
    let projector = deployment.projector().await;
    let altered = stream_event_of(&EVENTS, &[(Change::Modify, image.clone()), (Change::Remove, image)]);
    assert_eq!(projector.invoke(altered).await.unwrap(), nothing_failed());
    assert_eq!(host.get("/v1/waitlists", "").await.body["items"], json!([]));
    let known = format!("waitlist-{}", list.id());

    let logs = deployment.stop().await;
    let lines: Vec<Value> = logs.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let counted: Vec<&Value> = lines.iter().filter(|line| line["altered_events"].is_number()).collect();
    assert_eq!((counted.len(), &counted[0]["altered_events"]), (1, &json!(2)), "{logs}");
    let alarms: Vec<&Value> = lines.iter().filter(|line| line["alarm"] == "event-altered").collect();
    assert_eq!(
        alarms.iter().map(|line| line["change"].as_str().unwrap()).collect::<HashSet<_>>(),
        HashSet::from(["MODIFY", "REMOVE"])
    );
    assert!(
        alarms.iter().all(|line| line["level"] == "ERROR" && line["keys"].as_str().unwrap().contains(&known)),
        "{logs}"
    );
}

#[tokio::test]
async fn an_empty_batch_and_unknown_streams_are_accepted() {
    let deployment = Deployment::new().await;
    let projector = deployment.projector().await;
    assert_eq!(projector.invoke(json!({ "Records": [] })).await.unwrap(), nothing_failed());
    let unknown = [
        "comet-01920000-0000-7000-8000-000000000001",
        "waitee-",
        "",
        "session-01920000-0000-7000-8000-000000000001",
    ]
    .map(poison);
    assert_eq!(projector.invoke(stream_event(&unknown)).await.unwrap(), nothing_failed());
    assert!(
        deployment.backend().retries.receive(RECEIVE_MAX).await.unwrap().is_empty(),
        "nothing was parked"
    );

    for event in [json!({}), json!({ "Records": "none" }), json!([1])] {
        projector.invoke(event).await.unwrap_err();
    }
    let empty = projector.invoke(json!({ "Records": [] })).await.unwrap();
    assert_eq!(empty, nothing_failed(), "the function keeps running");
}
