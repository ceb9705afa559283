//! Invalid requests: each gets the right refusal, which names the faulty place, and stores nothing.

mod accounts;
mod arbitrary;
mod bodies;
mod commands;
mod parameters;
mod wire;

use infra::http::Principal;
use serde_json::{Value, json};
use waitlist_tests::stage::{Answer, Owner, Stage, send_bytes};

use crate::raw::census;

const JSON: (&str, &str) = ("content-type", "application/json");
const NO_SUCH_ID: &str = "01920000-0000-7000-8000-000000000000";

/// A list with two parties, and ways to send requests to it.
struct Scene<'s> {
    stage: &'s Stage,
    owner: Owner<'s>,
    list: String,
    parties: String,
    ana: String,
    ben: String,
}

impl<'s> Scene<'s> {
    async fn new(stage: &'s Stage) -> Self {
        let owner = stage.owner();
        let list = owner.list("Main room").await;
        let ana = owner.join(&list, "Ana").await;
        let ben = owner.join(&list, "Ben").await;
        let parties = format!("/v1/waitlists/{list}/waitees");
        Self { stage, owner, list, parties, ana, ben }
    }

    /// The path to which guests send their joins.
    fn door(&self) -> String {
        format!("/v1/public/waitlists/{}/waitees", self.list)
    }

    /// Ana's own path to her visit.
    fn visit(&self, action: &str) -> String {
        let token = self.stage.links().visit_token(self.ana.parse().unwrap());
        format!("/v1/public/visits/{token}{action}")
    }

    fn ana(&self, action: &str) -> String {
        format!("/v1/waitees/{}{action}", self.ana)
    }

    async fn send(&self, method: &str, path: &str, body: &str, headers: &[(&str, &str)]) -> Answer {
        let exp = self.stage.backend.clock.now().millis() / 1000 + 900;
        let principal = Principal::account(self.owner.id, exp);
        send_bytes(&self.stage.backend, Some(principal), method, path, body.to_owned().into(), headers).await
    }

    /// Asserts that the request is refused and stores nothing. `at` is `kind:place` of the first error, or
    /// empty.
    async fn refuses(
        &self,
        method: &str,
        path: &str,
        body: &str,
        headers: &[(&str, &str)],
        expected: (u16, &str, &str),
    ) {
        let (status, slug, at) = expected;
        let request =
            || format!("{method} {path} {headers:?} {}", body.chars().take(200).collect::<String>());
        let before = census(&self.stage.dynamodb, &self.stage.prefix).await;
        let answer = self.send(method, path, body, headers).await;
        assert_is_problem(&answer, status, slug, &request());
        if let Some((kind, place)) = at.split_once(':') {
            let error = &answer.body["errors"][0];
            assert_eq!(
                error[kind].as_str().map(str::to_ascii_lowercase),
                Some(place.to_ascii_lowercase()),
                "{} {answer:?}",
                request()
            );
            assert!(
                error["detail"].as_str().is_some_and(|detail| !detail.is_empty()),
                "{} {answer:?}",
                request()
            );
        }
        assert_eq!(
            census(&self.stage.dynamodb, &self.stage.prefix).await,
            before,
            "{} left something behind",
            request()
        );
    }

    /// Asserts that a JSON body is refused.
    async fn refuses_body(&self, method: &str, path: &str, body: &str, expected: (u16, &str, &str)) {
        self.refuses(method, path, body, &[JSON], expected).await;
    }

    async fn refuses_query(&self, path: &str, at: &str) {
        self.refuses("GET", path, "", &[], (400, "invalid-parameter", at)).await;
    }

    async fn refuses_header(&self, method: &str, path: &str, name: &str, value: &str) {
        let at = format!("header:{name}");
        self.refuses(method, path, "", &[(name, value)], (400, "invalid-parameter", &at)).await;
    }
}

/// Asserts that the answer is a complete problem document of this kind.
pub(crate) fn assert_is_problem(answer: &Answer, status: u16, slug: &str, request: &str) {
    assert_eq!(answer.status, status, "{request}: {answer:?}");
    assert_eq!(answer.header("content-type"), "application/problem+json", "{request}: {answer:?}");
    let body = &answer.body;
    assert!(
        body["type"].as_str().is_some_and(|uri| uri.ends_with(&format!("/problems/{slug}"))),
        "{request}: {answer:?}"
    );
    assert_eq!(body["status"], status, "{request}: {answer:?}");
    for field in ["title", "detail"] {
        assert!(
            body[field].as_str().is_some_and(|text| !text.is_empty()),
            "{request}: no {field} in {answer:?}"
        );
    }
    assert_eq!(body["request_id"].as_str(), Some(answer.header("x-request-id")), "{request}: {answer:?}");
    assert!(!answer.header("x-request-id").is_empty(), "{request}: {answer:?}");
}

fn party(changes: Value) -> String {
    let mut party = json!({ "name": "Cleo", "party_size": 2 });
    party.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    party.to_string()
}

fn list(changes: Value) -> String {
    let mut list = json!({ "name": "Terrace", "time_zone": "America/Los_Angeles", "region": "US" });
    list.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    list.to_string()
}
