//! Real sends, on an engine that has SES and SNS.

use std::time::Duration;

use axum::{
    Router,
    body::Bytes,
    http::{HeaderMap, StatusCode},
};
use infra::{Clock, aws};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use waitlist_tests::{
    account::PASSWORD,
    carrier::{FROM, messengers},
    endpoints::endpoint,
    external,
    process::Server,
};

use super::{PATIENT, mail, text};

/// Returns the message with this mark among those that the engine has sent.
async fn sent_message(endpoint: &str, path: &str, marked: &str) -> Value {
    let all: Value = reqwest::get(format!("{endpoint}{path}")).await.unwrap().json().await.unwrap();
    find(&all, marked).unwrap_or_else(|| panic!("{marked} is not in {all}"))
}

/// Returns the first list entry, at any depth, that holds the mark.
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
    let Some(endpoint) = endpoint(name, "AWS_ENDPOINT_URL_SESV2") else { return };
    let sdk = aws::config().await;
    let marked = external::unique();
    allow_sender(&sdk).await;
    let messengers = messengers(&sdk, PATIENT, None, Clock::system());
    let id = messengers.mailer.send(&mail(&format!("{marked}@example.com"))).await.unwrap();
    let sent = sent_message(&endpoint, "/_ministack/ses/messages", &marked).await;
    // The engine does not keep tags and configuration set; the next test checks the request itself.
    let expected = json!({
        "MessageId": id, "Source": FROM, "To": [format!("{marked}@example.com")], "CC": [], "BCC": [],
        "Subject": "Su mesa está lista", "BodyText": "Größe 🍜", "BodyHtml": "<p>Größe 🍜</p>",
    });
    for (name, value) in expected.as_object().unwrap() {
        assert_eq!(&sent[name], value, "{name}: {sent}");
    }
}

/// Registers the sender's address, which SES demands.
async fn allow_sender(sdk: &aws_config::SdkConfig) {
    let ses = aws_sdk_sesv2::Client::new(sdk);
    // Another test may have registered it already.
    let _there = ses.create_email_identity().email_identity("hello@example.com").send().await;
}

#[tokio::test]
async fn a_text_arrives_at_sns_with_its_number_and_attributes() {
    let Some(endpoint) =
        endpoint("a_text_arrives_at_sns_with_its_number_and_attributes", "AWS_ENDPOINT_URL_SNS")
    else {
        return;
    };
    let marked = external::unique();
    let messengers = messengers(&aws::config().await, PATIENT, None, Clock::system());
    let id = messengers.texter.send(&text(&format!("Größe 🍜 {marked}"))).await.unwrap();
    let sent = sent_message(&endpoint, "/_ministack/sns/sms-messages", &marked).await;
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

/// Serves the engine's SNS, and the opt-out call that the engine lacks: no number has opted out.
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

/// Waits until the engine has sent the message.
async fn wait_for_message(endpoint: &str, path: &str, marked: &str) -> Value {
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
async fn a_server_with_endpoints_takes_messages_from_sqs_and_sends_them_by_ses_and_sns() {
    let name = "a_server_with_endpoints_takes_messages_from_sqs_and_sends_them_by_ses_and_sns";
    let Some(endpoint) = endpoint(name, "AWS_ENDPOINT_URL_SESV2") else { return };
    let sdk = aws::config().await;
    allow_sender(&sdk).await;
    let marked = external::unique();
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
    let mail = wait_for_message(&endpoint, "/_ministack/ses/messages", &email).await;
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
    let text = wait_for_message(&endpoint, "/_ministack/sns/sms-messages", &marked).await;
    assert!(
        text.to_string().contains("+14155552671") && text.to_string().contains("your table is ready"),
        "{text}"
    );
    assert!(!directory.path().join("outbox").exists(), "nothing went to the outbox");
    assert_eq!(server.interrupt().await, Some(0));
}
