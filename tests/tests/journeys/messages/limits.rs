//! Nobody can use the API as a relay for texts.

use serde_json::json;
use waitlist_tests::{delivery::Post, stage::Stage};

use super::{Door, PHONE};

#[tokio::test]
async fn an_account_whose_address_is_not_confirmed_sends_no_texts() {
    let stage = Stage::new().await;
    let door = Door::of(&stage, stage.registered().await).await;
    let (ana, ben) = (door.called(json!({ "phone": PHONE })).await, door.called(json!({ "phone": PHONE, "email": "b@example.com" })).await);
    assert_eq!(door.told(ana).await[0], "table-ready - skipped account-unconfirmed");
    assert_eq!(door.told(ben).await[0], "table-ready email sent -", "a mail instead");
}

#[tokio::test]
async fn texts_go_to_the_list_s_country_alone() {
    let stage = Stage::new().await;
    let door = Door::open(&stage).await;
    for number in ["+4930901820", "+14165550123"] {
        let ana = door.called(json!({ "phone": number })).await;
        assert_eq!(door.told(ana).await[0], "table-ready - skipped other-country", "{number}");
    }
    assert!(door.post.sent().iter().all(|sent| sent.channel == "email"));
}

#[tokio::test]
async fn an_account_sends_so_many_texts_a_day_and_an_operator_can_change_how_many() {
    let stage = Stage::new().await;
    let door = Door::of(&stage, stage.confirmed().await).await;
    let email = stage.open_email(door.owner.id).await;
    let capped = commands::user::cap_texts(&stage.backend, &email, 2).await.unwrap().unwrap();
    assert_eq!(capped.id, door.owner.id);
    let numbers = ["(415) 555-2671", "(415) 555-2672", "(415) 555-2673", "(415) 555-2674"];
    for number in &numbers[..2] {
        let ana = door.called(json!({ "phone": number })).await;
        assert_eq!(door.told(ana).await[0], "table-ready sms sent -");
    }
    let ana = door.called(json!({ "phone": numbers[2] })).await;
    assert_eq!(door.told(ana).await[0], "table-ready sms skipped account-cap");
    let ben = door.called(json!({ "phone": numbers[2], "email": "ben@example.com" })).await;
    assert_eq!(door.told(ben).await[0], "table-ready email sent -", "a mail instead");
    commands::user::cap_texts(&stage.backend, &email, 3).await.unwrap();
    let cleo = door.called(json!({ "phone": numbers[3] })).await;
    assert_eq!(door.told(cleo).await[0], "table-ready sms sent -");
    commands::user::cap_texts(&stage.backend, &email, 0).await.unwrap();
    door.pass(60 * 24);
    let dan = door.called(json!({ "phone": numbers[0] })).await;
    let history = door.owner.get(&format!("/v1/waitees/{dan}/history")).await;
    assert_eq!(history.body["items"][3]["data"]["why"], "account-cap", "none at all: {history:?}");
}

#[tokio::test]
async fn a_number_gets_so_many_texts_a_day_whoever_sends_them() {
    let stage = Stage::new().await;
    let door = Door::open(&stage).await;
    let post = Post::new(&stage);
    let deliver = || post.deliver_over(stage.bounded("text-number=2/24h"));
    let mut told = Vec::new();
    for _ in 0..3 {
        let ana = door.join(json!({ "phone": PHONE })).await;
        door.does(ana, "call").await;
        deliver().attend(ana.into()).await.unwrap();
        told.push(door.told(ana).await.remove(0));
    }
    assert_eq!(told, ["table-ready sms sent -", "table-ready sms sent -", "table-ready sms skipped recipient-cap"]);
}

#[tokio::test]
async fn nor_is_the_api_a_relay_for_mails() {
    let stage = Stage::new().await;
    let door = Door::of(&stage, stage.registered().await).await;
    let deliver = || door.post.deliver_over(stage.bounded("guest-mail-account=3/24h,guest-mail-address=2/24h"));
    let mut told = Vec::new();
    for address in ["ana@example.com", "Ana@Example.com", "ana@example.com", "ben@example.com", "cleo@example.com"] {
        let id = door.join(json!({ "email": address })).await;
        door.does(id, "call").await;
        deliver().attend(id.into()).await.unwrap();
        told.push(door.told(id).await.remove(0));
    }
    let (sent, recipient, account) =
        ("table-ready email sent -", "table-ready email skipped recipient-cap", "table-ready email skipped account-cap");
    assert_eq!(told, [sent, sent, recipient, sent, account]);
    deliver().attend(door.owner.id.into()).await.unwrap();
    assert_eq!(door.sent(door.owner.id).len(), 1, "an owner's own mail is none of these");
}

#[tokio::test]
async fn a_visit_whose_guest_was_erased_is_told_nothing() {
    let stage = Stage::new().await;
    let door = Door::open(&stage).await;
    let ana = door.join(json!({ "phone": PHONE })).await;
    door.does(ana, "call").await;
    door.does(ana, "erase").await;
    door.tell(ana).await;
    door.pass(3);
    door.look(&[ana.into()]).await;
    assert!(door.sent(ana).is_empty());
    door.pass(6);
    door.look(&[ana.into()]).await;
    let messages = stage.backend.erasures.receive(10).await.unwrap();
    assert!(messages.iter().any(|message| message.body.contains(&ana.to_string())), "who is not forgotten yet is asked for again");
}
