//! The tick: reminders, missed messages, no-shows, and the ends of visits.

use schema::WaiteeId;
use serde_json::json;
use waitlist_tests::stage::Stage;

use super::{Door, PHONE};

#[tokio::test]
async fn a_called_guest_who_does_not_answer_is_reminded_and_becomes_a_no_show() {
    let stage = Stage::new().await;
    let door = Door::open(&stage).await;
    let ana = door.called(json!({ "phone": PHONE })).await;
    door.pass(6);
    door.tick(&[ana.into()]).await;
    assert_eq!(door.sent(ana).len(), 1, "the reminder is not due yet");
    stage.backend.clock.advance_millis(60_010);
    door.tick(&[ana.into()]).await;
    assert!(door.sent(ana)[1].body.contains("only until 7:10 PM"), "{:?}", door.sent(ana));
    door.pass(2);
    door.tick(&[ana.into()]).await;
    assert_eq!(door.shown(ana).await["state"], "called");
    door.pass(2);
    door.tick(&[ana.into()]).await;
    assert_eq!(door.shown(ana).await["state"], "no-show");
    assert_eq!(stage.commits(ana).await.last().unwrap().actor.to_string(), "system:tick");
    assert_eq!(door.told(ana).await, ["table-ready sms sent -", "reminder sms sent -"]);
}

#[tokio::test]
async fn a_guest_who_confirms_is_not_reminded_and_does_not_become_a_no_show() {
    let stage = Stage::new().await;
    let door = Door::open(&stage).await;
    let ana = door.called(json!({ "phone": PHONE })).await;
    door.does(ana, "confirm").await;
    for _ in 0..4 {
        door.pass(4);
        door.tick(&[ana.into()]).await;
    }
    assert_eq!((door.sent(ana).len(), door.shown(ana).await["state"].clone()), (1, json!("confirmed")));
    assert_eq!(door.told(ana).await, ["table-ready sms sent -"]);
}

#[tokio::test]
async fn the_tick_finds_messages_that_the_reactor_missed() {
    let stage = Stage::new().await;
    let door = Door::of(&stage, stage.registered().await).await;
    let ana = door.join(json!({ "email": "ana@example.com" })).await;
    door.does(ana, "call").await; // not announced to the reactor
    door.tick(&[ana.into()]).await;
    assert!(door.sent(ana).is_empty(), "the reactor may still queue it");
    door.pass(2);
    let welcome = door.owner.welcome();
    door.tick(&[ana.into(), welcome.into()]).await;
    assert_eq!(
        (door.sent(ana).len(), door.sent(welcome).len()),
        (1, 1),
        "the tick finds mails to owners as well"
    );
}

#[tokio::test]
async fn a_visit_ends_after_a_day_or_when_its_list_is_deleted() {
    let stage = Stage::new().await;
    let door = Door::open(&stage).await;
    let (ana, ben) = (door.join(json!({})).await, door.join(json!({})).await);
    let list: schema::WaitlistId = door.list.parse().unwrap();
    door.pass(60 * 23);
    door.tick(&[ana.into(), ben.into()]).await;
    assert_eq!(door.shown(ana).await["state"], "waiting");
    // The rows did not show this party when the list was deleted.
    let other = door.owner.list("Terrace").await;
    let left = door
        .owner
        .post(&format!("/v1/waitlists/{other}/waitees"), json!({ "name": "Cleo", "party_size": 2 }))
        .await;
    let left: WaiteeId = left.id().parse().unwrap();
    assert_eq!(door.owner.post(&format!("/v1/waitlists/{other}/close"), json!({})).await.status, 200);
    assert_eq!(door.owner.send("DELETE", &format!("/v1/waitlists/{other}"), None, &[]).await.status, 204);
    door.pass(1);
    door.tick(&[left.into(), other.parse::<schema::WaitlistId>().unwrap().into()]).await;
    let history = door.owner.get(&format!("/v1/waitees/{left}/history")).await;
    let last = &history.body["items"][1];
    assert_eq!(
        (&last["type"], &last["data"]["reason"], &last["actor"]),
        (&json!("waitee.removed"), &json!("list deleted"), &json!("system:tick"))
    );

    door.pass(61);
    door.tick(&[ana.into(), list.into()]).await;
    let history = door.owner.get(&format!("/v1/waitees/{ana}/history")).await;
    assert_eq!(
        (&history.body["items"][1]["type"], &history.body["items"][1]["data"]["reason"]),
        (&json!("waitee.removed"), &json!("expired"))
    );
    let restored = door.owner.post(&format!("/v1/waitees/{ana}/restore"), json!({})).await;
    assert_eq!((restored.status, &restored.body["allowed"]), (409, &json!([])), "{restored:?}");
}
