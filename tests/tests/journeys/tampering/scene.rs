//! A visit whose stored commits are altered, and the reads that must find it.

use aws_sdk_dynamodb::types::AttributeValue;
use infra::log::Item;
use projections::verify;
use schema::{StreamId, WaiteeId, commit::Author, table::EVENTS};
use serde_json::{Value, json};
use waitlist_tests::{
    past::{author, called, next},
    stage::{Owner, Stage},
};

/// A visit of four commits: it was joined, called twice in one commit, confirmed and seated.
pub(super) struct Scene<'s> {
    pub(super) stage: &'s Stage,
    pub(super) owner: Owner<'s>,
    pub(super) visit: StreamId,
    list: String,
}

impl<'s> Scene<'s> {
    pub(super) async fn new(stage: &'s Stage) -> Self {
        let owner = stage.owner();
        let list = owner.list("Main room").await;
        let id: WaiteeId = owner.join(&list, "Ana").await.parse().unwrap();
        let scene = Self { stage, owner, visit: id.into(), list };
        let joined = stage.commits(id).await.remove(0);
        stage.put_past(&[next(scene.visit, &joined.tail(), &scene.author(), &[called(), called()])]).await;
        for action in ["confirm", "seat"] {
            let done = owner.post(&format!("/v1/waitees/{id}/{action}"), json!({})).await;
            assert_eq!(done.status, 200, "{done:?}");
        }
        stage.project(id).await;
        scene
    }

    pub(super) fn author(&self) -> Author {
        Author { tenant: self.owner.id, ..author() }
    }

    pub(super) async fn item(&self, seq: u64) -> Item {
        self.stage.item(self.visit, seq).await
    }

    pub(super) async fn put(&self, item: Item) {
        let put = self.stage.dynamodb.put_item().table_name(EVENTS.name(&self.stage.prefix));
        put.set_item(Some(item)).send().await.unwrap();
    }

    /// Removes a commit, and returns its item.
    pub(super) async fn remove(&self, seq: u64) -> Item {
        let item = self.item(seq).await;
        self.remove_key(&seq.to_string()).await;
        item
    }

    pub(super) async fn remove_key(&self, seq: &str) {
        let delete = self.stage.dynamodb.delete_item().table_name(EVENTS.name(&self.stage.prefix));
        let delete = delete
            .key("stream", AttributeValue::S(self.visit.to_string()))
            .key("seq", AttributeValue::N(seq.to_owned()));
        delete.send().await.unwrap();
    }

    /// A page of the visit's history, which is always answered.
    pub(super) async fn history(&self, query: &str) -> Value {
        let answer = self.owner.get(&format!("/v1/waitees/{}/history{query}", self.visit.id)).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.body
    }

    /// The state of the chain on the last of pages of one event each.
    async fn on_last_page(&self) -> Value {
        const PAGES_MAX: usize = 20;
        let mut page = self.history("?limit=1").await;
        for _ in 0..PAGES_MAX {
            match page["next"].as_str() {
                Some(next) => page = self.history(&format!("?limit=1&cursor={next}")).await,
                None => return page["verified"].clone(),
            }
        }
        panic!("more than {PAGES_MAX} pages");
    }

    pub(super) async fn assert_intact(&self) {
        let ok = json!({ "ok": true, "seq": null, "why": null });
        assert_eq!(self.history("").await["verified"], ok);
        assert_eq!(self.on_last_page().await, ok);
        for query in self.queries() {
            let verification = self.verify(&query).await;
            assert_eq!(
                (&verification["ok"], &verification["first_bad"]),
                (&json!(true), &Value::Null),
                "{query}"
            );
        }
        assert_eq!(verify::all(&self.stage.backend, 2, |_| ()).await.unwrap().bad, []);
    }

    /// Verifications that cover the visit.
    fn queries(&self) -> [String; 3] {
        [format!("?stream={}", self.visit), format!("?waitlist={}", self.list), String::new()]
    }

    /// The only page of a verification.
    async fn verify(&self, query: &str) -> Value {
        let answer = self.owner.get(&format!("/v1/audit/verify{query}")).await;
        assert_eq!((answer.status, &answer.body["next"]), (200, &Value::Null), "{query}: {answer:?}");
        answer.body
    }

    /// Asserts that a break is found at the commit with this number. Returns its reason.
    pub(super) async fn assert_broken(&self, seq: u64) -> String {
        let verified = self.history("").await["verified"].clone();
        assert_eq!(
            (&verified["ok"], verified["seq"].as_u64()),
            (&Value::Bool(false), Some(seq)),
            "{verified}"
        );
        assert_eq!(self.on_last_page().await, verified);
        let bad = json!({ "stream": self.visit.to_string(), "seq": seq, "why": verified["why"] });
        let is_gone = self.stage.backend.log.raw_latest(self.visit).await.unwrap().is_none();
        for query in self.queries().into_iter().take(if is_gone { 2 } else { 3 }) {
            let verification = self.verify(&query).await;
            assert_eq!((&verification["ok"], &verification["first_bad"]), (&json!(false), &bad), "{query}");
        }
        let report = verify::all(&self.stage.backend, 2, |_| ()).await.unwrap();
        assert_eq!(json!(report.bad), json!([bad]));
        let report = verify::one(&self.stage.backend, self.visit).await.unwrap().unwrap();
        assert_eq!(json!(report.bad), json!([bad]));
        verified["why"].as_str().unwrap().to_owned()
    }

    /// As [`Scene::assert_broken`], with this reason.
    pub(super) async fn assert_found(&self, seq: u64, why: &str) {
        assert_eq!(self.assert_broken(seq).await, why, "at {seq}");
    }
}
