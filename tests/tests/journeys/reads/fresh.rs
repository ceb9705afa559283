//! A read with a Sync-Token shows that write, in every state of the feed.

use schema::StreamId;
use serde_json::{Value, json};
use waitlist_tests::stage::{Answer, Owner, Stage};

use super::{feed, ring};

/// The state of the feed while a host works.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Feed {
    Stopped,
    /// Projects every write before the next one.
    Running,
    /// Projects every write after the next one.
    Behind,
}

/// A host who reads after every write, with the Sync-Tokens of all writes.
struct Host<'s> {
    stage: &'s Stage,
    owner: Owner<'s>,
    feed: Feed,
    tokens: Vec<String>,
}

impl Host<'_> {
    async fn write(&mut self, method: &str, path: &str, body: Value) -> Answer {
        let body = Some(&body).filter(|body| !body.is_null());
        let answer = self.owner.send(method, path, body, &[]).await;
        assert!(answer.status < 300, "{:?} {method} {path}: {answer:?}", self.feed);
        let token = answer.header("sync-token").to_owned();
        let newest = if self.feed == Feed::Running {
            Some(&token)
        } else {
            self.tokens.last().filter(|_| self.feed == Feed::Behind)
        };
        if let Some((stream, seq)) = newest.and_then(|token| token.split_once('@')) {
            ring(&self.stage.backend, stream.parse::<StreamId>().unwrap(), seq.parse().unwrap()).await;
        }
        let stream = token.split('@').next().unwrap().to_owned();
        self.tokens.retain(|known| !known.starts_with(&stream));
        self.tokens.push(token);
        answer
    }

    async fn read(&self, path: &str) -> Answer {
        self.owner.send("GET", path, None, &[("Sync-Token", &self.tokens.join(","))]).await
    }

    /// Returns one field of each item.
    async fn column(&self, path: &str, field: &str) -> Vec<Value> {
        let page = self.read(path).await;
        assert_eq!(page.status, 200, "{:?} {path}: {page:?}", self.feed);
        page.body["items"].as_array().unwrap().iter().map(|entry| entry[field].clone()).collect()
    }
}

async fn an_evening(feed: Feed) {
    let stage = Stage::new().await;
    let mut host = Host { stage: &stage, owner: stage.owner(), feed, tokens: Vec::new() };
    let list = json!({ "name": "Main room", "time_zone": "America/Los_Angeles", "region": "US" });
    let list = host.write("POST", "/v1/waitlists", list).await.id();
    let path = format!("/v1/waitlists/{list}");
    let (board, day) = (format!("{path}/waitees"), format!("{path}/waitees?day=2026-11-20"));
    assert_eq!(host.column("/v1/waitlists", "name").await, ["Main room"], "{feed:?}");

    let mut ids = Vec::new();
    for name in ["Ana", "Ben", "Cleo"] {
        let id = host.write("POST", &board, json!({ "name": name, "party_size": 2 })).await.id();
        stage.backend.clock.advance_millis(1_000);
        assert_eq!(host.read(&format!("/v1/waitees/{id}")).await.body["position"], ids.len() + 1, "{feed:?}");
        ids.push(id);
    }
    assert_eq!(host.column(&board, "name").await, ["Ana", "Ben", "Cleo"], "{feed:?}");
    assert_eq!(host.column(&day, "name").await, ["Ana", "Ben", "Cleo"], "{feed:?}");
    assert_eq!(host.read(&path).await.body["active"], 3, "{feed:?}");

    let of = |at: usize, action: &str| format!("/v1/waitees/{}{action}", ids[at]);
    host.write("POST", &of(0, "/call"), Value::Null).await;
    assert_eq!(host.read(&of(0, "")).await.body["state"], "called", "{feed:?}");
    assert_eq!(host.column(&board, "state").await, ["called", "waiting", "waiting"], "{feed:?}");
    assert_eq!(host.column(&day, "calls").await, [1, 0, 0], "{feed:?}");

    host.write("PATCH", &of(1, ""), json!({ "name": "Benjamin", "note": "window" })).await;
    assert_eq!(host.column(&board, "name").await, ["Ana", "Benjamin", "Cleo"], "{feed:?}");
    host.write("POST", &of(2, "/move"), json!({ "before": ids[0] })).await;
    assert_eq!(host.column(&board, "name").await, ["Cleo", "Ana", "Benjamin"], "{feed:?}");
    assert_eq!(host.read(&of(2, "")).await.body["position"], 1, "{feed:?}");

    host.write("POST", &of(0, "/seat"), Value::Null).await;
    assert_eq!(host.column(&board, "name").await, ["Cleo", "Benjamin"], "{feed:?}");
    assert_eq!(host.column(&day, "state").await, ["seated", "waiting", "waiting"], "{feed:?}");
    host.write("POST", &of(0, "/restore"), Value::Null).await;
    assert_eq!(host.column(&board, "name").await, ["Cleo", "Ana", "Benjamin"], "{feed:?}");

    host.write("PATCH", &path, json!({ "name": "Terrace" })).await;
    assert_eq!(host.column("/v1/waitlists", "name").await, ["Terrace"], "{feed:?}");
    host.write("POST", &format!("{path}/close"), Value::Null).await;
    assert_eq!(host.read(&path).await.body["open"], false, "{feed:?}");
    let refused = host.owner.post(&board, json!({ "name": "Dan", "party_size": 2 })).await;
    assert_eq!(
        (refused.status, refused.body["type"].as_str().unwrap().ends_with("/waitlist-closed")),
        (409, true),
        "{feed:?}"
    );

    for at in [0, 1, 2] {
        host.write("POST", &of(at, "/leave"), Value::Null).await;
    }
    if feed == Feed::Behind {
        super::feed(&stage).await; // the deletion checks the rows for parties
    }
    host.write("DELETE", &path, Value::Null).await;
    assert_eq!(host.column("/v1/waitlists", "name").await, Vec::<Value>::new(), "{feed:?}");
    for gone in [&path, &board, &day, &of(0, "")] {
        assert_eq!(host.read(gone).await.status, 404, "{feed:?} {gone}");
    }
    assert_eq!(
        host.read(&format!("{path}/history")).await.status,
        200,
        "{feed:?}: the history can still be read"
    );
}

#[tokio::test]
async fn reads_show_every_named_write_while_the_feed_is_stopped() {
    an_evening(Feed::Stopped).await;
}

#[tokio::test]
async fn reads_show_every_named_write_while_the_feed_is_running() {
    an_evening(Feed::Running).await;
}

#[tokio::test]
async fn reads_show_every_named_write_while_the_feed_is_one_write_behind() {
    an_evening(Feed::Behind).await;
}

#[tokio::test]
async fn a_new_id_is_found_even_without_a_sync_token() {
    let stage = Stage::new().await;
    let owner = stage.owner();
    let list = owner.list("Main room").await;
    let ana = owner.join(&list, "Ana").await;
    for path in [
        format!("/v1/waitlists/{list}"),
        format!("/v1/waitlists/{list}/waitees"),
        format!("/v1/waitees/{ana}"),
    ] {
        assert_eq!(owner.get(&path).await.status, 200, "{path}");
    }
}

#[tokio::test]
async fn a_full_list_refuses_parties_until_a_row_shows_that_one_left() {
    let stage = Stage::new().await;
    let owner = stage.owner();
    let small = json!({ "name": "Bar", "time_zone": "America/Los_Angeles", "region": "US", "capacity": 2 });
    let parties = format!("/v1/waitlists/{}/waitees", owner.post("/v1/waitlists", small).await.id());
    let join = async |name: &str| owner.post(&parties, json!({ "name": name, "party_size": 2 })).await;
    let ana = join("Ana").await.id();
    assert_eq!(join("Ben").await.status, 201);
    feed(&stage).await;
    let refused = join("Cleo").await;
    assert_eq!(
        (refused.status, refused.body["type"].as_str().unwrap().ends_with("/waitlist-full")),
        (409, true),
        "{refused:?}"
    );
    owner.post(&format!("/v1/waitees/{ana}/seat"), json!({})).await;
    feed(&stage).await;
    assert_eq!(join("Cleo").await.status, 201);
}
