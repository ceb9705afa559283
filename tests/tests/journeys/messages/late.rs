//! Guests whose message is late or fails through no fault of theirs.

use serde_json::json;
use waitlist_tests::{carrier::Carrier, stage::Stage};

use super::{Door, PHONE, carrier::TOO_FAST};

#[tokio::test]
async fn a_guest_who_is_told_late_gets_the_whole_hold() {
    let stage = Stage::new().await;
    let door = Door::open(&stage).await;
    let ana = door.join(json!({ "phone": PHONE })).await;
    door.does(ana, "call").await; // held until 7:10, with a reminder at 7:07
    door.pass(12);
    door.tick(&[ana.into()]).await;
    let [text] = door.sent(ana).try_into().unwrap();
    assert!(text.body.contains("held until 7:22 PM"), "{}", text.body);
    let shown = door.shown(ana).await;
    assert_eq!(shown["state"], "called");
    assert!(shown["hold_until"].as_str().unwrap().starts_with("2026-11-21T03:22:00"), "{shown}");

    door.pass(8);
    door.tick(&[ana.into()]).await;
    assert!(door.sent(ana)[1].body.contains("only until 7:22 PM"), "{:?}", door.sent(ana));
    door.pass(3);
    door.tick(&[ana.into()]).await;
    assert_eq!(door.shown(ana).await["state"], "no-show");
}

#[tokio::test]
async fn a_guest_who_was_never_told_does_not_become_a_no_show() {
    let stage = Stage::new().await;
    let door = Door::open(&stage).await;
    let ana = door.join(json!({ "phone": PHONE })).await;
    door.does(ana, "call").await;
    for _ in 0..3 {
        door.pass(60);
        door.tick(&[ana.into()]).await;
    }
    assert_eq!(door.told(ana).await, ["table-ready - skipped late", "reminder - skipped late"]);
    assert_eq!(door.shown(ana).await["state"], "called");
    door.does(ana, "call").await;
    door.tell(ana).await;
    assert_eq!(door.sent(ana).len(), 1, "a second call tells the guest");
    door.does(ana, "seat").await;
}

#[tokio::test]
async fn a_guest_whom_no_attempt_reached_stays_called_until_the_visit_ends() {
    let stage = Stage::new().await;
    let door = Door::open(&stage).await;
    let deliver = door.post.deliver_by(&Carrier::new(&[TOO_FAST]).await).await;
    let ana = door.join(json!({ "email": "ana@example.com" })).await;
    door.does(ana, "call").await;
    for seconds in [0, 20, 40, 70, 130, 700, 700] {
        stage.backend.clock.advance_millis(seconds * 1_000);
        deliver.attend(ana.into()).await.unwrap();
    }
    assert_eq!(door.told(ana).await[0], "table-ready email failed TooManyRequestsException");
    assert_eq!(door.shown(ana).await["state"], "called");
    door.pass(24 * 60);
    deliver.attend(ana.into()).await.unwrap();
    assert_eq!(door.shown(ana).await["state"], "removed");
}
