//! The lambdas reactor and eraser: from stream records to a queue message, and from this to the tombstone.

use infra::{queue::RECEIVE_MAX, vault::Subject};
use schema::{StreamId, WaiteeId};
use serde_json::{Value, json};
use waitlist_tests::events::{Change, queue_event, stream_event, stream_event_of};

use super::deployment::Deployment;

fn nothing_failed() -> Value {
    json!({ "batchItemFailures": [] })
}

/// Returns the bodies of the eraser's queue messages.
async fn messages(deployment: &Deployment) -> Vec<Value> {
    let messages = deployment.backend().erasures.receive(RECEIVE_MAX).await.unwrap();
    messages.iter().map(|message| serde_json::from_str(&message.body).unwrap()).collect()
}

#[tokio::test]
async fn an_erased_guest_is_forgotten_through_the_stream_and_the_queue() {
    let deployment = Deployment::new().await;
    let host = deployment.host();
    let parties = format!("/v1/waitlists/{}/waitees", host.list().await.id());
    let joined = host.post(&parties, &json!({ "name": "Ana", "party_size": 2, "note": "high chair" })).await;
    let ana: WaiteeId = joined.id().parse().unwrap();
    let erased = host.post(&format!("/v1/waitees/{ana}/erase"), &json!({})).await;
    assert_eq!((erased.status, &erased.body), (202, &json!({ "status": "erasing" })));
    let history = format!("/v1/waitees/{ana}/history");
    assert_eq!(
        host.get(&history, "").await.body["items"][0]["data"]["name"],
        Value::Null,
        "erased at once, although the key still exists"
    );

    let records = deployment.stream(3).await;
    assert_eq!(messages(&deployment).await, Vec::<Value>::new());
    assert_eq!(deployment.reactor().await.invoke(records.clone()).await.unwrap(), nothing_failed());
    let sent = messages(&deployment).await;
    assert_eq!(sent, [json!({ "intent": "forget", "stream": StreamId::from(ana) })]);

    // The same message twice, and one that is malformed: only the malformed one is reported as failed.
    let event = queue_event("erasures", &[sent[0].clone(), json!({ "intent": "greet" }), sent[0].clone()]);
    let answer = deployment.eraser().await.invoke(event).await.unwrap();
    assert_eq!(answer, json!({ "batchItemFailures": [{ "itemIdentifier": "message-2" }] }));
    let shown = host.get(&history, "").await;
    let kinds: Vec<_> =
        shown.body["items"].as_array().unwrap().iter().map(|event| event["type"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["waitee.joined", "waitee.removed", "waitee.erased", "waitee.forgotten"]);
    assert_eq!(shown.body["items"][3]["actor"], "system:eraser");
    assert_eq!(
        shown.body["items"][3]["correlation"], shown.body["items"][2]["correlation"],
        "one request caused both"
    );
    assert_eq!(shown.body["verified"]["ok"], true);
    let key = deployment.backend().vault.key(Subject::Guest { account: host.id, guest: ana }).await.unwrap();
    assert!(key.is_none());

    let reactor_again = deployment.reactor().await.invoke(records).await.unwrap();
    assert_eq!(reactor_again, nothing_failed(), "a repeated record only leads to another queue message");
}

#[tokio::test]
async fn the_commit_of_a_record_without_an_image_is_read_from_the_log() {
    let deployment = Deployment::new().await;
    let host = deployment.host();
    let parties = format!("/v1/waitlists/{}/waitees", host.list().await.id());
    let ana = host.post(&parties, &json!({ "name": "Ana", "party_size": 2 })).await.id().to_owned();
    host.post(&format!("/v1/waitees/{ana}/erase"), &json!({})).await;
    let mut records = deployment.stream(3).await;
    let mut whole = records.clone();
    whole["Records"].as_array_mut().unwrap().truncate(2);
    for record in records["Records"].as_array_mut().unwrap() {
        record["dynamodb"].as_object_mut().unwrap().remove("NewImage");
    }
    assert_eq!(deployment.reactor().await.invoke(whole).await.unwrap(), nothing_failed());
    assert_eq!(messages(&deployment).await, Vec::<Value>::new(), "a join causes no intent");
    assert_eq!(deployment.reactor().await.invoke(records).await.unwrap(), nothing_failed());
    assert_eq!(
        messages(&deployment).await,
        [json!({ "intent": "forget", "stream": format!("waitee-{ana}") })]
    );
}

#[tokio::test]
async fn records_that_the_reactor_cannot_read_do_not_block_the_stream() {
    let deployment = Deployment::new().await;
    let reactor = deployment.reactor().await;
    let item = |stream: &str| json!({ "stream": { "S": stream }, "seq": { "N": "1" }, "events": { "S": "not a list" } });
    let unknown = [
        "comet-01920000-0000-7000-8000-000000000001",
        "waitee-",
        "",
        "waitee-01920000-0000-7000-8000-00000000dead",
    ]
    .map(item);
    assert_eq!(reactor.invoke(stream_event(&unknown)).await.unwrap(), nothing_failed());
    let altered = [(Change::Modify, unknown[3].clone()), (Change::Remove, unknown[3].clone())];
    assert_eq!(
        reactor.invoke(stream_event_of(&schema::table::EVENTS, &altered)).await.unwrap(),
        nothing_failed()
    );
    assert_eq!(reactor.invoke(json!({ "Records": [] })).await.unwrap(), nothing_failed());
    assert_eq!(messages(&deployment).await, Vec::<Value>::new());
}

#[tokio::test]
async fn a_record_is_reported_as_failed_when_its_message_cannot_be_queued() {
    let deployment = Deployment::new().await;
    let host = deployment.host();
    let parties = format!("/v1/waitlists/{}/waitees", host.list().await.id());
    let ana = host.post(&parties, &json!({ "name": "Ana", "party_size": 2 })).await.id().to_owned();
    host.post(&format!("/v1/waitees/{ana}/erase"), &json!({})).await;
    let records = deployment.stream(3).await;
    let unreachable = [
        ("WAITLIST_ERASURES_URL", "http://127.0.0.1:9/erasures"),
        ("WAITLIST_ERASURES_DEAD_URL", "http://127.0.0.1:9/erasures-dead"),
        ("AWS_ENDPOINT_URL_SQS", "http://127.0.0.1:9"),
    ];
    let answer = deployment.start("reactor", &unreachable).invoke(records.clone()).await.unwrap();
    let failed = &records["Records"][2]["dynamodb"]["SequenceNumber"];
    assert_eq!(answer, json!({ "batchItemFailures": [{ "itemIdentifier": failed }] }));
    assert_eq!(deployment.reactor().await.invoke(records).await.unwrap(), nothing_failed());
    assert_eq!(messages(&deployment).await.len(), 1);
}
