//! Feedback of SES about mails becomes an event of the message, and shows on the board.

use aws_lambda_events::sqs::{SqsEvent, SqsMessage};
use schema::StreamId;
use serde_json::{Value, json};
use waitlist_tests::stage::Stage;

use super::Door;

/// Builds an event of SES about a mail, with fields that this code does not read.
fn reported(kind: &str, stream: StreamId, message: &str, more: Value) -> Value {
    let mut event = json!({
        "eventType": kind,
        "mail": {
            "timestamp": "2026-11-21T03:00:00.000Z", "source": "hello@example.com", "messageId": "one",
            "destination": ["ana@example.com"], "headersTruncated": false,
            "tags": { "stream": [stream.to_string()], "message": [message], "kind": ["table-ready"], "ses:caller-identity": ["deliver"] },
        },
    });
    event.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    event
}

fn bounce(of: &str) -> Value {
    json!({ "bounce": {
        "bounceType": of, "bounceSubType": "General", "feedbackId": "two", "timestamp": "2026-11-21T03:00:01.000Z",
        "bouncedRecipients": [{ "emailAddress": "ana@example.com", "action": "failed", "status": "5.1.1" }],
    } })
}

/// Delivers SES events to deliver. Returns the ids of those that failed.
async fn report(door: &Door<'_>, bodies: &[String]) -> Vec<String> {
    let mut event = SqsEvent::default();
    for (number, body) in bodies.iter().enumerate() {
        let mut message = SqsMessage::default();
        message.message_id = Some(number.to_string());
        message.body = Some(body.clone());
        event.records.push(message);
    }
    let answer = door.post.deliver(door.stage).messages(event).await;
    answer.batch_item_failures.into_iter().map(|failure| failure.item_identifier).collect()
}

#[tokio::test]
async fn a_bounced_mail_is_recorded_once() {
    let stage = Stage::new().await;
    let door = Door::open(&stage).await;
    for (kind, more, shown) in [
        ("Bounce", bounce("Permanent"), "table-ready email bounced permanent"),
        ("Bounce", bounce("Transient"), "table-ready email bounced transient"),
        ("Bounce", bounce("Undetermined"), "table-ready email bounced undetermined"),
        (
            "Complaint",
            json!({ "complaint": { "complaintFeedbackType": "abuse" } }),
            "table-ready email bounced complaint",
        ),
        ("Reject", json!({ "reject": { "reason": "Bad content" } }), "table-ready email bounced rejected"),
        ("Delivery", json!({ "delivery": { "smtpResponse": "250 ok" } }), "table-ready email sent -"),
    ] {
        let ana = door.called(json!({ "email": "ana@example.com" })).await;
        let body = reported(kind, ana.into(), "table-ready-2", more).to_string();
        assert_eq!(report(&door, &[body.clone(), body]).await, Vec::<String>::new());
        assert_eq!(door.told(ana).await[0], shown);
        let bounces = stage
            .commits(ana)
            .await
            .iter()
            .filter(|commit| commit.events.contains("notification-bounced"))
            .count();
        assert_eq!(bounces, usize::from(kind != "Delivery"), "{kind}");
    }
}

#[tokio::test]
async fn the_account_page_shows_a_bounced_welcome_mail() {
    let stage = Stage::new().await;
    let door = Door::of(&stage, stage.registered().await).await;
    let (mail, welcome) = (door.owner.welcome(), || async {
        stage.project(door.owner.welcome()).await;
        door.owner.get("/v1/me").await.body["welcome"].clone()
    });
    assert_eq!(welcome().await, "due");
    door.tell(mail).await;
    assert_eq!(welcome().await, "sent");
    report(&door, &[reported("Bounce", mail.into(), "welcome-1", bounce("Permanent")).to_string()]).await;
    assert_eq!(welcome().await, "bounced");
}

#[tokio::test]
async fn feedback_about_unknown_mails_changes_nothing() {
    let stage = Stage::new().await;
    let door = Door::open(&stage).await;
    let ana = door.called(json!({})).await;
    let unknown = StreamId::from(schema::WaiteeId(uuid::Uuid::from_u128(7)));
    let mut untagged = reported("Bounce", ana.into(), "table-ready-2", bounce("Permanent"));
    untagged["mail"]["tags"] = json!({});
    let bodies = [
        reported("Bounce", unknown, "table-ready-2", bounce("Permanent")),
        reported("Bounce", ana.into(), "table-ready-9", bounce("Permanent")),
        reported("Bounce", ana.into(), "greeting-2", bounce("Permanent")),
        reported("Bounce", ana.into(), "table-ready-2", bounce("Permanent")),
        untagged,
    ];
    let before = stage.commits(ana).await;
    assert_eq!(report(&door, &bodies.map(|body| body.to_string())).await, Vec::<String>::new());
    assert_eq!(stage.commits(ana).await, before, "an unsent message cannot bounce");
    assert_eq!(
        report(&door, &["{}".into(), "garbage".into()]).await,
        ["0", "1"],
        "malformed events become dead letters"
    );
}
