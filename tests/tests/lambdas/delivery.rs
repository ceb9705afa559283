//! The lambdas reactor, deliver and tick: from stream records to queue messages, and from these to the guest.

use infra::{
    Clock,
    messenger::{Entry, Outbox},
    queue::RECEIVE_MAX,
};
use schema::{StreamId, WaiteeId};
use serde_json::{Value, json};
use waitlist_tests::events::{queue_event, stream_event};

use super::deployment::Deployment;

fn nothing_failed() -> Value {
    json!({ "batchItemFailures": [] })
}

async fn queued(deployment: &Deployment) -> Vec<Value> {
    let messages = deployment.backend().deliveries.receive(RECEIVE_MAX).await.unwrap();
    messages.iter().map(|message| serde_json::from_str(&message.body).unwrap()).collect()
}

fn sent(deployment: &Deployment) -> Vec<Entry> {
    Outbox::new(deployment.outbox(), Clock::system()).entries().unwrap()
}

/// Returns a guest with an address who was called.
async fn called(deployment: &Deployment) -> WaiteeId {
    let host = deployment.host();
    let parties = format!("/v1/waitlists/{}/waitees", host.list().await.id());
    let ana = host
        .post(&parties, &json!({ "name": "Annabel", "party_size": 2, "email": "annabel@example.com" }))
        .await
        .id()
        .to_owned();
    assert_eq!(host.post(&format!("/v1/waitees/{ana}/call"), &json!({})).await.status, 202);
    ana.parse().unwrap()
}

#[tokio::test]
async fn a_called_guest_gets_a_mail_through_the_stream_and_the_queue() {
    let deployment = Deployment::new().await;
    let ana = called(&deployment).await;
    let records = deployment.stream(3).await;
    assert_eq!(deployment.reactor().await.invoke(records.clone()).await.unwrap(), nothing_failed());
    let attend = json!({ "intent": "attend", "stream": StreamId::from(ana) });
    assert_eq!(queued(&deployment).await, std::slice::from_ref(&attend));

    // The same message twice, and one that is malformed: only the malformed one is reported as failed.
    let event = queue_event("deliveries", &[attend.clone(), json!({ "intent": "greet" }), attend.clone()]);
    let answer = deployment.sender().await.invoke(event).await.unwrap();
    assert_eq!(answer, json!({ "batchItemFailures": [{ "itemIdentifier": "message-2" }] }));
    let [mail] = sent(&deployment).try_into().unwrap();
    assert_eq!((mail.to.as_str(), mail.message.as_str()), ("annabel@example.com", "table-ready-2"));

    assert_eq!(deployment.reactor().await.invoke(records).await.unwrap(), nothing_failed());
    let event = queue_event("deliveries", &queued(&deployment).await);
    assert_eq!(deployment.sender().await.invoke(event).await.unwrap(), nothing_failed());
    assert_eq!(
        sent(&deployment).len(),
        1,
        "a repeated record leads to another queue message but not to another mail"
    );
    let logs = deployment.stop().await;
    assert!(
        logs.contains("\"message\":\"message sent\"") && !logs.to_lowercase().contains("annabel"),
        "{logs}"
    );
}

#[tokio::test]
async fn the_tick_queues_messages_that_the_reactor_missed() {
    let deployment = Deployment::new().await;
    let ana = called(&deployment).await;
    let records = deployment.stream(3).await;
    assert_eq!(deployment.projector().await.invoke(records).await.unwrap(), nothing_failed());
    let schedule =
        json!({ "version": "0", "source": "aws.scheduler", "detail-type": "Scheduled Event", "detail": {} });
    assert_eq!(
        deployment.tick().await.invoke(schedule.clone()).await.unwrap(),
        json!({ "queued": 0 }),
        "the reactor may still queue it"
    );
    deployment.overdue(ana).await;
    for _ in 0..2 {
        assert_eq!(deployment.tick().await.invoke(schedule.clone()).await.unwrap(), json!({ "queued": 1 }));
    }
    let event = queue_event("deliveries", &queued(&deployment).await);
    assert_eq!(deployment.sender().await.invoke(event).await.unwrap(), nothing_failed());
    assert_eq!(sent(&deployment).len(), 1, "two ticks lead to one mail");
}

#[tokio::test]
async fn a_commit_that_the_reactor_cannot_read_is_parked_with_its_cause() {
    let deployment = Deployment::new().await;
    let ana = called(&deployment).await;
    let mut commit = deployment.stage.item(ana, 2).await;
    commit.insert("seq".into(), aws_sdk_dynamodb::types::AttributeValue::N("3".into()));
    commit.insert("events".into(), aws_sdk_dynamodb::types::AttributeValue::S("garbage".into()));
    deployment.put(commit).await;
    let records =
        stream_event(&[json!({ "stream": { "S": StreamId::from(ana).to_string() }, "seq": { "N": "3" } })]);
    assert_eq!(deployment.reactor().await.invoke(records).await.unwrap(), nothing_failed());
    let [parked] = queued(&deployment).await.try_into().unwrap();
    assert_eq!((&parked["intent"], &parked["seq"]), (&json!("react"), &json!(3)));
    assert!(parked["cause"].as_str().is_some_and(|cause| !cause.is_empty()), "{parked}");
    let event = queue_event("deliveries", &[parked]);
    assert_eq!(
        deployment.sender().await.invoke(event).await.unwrap(),
        json!({ "batchItemFailures": [{ "itemIdentifier": "message-1" }] }),
        "the queue delivers it again until it is a dead letter"
    );
}
