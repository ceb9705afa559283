//! Messages of accounts and guests that are erased while the messages are being sent.

use schema::WaiteeId;
use serde_json::{Value, json};
use waitlist_tests::{account::PASSWORD, carrier::Carrier, stage::Stage};

use super::{
    Door, PHONE,
    carrier::{NOT_OPTED_OUT, TAKEN, TOO_FAST},
};

/// Sends a text, and runs `act` between its lease and the send.
async fn while_sending(door: &Door<'_>, act: impl AsyncFnOnce(WaiteeId)) -> WaiteeId {
    let carrier = Carrier::new(&[NOT_OPTED_OUT, TAKEN]).await;
    let deliver = door.post.deliver_by(&carrier).await;
    let ana = door.join(json!({ "phone": PHONE })).await;
    door.does(ana, "call").await;
    // The carrier's answer about the opt-out is held back. At that time the lease is taken.
    let held = carrier.hold().await;
    let sending = tokio::spawn(async move { deliver.attend(ana.into()).await });
    carrier.asked(1).await;
    assert!(door.stage.commits(ana).await.last().unwrap().events.contains("notification-started"));
    act(ana).await;
    drop(held);
    sending.await.unwrap().unwrap();
    assert_eq!(carrier.seen().len(), 1, "no text was sent");
    ana
}

/// Sends the erasing request while a text is being sent. Returns the message's state.
async fn erased_meanwhile(path: impl Fn(WaiteeId) -> String, body: Value) -> String {
    let stage = Stage::new().await;
    let door = Door::open(&stage).await;
    let erase = async |ana| assert_eq!(door.owner.post(&path(ana), body).await.status, 202);
    let ana = while_sending(&door, erase).await;
    door.told(ana).await.remove(0)
}

#[tokio::test]
async fn a_message_is_not_sent_after_its_account_was_erased() {
    let told = erased_meanwhile(|_| "/v1/me/erase".into(), json!({ "current_password": PASSWORD })).await;
    assert_eq!(told, "table-ready - skipped erased");
}

#[tokio::test]
async fn a_message_is_not_sent_after_its_guest_was_erased() {
    let told = erased_meanwhile(|ana| format!("/v1/waitees/{ana}/erase"), json!({})).await;
    assert_eq!(told, "table-ready - skipped erased");
}

#[tokio::test]
async fn messages_that_wait_when_their_guest_is_erased_are_skipped() {
    let stage = Stage::new().await;
    let door = Door::open(&stage).await;
    let carrier = Carrier::new(&[TOO_FAST]).await;
    let (ana, ben) = (
        door.join(json!({ "email": "ana@example.com" })).await,
        door.join(json!({ "email": "ben@example.com" })).await,
    );
    for id in [ana, ben] {
        door.does(id, "call").await;
    }
    door.post.deliver_by(&carrier).await.attend(ben.into()).await.unwrap(); // refused for now
    for id in [ana, ben] {
        let erased = door.owner.post(&format!("/v1/waitees/{id}/erase"), json!({})).await;
        assert_eq!(erased.status, 202, "{erased:?}");
    }
    door.pass(20);
    door.tick(&[ana.into(), ben.into()]).await;
    assert_eq!(door.told(ana).await, ["table-ready - skipped erased", "reminder - skipped erased"]);
    assert_eq!(door.told(ben).await, ["table-ready - skipped erased", "reminder - skipped erased"]);
    assert!(door.sent(ana).is_empty() && door.sent(ben).is_empty());
}

#[tokio::test]
async fn no_message_is_sent_to_a_guest_of_an_erased_account() {
    let stage = Stage::new().await;
    let door = Door::open(&stage).await;
    let ana = door.join(json!({ "phone": PHONE })).await;
    door.does(ana, "call").await;
    let erased = door.owner.post("/v1/me/erase", json!({ "current_password": PASSWORD })).await;
    assert_eq!(erased.status, 202, "{erased:?}");
    // The account's key may still be cached.
    door.post.deliver_over(stage.backend.clone()).attend(ana.into()).await.unwrap();
    assert!(door.sent(ana).is_empty());
    assert_eq!(door.told(ana).await[0], "table-ready - skipped erased");
}

#[tokio::test]
async fn a_message_that_cannot_be_checked_for_an_erasure_is_tried_again() {
    let stage = Stage::new().await;
    let door = Door::open(&stage).await;
    let owner = door.owner.id;
    let last = stage.commits(owner).await.last().unwrap().seq;
    let events = stage.item(owner, last).await["events"].as_s().unwrap().clone();
    let damage = async |_| stage.overwrite(owner, last, "events", "no list of events").await;
    let ana = while_sending(&door, damage).await;
    stage.overwrite(owner, last, "events", &events).await;
    assert_eq!(door.told(ana).await[0], "table-ready sms due not-checked");
}
