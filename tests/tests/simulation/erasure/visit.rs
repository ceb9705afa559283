//! A guest whose data a test erases.

use infra::vault::{Subject, VaultError};
use schema::{StreamId, WaiteeId, WaitlistId};
use serde_json::{Value, json};
use waitlist_tests::{
    past::walk,
    stage::{Owner, Stage},
};

use super::{DELIVERIES_MAX, is_tombstone, kinds};

/// Requests of hosts about a visit.
pub(super) const REQUESTS: [(&str, &str, &str); 8] = [
    ("POST", "/call", "{}"),
    ("POST", "/confirm", "{}"),
    ("POST", "/seat", r#"{"reason": "the window table"}"#),
    ("POST", "/leave", r#"{"reason": "too long"}"#),
    ("POST", "/restore", r#"{"reason": "came back"}"#),
    ("POST", "/no-show", "{}"),
    ("PATCH", "", r#"{"name": "Benedikt", "note": "by the window"}"#),
    ("PATCH", "", r#"{"party_size": 5, "phone": "(415) 555-2671"}"#),
];

/// A party that joined with an idempotency key.
pub(super) struct Visit<'o> {
    owner: &'o Owner<'o>,
    list: &'o str,
    key: String,
    pub(super) id: WaiteeId,
}

impl<'o> Visit<'o> {
    pub(super) async fn begin(owner: &'o Owner<'o>, list: &'o str) -> Self {
        let key = data_encoding::HEXLOWER.encode(&infra::clock::random::<16>());
        let mut visit = Self { owner, list, key, id: WaiteeId(uuid::Uuid::nil()) };
        let joined = visit.join().await;
        assert_eq!(joined.0, 201, "{joined:?}");
        visit.id = joined.1["id"].as_str().unwrap().parse().unwrap();
        visit
    }

    pub(super) fn stream(&self) -> StreamId {
        self.id.into()
    }

    pub(super) fn subject(&self) -> Subject {
        Subject::Guest { account: self.owner.id, guest: self.id }
    }

    async fn join(&self) -> (u16, Value) {
        let body = json!({ "name": "Ana", "party_size": 2, "phone": "(415) 555-2671", "email": "ana@example.com", "note": "high chair" });
        let path = format!("/v1/waitlists/{}/waitees", self.list);
        let answer = self.owner.send("POST", &path, Some(&body), &[("Idempotency-Key", &self.key)]).await;
        (answer.status, answer.body)
    }

    /// Repeats the join. It is answered as before, or refused because the guest was forgotten.
    pub(super) async fn join_again(&self) {
        let (status, body) = self.join().await;
        assert!(status == 201 || body["type"].as_str().unwrap().ends_with("/erased"), "{status}: {body}");
    }

    /// Sends a host's request, which may lose its race.
    pub(super) async fn send_request(&self, request: usize) -> Value {
        let (method, what, body) = REQUESTS[request];
        let body: Value = serde_json::from_str(body).unwrap();
        let answer =
            self.owner.send(method, &format!("/v1/waitees/{}{what}", self.id), Some(&body), &[]).await;
        assert!(answer.status < 300 || answer.status == 409, "{answer:?}");
        answer.body
    }

    /// Asks for the erasure, and again while other requests win the race.
    pub(super) async fn erase(&self) {
        let path = format!("/v1/waitees/{}/erase", self.id);
        for _ in 0..DELIVERIES_MAX {
            let answer = self.owner.post(&path, json!({})).await;
            if answer.status == 202 {
                assert_eq!(answer.body, json!({ "status": "erasing" }));
                return;
            }
            assert!(answer.body["type"].as_str().unwrap().ends_with("/conflict"), "{answer:?}");
        }
        panic!("the erasure lost every race");
    }

    /// Asserts that the guest was forgotten once and stays so.
    pub(super) async fn judge(&self, stage: &Stage) {
        let commits = stage.commits(self.id).await;
        walk(&commits).unwrap();
        let kinds = kinds(&commits);
        let erased = kinds.iter().position(|kind| kind == "waitee.erased").unwrap();
        assert_eq!(kinds[erased..], ["waitee.erased", "waitee.forgotten"], "{kinds:?}");
        assert_eq!(commits.last().unwrap().actor.to_string(), "system:eraser");
        assert_eq!(commits.last().unwrap().causation, Some(format!("{}@{}", self.stream(), erased + 1)));
        assert!(is_tombstone(stage, self.subject()).await);
        let vault = stage.another().vault;
        assert!(vault.key(self.subject()).await.unwrap().is_none());
        assert!(matches!(vault.create(self.subject()).await, Err(VaultError::Erased { .. })));
        for request in 0..REQUESTS.len() {
            assert!(self.send_request(request).await["type"].as_str().unwrap().ends_with("/erased"));
        }
        self.join_again().await;
        self.erase().await;
        assert_eq!(stage.commits(self.id).await, commits);
        assert!(is_tombstone(stage, self.subject()).await);

        let list: WaitlistId = self.list.parse().unwrap();
        stage.project(list).await;
        stage.project(self.id).await;
        let (shown, history) =
            (format!("/v1/waitees/{}", self.id), format!("/v1/waitees/{}/history", self.id));
        let (shown, history) = (self.owner.get(&shown).await, self.owner.get(&history).await);
        for (field, value) in
            [("erased", json!(true)), ("name", Value::Null), ("phone", Value::Null), ("note", Value::Null)]
        {
            assert_eq!(shown.body[field], value, "{shown:?}");
        }
        assert_eq!(history.body["verified"], json!({ "ok": true, "seq": null, "why": null }));
        assert_eq!(history.body["items"][0]["data"]["name"], Value::Null, "{history:?}");
    }
}
