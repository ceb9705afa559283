//! Messages that the carrier refuses for now or for good or does not answer, and numbers that opted out.

use commands::{
    delivery::Command,
    recording::{Recorded, record_if},
};
use schema::{
    Actor, UserId,
    id::Component,
    message::{Channel, Kind, LEASE_MS, MessageId, Skip},
};
use serde_json::json;
use waitlist_tests::{
    carrier::{Answer, Carrier},
    stage::Stage,
};

use super::{Door, PHONE};

pub(super) const TAKEN: Answer = Answer::With(200, r#"{"MessageId":"one"}"#);
pub(super) const TOO_FAST: Answer = Answer::With(429, r#"{"__type":"TooManyRequestsException"}"#);
const BROKEN: Answer = Answer::With(500, "out of order");
const FORBIDDEN: Answer = Answer::With(
    403,
    "<ErrorResponse><Error><Type>Sender</Type><Code>AuthorizationError</Code></Error></ErrorResponse>",
);
const INVALID: Answer = Answer::With(
    400,
    "<ErrorResponse><Error><Type>Sender</Type><Code>InvalidParameter</Code></Error></ErrorResponse>",
);
pub(super) const NOT_OPTED_OUT: Answer = Answer::With(
    200,
    "<CheckIfPhoneNumberIsOptedOutResponse><CheckIfPhoneNumberIsOptedOutResult><isOptedOut>false</isOptedOut>\
     </CheckIfPhoneNumberIsOptedOutResult></CheckIfPhoneNumberIsOptedOutResponse>",
);
const REJECTED: Answer = Answer::With(400, r#"{"__type":"MessageRejected","message":"ana@example.com"}"#);

/// Calls a guest with an address. Returns the message's status after each pause, in seconds, and the number
/// of sends.
async fn stands(answers: &[Answer], pauses_s: &[i64]) -> (Vec<String>, usize) {
    let stage = Stage::new().await;
    let door = Door::open(&stage).await;
    let carrier = Carrier::new(answers).await;
    let deliver = door.post.deliver_by(&carrier).await;
    let ana = door.join(json!({ "email": "ana@example.com" })).await;
    door.does(ana, "call").await;
    let mut stood = Vec::new();
    for pause in pauses_s {
        stage.backend.clock.advance_millis(pause * 1_000);
        for _ in 0..3 {
            deliver.attend(ana.into()).await.unwrap(); // repeats of one queue message
        }
        stood.push(door.told(ana).await.remove(0));
    }
    (stood, carrier.seen().len())
}

#[tokio::test]
async fn a_message_refused_for_now_is_tried_again_after_growing_pauses() {
    let (stood, asked) = stands(&[TOO_FAST, BROKEN, TAKEN], &[0, 14, 2, 27, 5, 300]).await;
    let (throttled, broken) = ("table-ready email due TooManyRequestsException", "table-ready email due 500");
    assert_eq!(stood[..4], [throttled, throttled, broken, broken]);
    assert_eq!(
        (stood[4].as_str(), stood[5].as_str(), asked),
        ("table-ready email sent -", "table-ready email sent -", 3)
    );
}

#[tokio::test]
async fn a_message_refused_too_often_has_failed() {
    let (stood, asked) = stands(&[TOO_FAST], &[0, 16, 31, 61, 121, 100]).await;
    assert_eq!(stood[3], "table-ready email due TooManyRequestsException");
    assert_eq!(
        stood[4..],
        [
            "table-ready email failed TooManyRequestsException",
            "table-ready email failed TooManyRequestsException"
        ]
    );
    assert_eq!(asked, Kind::TableReady.attempts_max() as usize);
}

#[tokio::test]
async fn a_message_refused_for_good_is_not_tried_again() {
    let (stood, asked) = stands(&[REJECTED], &[0, 60, 300]).await;
    assert!(stood.iter().all(|stood| stood == "table-ready email failed MessageRejected"), "{stood:?}");
    assert_eq!(asked, 1);
}

#[tokio::test]
async fn an_unanswered_message_is_sent_again_after_its_lease() {
    let (stood, asked) = stands(&[Answer::Never, TAKEN], &[0, 59, 2]).await;
    assert_eq!(
        stood,
        ["table-ready email started -", "table-ready email started -", "table-ready email sent -"]
    );
    assert_eq!(asked, 2);
}

/// The carrier gets a second request only for a text.
#[tokio::test]
async fn a_number_that_opted_out_gets_no_text() {
    let told = "<CheckIfPhoneNumberIsOptedOutResponse xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\"><CheckIfPhoneNumberIsOptedOutResult>\
                <isOptedOut>true</isOptedOut></CheckIfPhoneNumberIsOptedOutResult></CheckIfPhoneNumberIsOptedOutResponse>";
    let stage = Stage::new().await;
    let door = Door::open(&stage).await;
    let carrier = Carrier::new(&[Answer::With(200, told), TAKEN]).await;
    let deliver = door.post.deliver_by(&carrier).await;
    let (ana, ben) = (
        door.join(json!({ "phone": PHONE })).await,
        door.join(json!({ "phone": PHONE, "email": "b@example.com" })).await,
    );
    door.does(ana, "call").await;
    deliver.attend(ana.into()).await.unwrap();
    assert_eq!(door.told(ana).await[0], "table-ready - skipped opted-out");
    assert!(
        carrier.seen().iter().all(|seen| seen.contains("Action=CheckIfPhoneNumberIsOptedOut")),
        "{:?}",
        carrier.seen()
    );

    let carrier = Carrier::new(&[Answer::With(200, told), TAKEN]).await;
    door.does(ben, "call").await;
    door.post.deliver_by(&carrier).await.attend(ben.into()).await.unwrap();
    assert_eq!(door.told(ben).await[0], "table-ready email sent -", "sent as a mail");
}

/// Without an answer about the opt-out, the attempt counts as a failed one.
#[tokio::test]
async fn no_text_is_sent_while_it_is_unknown_whether_the_number_opted_out() {
    let stage = Stage::new().await;
    let door = Door::open(&stage).await;
    let carrier = Carrier::new(&[FORBIDDEN]).await;
    let ana = door.join(json!({ "phone": PHONE })).await;
    door.does(ana, "call").await;
    for _ in 0..3 {
        door.post.deliver_by(&carrier).await.attend(ana.into()).await.unwrap();
        assert_eq!(door.told(ana).await[0], "table-ready sms due opt-out-unknown");
    }
    assert_eq!(carrier.seen().len(), 1, "no request before the next attempt is due");
    stage.backend.clock.advance_millis(16_000);
    door.post.deliver(&stage).attend(ana.into()).await.unwrap();
    assert_eq!(door.told(ana).await[0], "table-ready sms sent -");
}

/// A sender that cannot get an answer before its lease ends does not send.
#[tokio::test]
async fn a_sender_that_was_too_slow_does_not_send() {
    let stage = Stage::new().await;
    let door = Door::open(&stage).await;
    let Answer::With(status, body) = NOT_OPTED_OUT else { unreachable!() };
    for (ms, expected) in [
        (LEASE_MS - 20_000, "table-ready sms failed InvalidParameter"),
        (LEASE_MS - 9_000, "table-ready sms due too-slow"),
    ] {
        let carrier = Carrier::new(&[Answer::After(ms, status, body), INVALID]).await;
        let ana = door.join(json!({ "phone": PHONE })).await;
        door.does(ana, "call").await;
        door.post.deliver_by(&carrier).await.attend(ana.into()).await.unwrap();
        assert_eq!(door.told(ana).await[0], expected);
    }
}

/// The queue message becomes due again when the other sender's lease ends.
#[tokio::test]
async fn a_message_leased_by_another_sender_is_sent_when_the_lease_ends() {
    let stage = Stage::new().await;
    let door = Door::open(&stage).await;
    let ana = door.join(json!({ "email": "ana@example.com" })).await;
    door.does(ana, "call").await;
    let read = stage.backend.log.read::<commands::waitee::Waitee>(ana.into()).await.unwrap().unwrap();
    let author = read.author_caused_by(2, Actor::System(Component::Delivery));
    let start =
        Command::Start { message: MessageId { kind: Kind::TableReady, cause: 2 }, channel: Channel::Email };
    let begun = record_if(&stage.backend, ana.into(), &author, &start, 2).await.unwrap();
    assert!(begun.appended, "the first sender dies with the lease");
    stage.backend.clock.advance_millis(20_000);
    door.tell(ana).await;
    assert!(door.sent(ana).is_empty());
    stage.backend.clock.advance_millis(LEASE_MS - 20_000 + 10); // commits of one moment are a millisecond apart
    door.post.work_off(&door.post.deliver(&stage)).await;
    assert_eq!(door.sent(ana).len(), 1, "sent without a tick");
}

/// A guest with an address gets a mail instead: at once if the text is refused for good, otherwise on the
/// last attempt.
#[tokio::test]
async fn a_text_that_cannot_be_sent_goes_out_as_a_mail() {
    let stage = Stage::new().await;
    let door = Door::open(&stage).await;
    let both = json!({ "phone": PHONE, "email": "ana@example.com" });
    let (refused, unasked, alone) =
        (door.join(both.clone()).await, door.join(both).await, door.join(json!({ "phone": PHONE })).await);
    door.does(refused, "call").await;
    let carrier = Carrier::new(&[NOT_OPTED_OUT, INVALID, TAKEN]).await;
    door.post.deliver_by(&carrier).await.attend(refused.into()).await.unwrap();
    assert_eq!(door.told(refused).await[0], "table-ready email sent -");

    door.does(alone, "call").await;
    let carrier = Carrier::new(&[NOT_OPTED_OUT, INVALID]).await;
    door.post.deliver_by(&carrier).await.attend(alone.into()).await.unwrap();
    assert_eq!(door.told(alone).await[0], "table-ready sms failed InvalidParameter");

    door.does(unasked, "call").await;
    let carrier = Carrier::new(&[FORBIDDEN, FORBIDDEN, FORBIDDEN, FORBIDDEN, FORBIDDEN, TAKEN]).await;
    let deliver = door.post.deliver_by(&carrier).await;
    for pause in [0, 16, 31, 61] {
        stage.backend.clock.advance_millis(pause * 1_000);
        deliver.attend(unasked.into()).await.unwrap();
        assert_eq!(door.told(unasked).await[0], "table-ready sms due opt-out-unknown");
    }
    stage.backend.clock.advance_millis(121_000);
    deliver.attend(unasked.into()).await.unwrap();
    assert_eq!(door.told(unasked).await[0], "table-ready email sent -");
}

/// A sender must not use a number or address that the host has changed since the message was worded.
#[tokio::test]
async fn a_message_worded_for_a_removed_number_is_not_started() {
    let stage = Stage::new().await;
    let door = Door::open(&stage).await;
    let ana = door.join(json!({ "phone": PHONE })).await;
    door.does(ana, "call").await;
    let patch = json!({ "phone": null, "email": "ana@example.com" });
    assert_eq!(door.owner.send("PATCH", &format!("/v1/waitees/{ana}"), Some(&patch), &[]).await.status, 200);
    let read = stage.backend.log.read::<commands::waitee::Waitee>(ana.into()).await.unwrap().unwrap();
    let author = read.author_caused_by(2, Actor::System(Component::Delivery));
    let message = MessageId { kind: Kind::TableReady, cause: 2 };
    let start = Command::Start { message, channel: Channel::Sms };
    let skip = Command::Skip { message, attempt: None, reason: Skip::NoAddress };
    for command in [&start, &skip] {
        assert_eq!(
            record_if(&stage.backend, ana.into(), &author, command, 2).await.unwrap(),
            Recorded::default(),
            "the sender read the stream before the change"
        );
    }
    let begun = record_if(&stage.backend, ana.into(), &author, &start, 3).await.unwrap();
    assert!(begun.appended);
    let outcome = Command::Fail { message, attempt: 1, code: "Throttled".into(), for_now: true };
    let recorded = record_if(&stage.backend, ana.into(), &author, &outcome, 3).await.unwrap();
    assert!(recorded.appended, "message events do not count as a change");
}

/// Replaces the account's sealed address by one that does not open. Returns the former events.
async fn damage_address(stage: &Stage, owner: UserId) -> String {
    let registered = stage.item(owner, 1).await["events"].as_s().unwrap().clone();
    let mut events: serde_json::Value = serde_json::from_str(&registered).unwrap();
    events[0]["data"]["email"] = events[0]["data"]["name"].clone();
    stage.overwrite(owner, 1, "events", &events.to_string()).await;
    registered
}

/// Repeated ticks must not queue the message again.
#[tokio::test]
async fn a_message_that_can_never_be_worded_leaves_one_dead_letter() {
    let stage = Stage::new().await;
    let door = Door::of(&stage, stage.registered().await).await;
    let welcome = door.owner.welcome();
    door.tick(&[welcome.into()]).await; // before the address is damaged
    damage_address(&stage, door.owner.id).await;
    door.post.announce(&stage.commits(welcome).await).await;
    for _ in 0..40 {
        stage.backend.clock.advance_millis(60_000);
        door.post.tick().await;
        door.post.work_off(&door.post.deliver(&stage)).await;
    }
    assert_eq!(stage.backend.deliveries.dead_letters(None, 100).await.unwrap().letters.len(), 1);
    assert_eq!(stage.backend.deliveries.waiting(100).await.unwrap(), 0, "no further messages are queued");
}

/// The dead letter names its cause, and is delivered after a repair.
#[tokio::test]
async fn a_message_that_cannot_be_worded_becomes_a_dead_letter_with_its_cause() {
    let stage = Stage::new().await;
    let door = Door::of(&stage, stage.registered().await).await;
    let owner = door.owner.id;
    let registered = damage_address(&stage, owner).await;
    let welcome = door.owner.welcome();
    door.post.announce(&stage.commits(welcome).await).await;
    let deliver = door.post.deliver(&stage);
    for _ in 0..12 {
        door.post.work_off(&deliver).await;
        stage.backend.clock.advance_millis(181_000);
    }
    let letters = stage.backend.deliveries.dead_letters(None, 10).await.unwrap().letters;
    let [letter] = letters.as_slice() else { panic!("{letters:?}") };
    let body: serde_json::Value = serde_json::from_str(&letter.body).unwrap();
    assert_eq!((&body["intent"], &body["stream"]), (&json!("attend"), &json!(format!("mail-{welcome}"))));
    assert!(body["cause"].as_str().unwrap().contains("the name or the address does not open"), "{body}");
    assert!(door.sent(welcome).is_empty());

    stage.overwrite(owner, 1, "events", &registered).await;
    assert_eq!(stage.backend.deliveries.redrive_all().await.unwrap(), 1);
    door.post.work_off(&deliver).await;
    assert_eq!(door.sent(welcome).len(), 1);
}
