//! Mails by SES and texts by SNS: what an answer means, whatever it is, on a server that answers as it is told; and the real calls,
//! on an engine that has both.

use std::time::Duration;

use axum::{
    Router,
    body::Bytes,
    http::{HeaderMap, StatusCode},
};
use infra::{
    Clock, aws,
    clock::random,
    messenger::{Mail, Messengers, SendError, Tags, Text},
};
use schema::{
    StreamId, WaiteeId,
    value::{Email, Phone},
};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use waitlist_tests::{
    account::PASSWORD,
    carrier::{Answer, Carrier, FROM, messengers},
    process::Server,
};

const PATIENT: Duration = Duration::from_secs(10);

/// Messengers whose carrier answers so.
async fn carried(answer: Answer) -> (Messengers, Carrier) {
    let carrier = Carrier::new(&[answer]).await;
    (carrier.messengers(None, Clock::system()).await, carrier)
}

fn tags() -> Tags {
    Tags {
        stream: StreamId::from(WaiteeId(uuid::Uuid::from_u128(7))),
        message: "table-ready-2".into(),
        kind: "table-ready",
    }
}

fn mail(to: &str) -> Mail {
    let (subject, text, html) = ("Su mesa está lista".into(), "Größe 🍜".into(), "<p>Größe 🍜</p>".into());
    Mail { to: Email::parse(to).unwrap(), subject, text, html, tags: tags() }
}

fn phone() -> Phone {
    Phone::parse("+14155552671", "US".parse().unwrap()).unwrap()
}

fn text(body: &str) -> Text {
    Text { to: phone(), body: body.into(), tags: tags() }
}

/// What became of a send, in a word and its code.
fn came_to(sent: Result<String, SendError>) -> (&'static str, String) {
    match sent {
        Ok(id) => ("sent", id),
        Err(SendError::Refused { code }) => ("refused", code),
        Err(SendError::Busy { code }) => ("busy", code),
        Err(SendError::Unanswered { .. }) => ("unanswered", String::new()),
    }
}

#[tokio::test]
async fn every_answer_to_a_mail_means_one_thing_and_no_mail_is_sent_twice() {
    let error = |kind: &'static str| match kind {
        "TooManyRequestsException" => r#"{"__type":"TooManyRequestsException","message":"ana@example.com"}"#,
        "MessageRejected" => {
            r#"{"__type":"MessageRejected","message":"ana@example.com is on nobody's list"}"#
        }
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
        let (messengers, carrier) = carried(answer).await;
        let came = came_to(messengers.mailer.send(&mail("ana@example.com")).await);
        assert_eq!((came.0, came.1.as_str()), expected, "{answer:?}");
        assert_eq!(carrier.seen().len(), 1, "{answer:?}");
    }
}

#[tokio::test]
async fn every_answer_to_a_text_means_one_thing_and_no_text_is_sent_twice() {
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
        let (messengers, carrier) = carried(answer).await;
        let came = came_to(messengers.texter.send(&text("ready")).await);
        assert_eq!((came.0, came.1.as_str()), expected, "{answer:?}");
        assert_eq!(carrier.seen().len(), 1, "{answer:?}");
    }
}

#[tokio::test]
async fn what_finds_nobody_to_connect_to_was_not_sent() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let nobody = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let messengers = messengers(&aws::local(&nobody, "anyone").await, PATIENT, None, Clock::system());
    assert_eq!(
        came_to(messengers.mailer.send(&mail("ana@example.com")).await),
        ("busy", "no-connection".into())
    );
    assert_eq!(came_to(messengers.texter.send(&text("ready")).await), ("busy", "no-connection".into()));
}

#[tokio::test]
async fn whether_a_number_takes_texts_is_asked_of_sns() {
    let answer = |opted_out| {
        format!(
            "<CheckIfPhoneNumberIsOptedOutResponse xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\"><CheckIfPhoneNumberIsOptedOutResult>\
             <isOptedOut>{opted_out}</isOptedOut></CheckIfPhoneNumberIsOptedOutResult></CheckIfPhoneNumberIsOptedOutResponse>"
        )
    };
    for opted_out in [true, false] {
        let (messengers, carrier) = carried(Answer::With(200, answer(opted_out).leak())).await;
        assert_eq!(messengers.texter.is_opted_out(&phone()).await.unwrap(), opted_out);
        let asked = carrier.seen().join("\n");
        assert!(
            asked.contains("Action=CheckIfPhoneNumberIsOptedOut")
                && asked.contains("phoneNumber=%2B14155552671"),
            "{asked}"
        );
    }
    let (messengers, _) = carried(Answer::With(500, "out of order")).await;
    assert!(messengers.texter.is_opted_out(&phone()).await.is_err_and(|failure| failure.is_passing()));
}

/// Whether the environment names no such engine; then the test says that it is skipped.
fn missing(test: &str, variable: &str) -> Option<String> {
    let endpoint = std::env::var(variable).ok();
    if endpoint.is_none() {
        println!("SKIPPED {test}: no engine, {variable} is not set");
    }
    endpoint
}

/// What the engine says that it has sent, among that which is marked so.
async fn taken(endpoint: &str, path: &str, marked: &str) -> Value {
    let all: Value = reqwest::get(format!("{endpoint}{path}")).await.unwrap().json().await.unwrap();
    find(&all, marked).unwrap_or_else(|| panic!("{marked} is not in {all}"))
}

/// The first entry of a list, somewhere in there, that holds the mark.
fn find(within: &Value, marked: &str) -> Option<Value> {
    match within {
        Value::Array(list) => list.iter().find(|one| one.to_string().contains(marked)).cloned(),
        Value::Object(object) => object.values().find_map(|value| find(value, marked)),
        _ => None,
    }
}

#[tokio::test]
async fn a_mail_arrives_at_ses_with_sender_recipient_and_parts() {
    let name = "a_mail_arrives_at_ses_with_sender_recipient_and_parts";
    let Some(endpoint) = missing(name, "AWS_ENDPOINT_URL_SESV2") else { return };
    let sdk = aws::config().await;
    let marked = data_encoding::HEXLOWER.encode(&random::<6>());
    allow_sender(&sdk).await;
    let messengers = messengers(&sdk, PATIENT, None, Clock::system());
    let id = messengers.mailer.send(&mail(&format!("{marked}@example.com"))).await.unwrap();
    let sent = taken(&endpoint, "/_ministack/ses/messages", &marked).await;
    // Tags and configuration set are not among what the engine keeps; the next test looks at the request itself.
    let expected = json!({
        "MessageId": id, "Source": FROM, "To": [format!("{marked}@example.com")], "CC": [], "BCC": [],
        "Subject": "Su mesa está lista", "BodyText": "Größe 🍜", "BodyHtml": "<p>Größe 🍜</p>",
    });
    for (name, value) in expected.as_object().unwrap() {
        assert_eq!(&sent[name], value, "{name}: {sent}");
    }
}

/// SES takes mails only from addresses that are known to be their sender's.
async fn allow_sender(sdk: &aws_config::SdkConfig) {
    let ses = aws_sdk_sesv2::Client::new(sdk);
    // It is there already when another test was first.
    let _there = ses.create_email_identity().email_identity("hello@example.com").send().await;
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

#[tokio::test]
async fn a_text_arrives_at_sns_with_its_number_and_attributes() {
    let Some(endpoint) =
        missing("a_text_arrives_at_sns_with_its_number_and_attributes", "AWS_ENDPOINT_URL_SNS")
    else {
        return;
    };
    let marked = data_encoding::HEXLOWER.encode(&random::<6>());
    let messengers = messengers(&aws::config().await, PATIENT, None, Clock::system());
    let id = messengers.texter.send(&text(&format!("Größe 🍜 {marked}"))).await.unwrap();
    let sent = taken(&endpoint, "/_ministack/sns/sms-messages", &marked).await;
    let said = serde_json::to_string(&sent).unwrap();
    for part in [
        id.as_str(),
        "+14155552671",
        "Größe 🍜",
        "AWS.SNS.SMS.SMSType",
        "Transactional",
        "AWS.SNS.SMS.SenderID",
        "Waitlist",
    ] {
        assert!(said.contains(part), "{part} is not in {said}");
    }
}

/// The engine's SNS, but for the one call that it does not have: nobody has opted out.
async fn sns_that_knows_opt_outs(engine: String) -> String {
    let answer = async move |headers: HeaderMap, body: Bytes| {
        if String::from_utf8_lossy(&body).contains("Action=CheckIfPhoneNumberIsOptedOut") {
            return (StatusCode::OK, Bytes::from_static(NOT_OPTED_OUT.as_bytes()));
        }
        let forwarded =
            reqwest::Client::new().post(&engine).headers(headers).body(body).send().await.unwrap();
        (forwarded.status(), forwarded.bytes().await.unwrap())
    };
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, Router::new().fallback(answer)).await });
    url
}

const NOT_OPTED_OUT: &str = "<CheckIfPhoneNumberIsOptedOutResponse xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\">\
    <CheckIfPhoneNumberIsOptedOutResult><isOptedOut>false</isOptedOut></CheckIfPhoneNumberIsOptedOutResult></CheckIfPhoneNumberIsOptedOutResponse>";

/// Waits for what the engine has sent.
async fn in_time(endpoint: &str, path: &str, marked: &str) -> Value {
    const POLLS_MAX: usize = 300;
    for _ in 0..POLLS_MAX {
        let all: Value = reqwest::get(format!("{endpoint}{path}")).await.unwrap().json().await.unwrap();
        if let Some(found) = find(&all, marked) {
            return found;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("{marked} was not sent");
}

#[tokio::test]
async fn a_server_that_is_given_endpoints_sends_by_ses_and_sns_what_it_takes_from_sqs() {
    let name = "a_server_that_is_given_endpoints_sends_by_ses_and_sns_what_it_takes_from_sqs";
    let Some(endpoint) = missing(name, "AWS_ENDPOINT_URL_SESV2") else { return };
    let sdk = aws::config().await;
    allow_sender(&sdk).await;
    let marked = data_encoding::HEXLOWER.encode(&random::<6>());
    let sqs = aws_sdk_sqs::Client::new(&sdk);
    let create =
        async |name: String| sqs.create_queue().queue_name(name).send().await.unwrap().queue_url.unwrap();
    let (queue, dead) =
        (create(format!("deliveries-{marked}")).await, create(format!("deliveries-{marked}-dead")).await);
    let sns = sns_that_knows_opt_outs(endpoint.clone()).await;
    let prefix = format!("m{marked}");
    let env = [
        ("WAITLIST_PREFIX", prefix.as_str()),
        ("AWS_ENDPOINT_URL_SESV2", endpoint.as_str()),
        ("AWS_ENDPOINT_URL_SNS", sns.as_str()),
        ("WAITLIST_MAIL_FROM", FROM),
        ("WAITLIST_SMS_SENDER_ID", "Waitlist"),
        ("WAITLIST_DELIVERIES_URL", queue.as_str()),
        ("WAITLIST_DELIVERIES_DEAD_URL", dead.as_str()),
    ];
    let directory = tempfile::tempdir().unwrap();
    let server = Server::start(directory.path(), &env).await;
    let ask = async |token: Option<&str>, path: &str, body: Value| {
        server.send(token, "POST", path, Some(&body), &[]).await.unwrap()
    };
    let email = format!("{marked}@example.com");
    let ana = ask(None, "/v1/users", json!({ "email": email, "password": PASSWORD, "name": "Ana" })).await;
    let mail = in_time(&endpoint, "/_ministack/ses/messages", &email).await;
    assert_eq!(mail["Source"], FROM);
    let text = mail["BodyText"].as_str().unwrap();
    let link = text.split_whitespace().find_map(|word| word.split_once("/confirm#")).unwrap().1;
    assert_eq!(ask(None, "/v1/users/confirm", json!({ "token": link })).await.status, 204);
    let token = server.token(ana.id().parse().unwrap());
    let list =
        json!({ "name": format!("Room {marked}"), "time_zone": "America/Los_Angeles", "region": "US" });
    let parties = format!("/v1/waitlists/{}/waitees", ask(Some(&token), "/v1/waitlists", list).await.id());
    let ben = ask(Some(&token), &parties, json!({ "name": "Ben", "party_size": 2, "phone": "+14155552671" }))
        .await
        .id();
    assert_eq!(ask(Some(&token), &format!("/v1/waitees/{ben}/call"), json!({})).await.status, 202);
    let text = in_time(&endpoint, "/_ministack/sns/sms-messages", &marked).await;
    assert!(
        text.to_string().contains("+14155552671") && text.to_string().contains("your table is ready"),
        "{text}"
    );
    assert!(!directory.path().join("outbox").exists(), "nothing is left for the outbox");
    assert_eq!(server.interrupt().await, Some(0));
}
