//! A visit through the deployed template: API Gateway, the functions with their roles, stream, queues, SES and SNS, as
//! an emulator of AWS has them. `.ci/with-deployment cargo test --test deployed` builds, deploys and runs it.

use std::{env, time::Duration};

use reqwest::{Client, Method, Url};
use schema::page::PAGES;
use serde_json::{Value, json};
use waitlist_tests::{endpoints::endpoint, external};

const PASSWORD: &str = "correct horse battery staple";
const PHONE: &str = "+14155550142";

/// The credentials of the emulated account itself; their signature is not checked.
const OWNER: &str =
    "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/sns/aws4_request, SignedHeaders=host, Signature=0";

/// The effects of a stream or queue take a second or two; a busy machine is slower.
const POLLS_MAX: u32 = 400;
const POLL: Duration = Duration::from_millis(200);

/// The deployed API and the emulator's list of messages.
struct Deployed {
    client: Client,
    api: String,
    emulator: String,
}

struct Answer {
    status: u16,
    sync_token: String,
    body: Value,
}

impl Deployed {
    /// `None` where nothing is deployed; then the test says that it is skipped.
    fn new() -> Option<Self> {
        let api = endpoint("deployed", "WAITLIST_DEPLOYED_API")?;
        let emulator = env::var("AWS_ENDPOINT_URL").unwrap();
        Some(Self { client: Client::builder().no_proxy().build().unwrap(), api, emulator })
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<Value>,
    ) -> Answer {
        let mut request = self.client.request(method, format!("{}{path}", self.api));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(body) = body {
            request = request.json(&body);
        }
        let response = request.send().await.unwrap();
        let token = response.headers().get("sync-token").map(|token| token.to_str().unwrap().to_owned());
        let status = response.status().as_u16();
        let text = response.text().await.unwrap();
        let body = if text.is_empty() { Value::Null } else { serde_json::from_str(&text).unwrap() };
        Answer { status, sync_token: token.unwrap_or_default(), body }
    }

    /// Reads a page or a file that pages load. Checks that it has the policy of pages.
    async fn page(&self, path: &str) -> String {
        let response = self.client.get(format!("{}{path}", self.api)).send().await.unwrap();
        assert_eq!(response.status(), 200, "{path}");
        assert_eq!(response.headers()["content-security-policy"], web::CONTENT_SECURITY_POLICY, "{path}");
        response.text().await.unwrap()
    }

    async fn post(&self, path: &str, token: &str, body: Value) -> Answer {
        let authorization = format!("Bearer {token}");
        let headers = [("Authorization", authorization.as_str())];
        let headers = if token.is_empty() { &[][..] } else { &headers };
        self.send(Method::POST, path, headers, Some(body)).await
    }

    async fn get(&self, path: &str, token: &str, sync_token: &str) -> Answer {
        let authorization = format!("Bearer {token}");
        let mut headers = vec![("Authorization", authorization.as_str())];
        if !sync_token.is_empty() {
            headers.push(("Sync-Token", sync_token));
        }
        self.send(Method::GET, path, &headers, None).await
    }

    /// The text of what the emulator sent to a recipient, as soon as it holds `part`.
    async fn sent(&self, list: &str, recipient: &str, part: &str) -> String {
        self.until(&format!("{part} sent to {recipient}"), async || {
            let listed =
                self.client.get(format!("{}/_ministack/{list}", self.emulator)).send().await.unwrap();
            let listed: Value = listed.json().await.unwrap();
            let messages = listed.as_object().unwrap().values().filter_map(Value::as_object);
            let each = messages.flat_map(|of| of.values()).filter_map(Value::as_array).flatten();
            each.map(Value::to_string).find(|text| text.contains(recipient) && text.contains(part))
        })
        .await
    }

    /// Publishes what SES reports about a mail that bounced. The emulator keeps the destination of such reports but sends
    /// none.
    async fn report_bounce(&self, stream: &str, message: &str) {
        let tags = json!({ "stream": [stream], "message": [message] });
        let report = json!({
            "eventType": "Bounce",
            "mail": { "tags": tags },
            "bounce": { "bounceType": "Permanent" },
        });
        let topic = env::var("WAITLIST_FEEDBACK_TOPIC").unwrap();
        let parameters = [("Action", "Publish"), ("TopicArn", &topic), ("Message", &report.to_string())];
        let call = Url::parse_with_params(&self.emulator, parameters).unwrap();
        let answer = self
            .client
            .post(&self.emulator)
            .header("Content-Type", "application/x-www-form-urlencoded")
            .header("Authorization", OWNER)
            .body(call.query().unwrap().to_owned())
            .send()
            .await
            .unwrap();
        assert!(answer.status().is_success(), "{answer:?}");
    }

    async fn until<T>(&self, wanted: &str, look: impl AsyncFn() -> Option<T>) -> T {
        for _ in 0..POLLS_MAX {
            if let Some(found) = look().await {
                return found;
            }
            tokio::time::sleep(POLL).await;
        }
        panic!("waited in vain for: {wanted}");
    }
}

#[tokio::test]
async fn an_account_and_a_visit_pass_through_the_deployment_and_are_erased() {
    let Some(deployed) = Deployed::new() else { return };
    let email = format!("ana-{}@example.com", external::unique());
    let account = json!({ "email": email, "password": PASSWORD, "name": "Ana" });
    let registered = deployed.post("/v1/users", "", account.clone()).await;
    assert_eq!(registered.status, 201, "{}", registered.body);
    assert_eq!(deployed.post("/v1/users", "", account.clone()).await.body["status"], 409);

    let mail = deployed.sent("ses/messages", &email, "/confirm#").await;
    let link = mail.split("https://waitlist.example/confirm#").nth(1).unwrap();
    let secret: String =
        link.chars().take_while(|c| c.is_ascii_alphanumeric() || "-_".contains(*c)).collect();
    assert_eq!(deployed.post("/v1/users/confirm", "", json!({ "token": secret })).await.status, 204);
    let signed_in = deployed.post("/v1/sessions", "", json!({ "email": email, "password": PASSWORD })).await;
    assert_eq!(signed_in.status, 201, "{}", signed_in.body);
    let token = signed_in.body["access_token"].as_str().unwrap();
    deployed
        .until("the account page says that the welcome mail was sent", async || {
            (deployed.get("/v1/me", token, "").await.body["welcome"] == "sent").then_some(())
        })
        .await;

    let list = json!({ "name": "Main room", "time_zone": "America/Los_Angeles", "region": "US" });
    let list = deployed.post("/v1/waitlists", token, list).await;
    assert_eq!(list.status, 201, "{}", list.body);
    let list = list.body["id"].as_str().unwrap().to_owned();
    let party = json!({ "name": "Ben", "party_size": 2, "phone": PHONE });
    let joined = deployed.post(&format!("/v1/public/waitlists/{list}/waitees"), "", party).await;
    assert_eq!(joined.status, 201, "{}", joined.body);
    let (visit, guest) = (joined.body["id"].as_str().unwrap(), joined.body["visit_token"].as_str().unwrap());
    let board = deployed.get(&format!("/v1/waitlists/{list}/waitees"), token, &joined.sync_token).await;
    assert_eq!(board.body["items"][0]["name"], "Ben", "{}", board.body);

    let called = deployed.post(&format!("/v1/waitees/{visit}/call"), token, json!({})).await;
    assert_eq!((called.status, &called.body["state"]), (202, &json!("called")), "{}", called.body);
    deployed.sent("sns/sms-messages", PHONE, &format!("/visit#{guest}")).await;
    let confirmed = deployed.post(&format!("/v1/public/visits/{guest}/confirm"), "", json!({})).await;
    assert_eq!(confirmed.body["state"], "confirmed", "{}", confirmed.body);
    let shown = deployed.send(Method::GET, &format!("/v1/public/visits/{guest}"), &[], None).await;
    assert_eq!(shown.status, 200, "{}", shown.body);
    let seated = deployed.post(&format!("/v1/waitees/{visit}/seat"), token, json!({})).await;
    assert_eq!(seated.body["state"], "seated", "{}", seated.body);
    let board = deployed.get(&format!("/v1/waitlists/{list}/waitees"), token, &seated.sync_token).await;
    assert_eq!(board.body["items"], json!([]), "{}", board.body);

    let history = format!("/v1/waitees/{visit}/history");
    let events = deployed.get(&history, token, "").await.body;
    assert_eq!(events["verified"]["ok"], true, "{events}");
    let types: Vec<&str> =
        events["items"].as_array().unwrap().iter().map(|event| event["type"].as_str().unwrap()).collect();
    for expected in
        ["waitee.joined", "waitee.called", "waitee.notification-sent", "waitee.confirmed", "waitee.seated"]
    {
        assert!(types.contains(&expected), "{types:?}");
    }
    let seated = seated.sync_token;
    let audit =
        deployed.get(&format!("/v1/audit?waitlist={list}&action=waitee.*"), token, &seated).await.body;
    let shown = audit["items"].as_array().unwrap_or_else(|| panic!("{audit}"));
    let of_type =
        |kind: &str| shown.iter().find(|event| event["type"] == kind).unwrap_or_else(|| panic!("{audit}"));
    assert_eq!(of_type("waitee.seated")["stream"], format!("waitee-{visit}"));
    assert_eq!(of_type("waitee.joined")["data"]["name"], "Ben");

    assert_eq!(deployed.post(&format!("/v1/waitees/{visit}/erase"), token, json!({})).await.status, 202);
    deployed
        .until("the guest is forgotten", async || {
            let events = deployed.get(&history, token, "").await.body;
            events.to_string().contains("waitee.forgotten").then_some(())
        })
        .await;
    let account_id = registered.body["id"].as_str().unwrap();
    deployed.report_bounce(&format!("mail-{account_id}"), "welcome-1").await;
    deployed
        .until("the account page says that the welcome mail bounced", async || {
            (deployed.get("/v1/me", token, "").await.body["welcome"] == "bounced").then_some(())
        })
        .await;
    let password = json!({ "current_password": PASSWORD });
    assert_eq!(deployed.post("/v1/me/erase", token, password).await.status, 202);
    // The address is free once the eraser has released it.
    deployed
        .until("the address can be registered again", async || {
            (deployed.post("/v1/users", "", account.clone()).await.status == 201).then_some(())
        })
        .await;
}

#[tokio::test]
async fn the_gateway_routes_head_unknown_paths_and_wrong_methods_to_a_function() {
    let Some(deployed) = Deployed::new() else { return };
    for page in PAGES {
        let html = deployed.page(&page.path()).await;
        let (_, asset) = html.split_once("href=\"").expect("a page loads something");
        deployed.page(&format!("/{}", asset.split('"').next().unwrap())).await;
    }
    let health = deployed.send(Method::HEAD, "/healthz", &[], None).await;
    assert_eq!((health.status, health.body), (200, Value::Null));
    for (method, path, status) in [
        (Method::GET, "/v1/nowhere", 404),
        (Method::DELETE, "/v1/users", 405),
        (Method::POST, "/healthz", 405),
    ] {
        let answer = deployed.send(method, path, &[], None).await;
        assert_eq!((answer.status, &answer.body["status"]), (status, &json!(status)), "{path}");
    }
    let forged = [("Authorization", "Bearer forged")];
    let refused = deployed.send(Method::GET, "/v1/me", &forged, None).await;
    assert_eq!((refused.status, &refused.body["status"]), (401, &json!(401)), "{}", refused.body);
    let keys = deployed.send(Method::GET, "/.well-known/jwks.json", &[], None).await;
    assert_eq!(keys.body["keys"].as_array().map(Vec::len), Some(1), "{}", keys.body);
}
