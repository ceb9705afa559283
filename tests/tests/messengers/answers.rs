//! The meaning of every answer, on a simulated carrier.

use infra::{
    Clock, aws,
    messenger::{Messengers, SendError},
};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use waitlist_tests::carrier::{Answer, Carrier, FROM, messengers};

use super::{PATIENT, mail, phone, tags, text};

/// Returns messengers whose carrier gives this answer.
async fn answering(answer: Answer) -> (Messengers, Carrier) {
    let carrier = Carrier::new(&[answer]).await;
    (carrier.messengers(None, Clock::system()).await, carrier)
}

/// Returns the outcome of a send as a word and a code.
fn outcome(sent: Result<String, SendError>) -> (&'static str, String) {
    match sent {
        Ok(id) => ("sent", id),
        Err(SendError::Refused { code }) => ("refused", code),
        Err(SendError::Busy { code }) => ("busy", code),
        Err(SendError::Unanswered { .. }) => ("unanswered", String::new()),
    }
}

#[tokio::test]
async fn every_answer_to_a_mail_has_one_meaning_and_no_mail_is_sent_twice() {
    let error = |kind: &'static str| match kind {
        "TooManyRequestsException" => r#"{"__type":"TooManyRequestsException","message":"ana@example.com"}"#,
        "MessageRejected" => r#"{"__type":"MessageRejected","message":"ana@example.com is not verified"}"#,
        "LimitExceededException" => r#"{"__type":"LimitExceededException"}"#,
        "SendingPausedException" => r#"{"__type":"SendingPausedException"}"#,
        "AccountSuspendedException" => r#"{"__type":"AccountSuspendedException"}"#,
        "ThrottlingException" => r#"{"__type":"ThrottlingException"}"#,
        "AccessDeniedException" => r#"{"__type":"AccessDeniedException"}"#,
        _ => r#"{"__type":"BadRequestException"}"#,
    };
    for (answer, expected) in [
        (Answer::With(200, r#"{"MessageId":"one"}"#), ("sent", "one")),
        (Answer::With(429, error("TooManyRequestsException")), ("busy", "TooManyRequestsException")),
        (Answer::With(400, error("ThrottlingException")), ("busy", "ThrottlingException")),
        (Answer::With(400, error("LimitExceededException")), ("busy", "LimitExceededException")),
        (Answer::With(400, error("SendingPausedException")), ("busy", "SendingPausedException")),
        (Answer::With(403, error("AccessDeniedException")), ("busy", "AccessDeniedException")),
        (Answer::With(500, "out of order"), ("busy", "500")),
        (Answer::With(503, ""), ("busy", "503")),
        (Answer::With(400, error("MessageRejected")), ("refused", "MessageRejected")),
        (Answer::With(400, error("AccountSuspendedException")), ("refused", "AccountSuspendedException")),
        (Answer::With(400, error("BadRequestException")), ("refused", "BadRequestException")),
        (Answer::Never, ("unanswered", "")),
        (Answer::Cut, ("unanswered", "")),
        (Answer::With(200, "out of order"), ("unanswered", "")),
    ] {
        let (messengers, carrier) = answering(answer).await;
        let came = outcome(messengers.mailer.send(&mail("ana@example.com")).await);
        assert_eq!((came.0, came.1.as_str()), expected, "{answer:?}");
        assert_eq!(carrier.seen().len(), 1, "{answer:?}");
    }
}

#[tokio::test]
async fn every_answer_to_a_text_has_one_meaning_and_no_text_is_sent_twice() {
    let sent = "<PublishResponse xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\"><PublishResult><MessageId>one</MessageId></PublishResult></PublishResponse>";
    let throttled = "<ErrorResponse xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\"><Error><Type>Sender</Type><Code>Throttling</Code></Error></ErrorResponse>";
    let invalid = "<ErrorResponse xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\"><Error><Type>Sender</Type><Code>InvalidParameter</Code><Message>+14155552671</Message></Error></ErrorResponse>";
    for (answer, expected) in [
        (Answer::With(200, sent), ("sent", "one")),
        (Answer::With(400, throttled), ("busy", "Throttling")),
        (Answer::With(500, "out of order"), ("busy", "500")),
        (Answer::With(400, invalid), ("refused", "InvalidParameter")),
        (Answer::Never, ("unanswered", "")),
        (Answer::Cut, ("unanswered", "")),
        (Answer::With(200, "out of order"), ("unanswered", "")),
    ] {
        let (messengers, carrier) = answering(answer).await;
        let came = outcome(messengers.texter.send(&text("ready")).await);
        assert_eq!((came.0, came.1.as_str()), expected, "{answer:?}");
        assert_eq!(carrier.seen().len(), 1, "{answer:?}");
    }
}

#[tokio::test]
async fn a_message_without_a_connection_was_not_sent() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let closed = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let messengers = messengers(&aws::local(&closed, "anyone").await, PATIENT, None, Clock::system());
    assert_eq!(
        outcome(messengers.mailer.send(&mail("ana@example.com")).await),
        ("busy", "no-connection".into())
    );
    assert_eq!(outcome(messengers.texter.send(&text("ready")).await), ("busy", "no-connection".into()));
}

#[tokio::test]
async fn sns_is_asked_whether_a_number_opted_out() {
    let answer = |opted_out| {
        format!(
            "<CheckIfPhoneNumberIsOptedOutResponse xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\"><CheckIfPhoneNumberIsOptedOutResult>\
             <isOptedOut>{opted_out}</isOptedOut></CheckIfPhoneNumberIsOptedOutResult></CheckIfPhoneNumberIsOptedOutResponse>"
        )
    };
    for opted_out in [true, false] {
        let (messengers, carrier) = answering(Answer::With(200, answer(opted_out).leak())).await;
        assert_eq!(messengers.texter.is_opted_out(&phone()).await.unwrap(), opted_out);
        let asked = carrier.seen().join("\n");
        assert!(
            asked.contains("Action=CheckIfPhoneNumberIsOptedOut")
                && asked.contains("phoneNumber=%2B14155552671"),
            "{asked}"
        );
    }
    let (messengers, _) = answering(Answer::With(500, "out of order")).await;
    assert!(messengers.texter.is_opted_out(&phone()).await.is_err_and(|failure| failure.is_passing()));
}

#[tokio::test]
async fn the_request_to_ses_names_sender_recipient_parts_tags_and_configuration_set() {
    let carrier = Carrier::new(&[Answer::With(200, r#"{"MessageId":"one"}"#)]).await;
    let messengers = carrier.messengers(Some("reported"), Clock::system()).await;
    messengers.mailer.send(&mail("ana@example.com")).await.unwrap();
    let asked: Value = serde_json::from_str(&carrier.seen()[0]).unwrap();
    let part = |data: &str| json!({ "Data": data, "Charset": "UTF-8" });
    let tag = |name: &str, value: &str| json!({ "Name": name, "Value": value });
    let expected = json!({
        "FromEmailAddress": FROM,
        "Destination": { "ToAddresses": ["ana@example.com"] },
        "Content": { "Simple": {
            "Subject": part("Su mesa está lista"),
            "Body": { "Text": part("Größe 🍜"), "Html": part("<p>Größe 🍜</p>") },
            "Headers": [tag("Auto-Submitted", "auto-generated")],
        } },
        "EmailTags": [tag("stream", &tags().stream.to_string()), tag("message", "table-ready-2"), tag("kind", "table-ready")],
        "ConfigurationSetName": "reported",
    });
    assert_eq!(asked, expected);
}
