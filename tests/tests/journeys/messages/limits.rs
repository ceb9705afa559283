//! Bounds that keep the API from being a relay for texts and mails.

use serde_json::json;
use waitlist_tests::{carrier::Carrier, delivery::Post, stage::Stage};

use super::{
    Door, PHONE,
    carrier::{TAKEN, TOO_FAST},
};

#[tokio::test]
async fn an_account_without_a_confirmed_address_sends_no_texts() {
    let stage = Stage::new().await;
    let door = Door::of(&stage, stage.registered().await).await;
    let (ana, ben) = (
        door.called(json!({ "phone": PHONE })).await,
        door.called(json!({ "phone": PHONE, "email": "b@example.com" })).await,
    );
    assert_eq!(door.told(ana).await[0], "table-ready - skipped account-unconfirmed");
    assert_eq!(door.told(ben).await[0], "table-ready email sent -", "sent as a mail");
}

#[tokio::test]
async fn texts_go_only_to_ordinary_numbers_of_the_lists_country() {
    let stage = Stage::new().await;
    let door = Door::open(&stage).await;
    for (number, reason) in [
        ("+4930901820", "other-country"),
        ("+14165550123", "other-country"),
        ("+17872345678", "other-country"),
        ("+19002345678", "not-for-texts"),
        ("+18002345678", "not-for-texts"),
    ] {
        let ana = door.called(json!({ "phone": number })).await;
        assert_eq!(door.told(ana).await[0], format!("table-ready - skipped {reason}"), "{number}");
    }
    assert!(door.post.sent().is_empty());
}

#[tokio::test]
async fn numbers_of_the_lists_country_get_texts_however_they_are_typed() {
    let stage = Stage::new().await;
    let mut door = Door::open(&stage).await;
    for (region, typed, number) in [
        ("CI", "07 01 23 45 67", "+2250701234567"),
        ("BJ", "01 95 12 34 56", "+2290195123456"),
        ("CG", "06 123 4567", "+242061234567"),
        ("IT", "312 345 6789", "+393123456789"),
        ("GB", "+44 (0)7400 123456", "+447400123456"),
        ("US", "４１５ ５５５ ２６７１", "+14155552671"),
        ("IR", "۰۹۱۲ ۱۲۳ ۴۵۶۷", "+989121234567"),
        ("AX", "041 2345678", "+358412345678"), // shares its range with Finland
        ("IM", "07924 123456", "+447924123456"),
    ] {
        door.list = door.owner.list_with(json!({ "region": region })).await;
        let ana = door.called(json!({ "phone": typed })).await;
        let sent: Vec<String> = door.sent(ana).into_iter().map(|text| text.to).collect();
        assert_eq!(sent, [number], "{region} {typed}");
    }
}

#[tokio::test]
async fn an_account_has_a_daily_cap_of_texts_that_an_operator_can_change() {
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
    assert_eq!(door.told(ana).await[0], "table-ready - skipped account-cap");
    let ben = door.called(json!({ "phone": numbers[2], "email": "ben@example.com" })).await;
    assert_eq!(door.told(ben).await[0], "table-ready email sent -", "sent as a mail");
    commands::user::cap_texts(&stage.backend, &email, 3).await.unwrap();
    let cleo = door.called(json!({ "phone": numbers[3] })).await;
    assert_eq!(door.told(cleo).await[0], "table-ready sms sent -");
    commands::user::cap_texts(&stage.backend, &email, 0).await.unwrap();
    door.pass(60 * 24);
    let dan = door.called(json!({ "phone": numbers[0] })).await;
    let history = door.owner.get(&format!("/v1/waitees/{dan}/history")).await;
    assert_eq!(history.body["items"][3]["data"]["why"], "account-cap", "a cap of 0 allows none: {history:?}");
}

#[tokio::test]
async fn a_number_has_a_daily_cap_of_texts_over_all_accounts() {
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
    assert_eq!(
        told,
        ["table-ready sms sent -", "table-ready sms sent -", "table-ready - skipped recipient-cap"]
    );
}

#[tokio::test]
async fn accounts_and_addresses_have_daily_caps_of_mails() {
    let stage = Stage::new().await;
    let door = Door::open(&stage).await;
    let deliver =
        || door.post.deliver_over(stage.bounded("guest-mail-account=3/24h,guest-mail-address=2/24h"));
    let mut told = Vec::new();
    for address in
        ["ana@example.com", "Ana@Example.com", "ana@example.com", "ben@example.com", "cleo@example.com"]
    {
        let id = door.join(json!({ "email": address })).await;
        door.does(id, "call").await;
        deliver().attend(id.into()).await.unwrap();
        told.push(door.told(id).await.remove(0));
    }
    let (sent, recipient, account) = (
        "table-ready email sent -",
        "table-ready - skipped recipient-cap",
        "table-ready - skipped account-cap",
    );
    assert_eq!(told, [sent, sent, recipient, sent, account]);
}

#[tokio::test]
async fn an_account_without_a_confirmed_address_sends_few_mails() {
    let stage = Stage::new().await;
    let door = Door::of(&stage, stage.registered().await).await;
    let deliver = || door.post.deliver_over(stage.bounded("guest-mail-unconfirmed=1/24h"));
    let mut told = Vec::new();
    for address in ["ana@example.com", "ben@example.com"] {
        let id = door.join(json!({ "email": address })).await;
        door.does(id, "call").await;
        deliver().attend(id.into()).await.unwrap();
        told.push(door.told(id).await.remove(0));
    }
    assert_eq!(told, ["table-ready email sent -", "table-ready - skipped account-cap"]);
    deliver().attend(door.owner.welcome().into()).await.unwrap();
    assert_eq!(door.sent(door.owner.welcome()).len(), 1, "mails to the owner do not count");
}

#[tokio::test]
async fn a_message_that_was_not_sent_counts_towards_no_cap() {
    let stage = Stage::new().await;
    let door = Door::open(&stage).await;
    let carrier = Carrier::new(&[TOO_FAST, TOO_FAST, TAKEN]).await;
    let post = Post::by(&stage, carrier).await;
    let deliver = post.deliver_over(stage.bounded("guest-mail-address=1/24h,guest-mail-account=1/24h"));
    let ana = door.join(json!({ "email": "ana@example.com" })).await;
    door.does(ana, "call").await;
    for pause in [0, 16, 31] {
        stage.backend.clock.advance_millis(pause * 1_000);
        deliver.attend(ana.into()).await.unwrap();
    }
    assert_eq!(door.told(ana).await[0], "table-ready email sent -");

    let email = stage.open_email(door.owner.id).await;
    commands::user::cap_texts(&stage.backend, &email, 0).await.unwrap();
    let deliver = || door.post.deliver_over(stage.bounded("text-number=1/24h"));
    for cap in [0, 10] {
        commands::user::cap_texts(&stage.backend, &email, cap).await.unwrap();
        let ben = door.join(json!({ "phone": PHONE })).await;
        door.does(ben, "call").await;
        deliver().attend(ben.into()).await.unwrap();
        let expected = if cap == 0 { "table-ready - skipped account-cap" } else { "table-ready sms sent -" };
        assert_eq!(
            door.told(ben).await[0],
            expected,
            "a refusal by the account's cap does not count for the number"
        );
    }
}

#[tokio::test]
async fn an_erased_guest_gets_no_messages() {
    let stage = Stage::new().await;
    let door = Door::open(&stage).await;
    let ana = door.join(json!({ "phone": PHONE })).await;
    door.does(ana, "call").await;
    door.does(ana, "erase").await;
    door.tell(ana).await;
    door.pass(3);
    door.tick(&[ana.into()]).await;
    assert!(door.sent(ana).is_empty());
    door.pass(6);
    door.tick(&[ana.into()]).await;
    let messages = stage.backend.erasures.receive(10).await.unwrap();
    assert!(
        messages.iter().any(|message| message.body.contains(&ana.to_string())),
        "the tick queues the erasure again while the guest is not forgotten"
    );
}
