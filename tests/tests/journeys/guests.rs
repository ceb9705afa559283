//! Guests without an account: the list's id lets them join, and a visit token opens their one visit.

mod apart;
mod refused;
mod tokens;

use serde_json::{Value, json};
use waitlist_tests::stage::{Answer, Owner, Stage, send};

use crate::reads::feed;

/// A list, and requests that guests send to it.
struct Door<'s> {
    stage: &'s Stage,
    owner: Owner<'s>,
    list: String,
}

impl<'s> Door<'s> {
    async fn new(stage: &'s Stage) -> Self {
        let owner = stage.owner();
        let list = json!({ "name": "Main room", "time_zone": "America/Los_Angeles", "region": "US", "quote_minutes": 10 });
        let list = owner.post("/v1/waitlists", list).await.id();
        Self { stage, owner, list }
    }

    fn list(&self) -> String {
        format!("/v1/public/waitlists/{}", self.list)
    }

    fn parties(&self) -> String {
        format!("/v1/public/waitlists/{}/waitees", self.list)
    }

    /// Sends a request without an access token.
    async fn send(&self, method: &str, path: &str, body: Option<&Value>, headers: &[(&str, &str)]) -> Answer {
        send(&self.stage.backend, None, method, path, body, headers).await
    }

    async fn get(&self, path: &str) -> Answer {
        self.send("GET", path, None, &[]).await
    }

    async fn join(&self, body: &Value) -> Guest {
        let joined = self.send("POST", &self.parties(), Some(body), &[]).await;
        assert_eq!(joined.status, 201, "{joined:?}");
        self.stage.backend.clock.advance_millis(1_000);
        Guest {
            id: joined.id(),
            token: joined.body["visit_token"].as_str().unwrap().to_owned(),
            answer: joined,
        }
    }
}

/// A guest who joined by themselves.
struct Guest {
    id: String,
    token: String,
    answer: Answer,
}

impl Guest {
    /// The path of the guest's visit.
    fn visit(&self, action: &str) -> String {
        format!("/v1/public/visits/{}{action}", self.token)
    }
}

fn ana() -> Value {
    json!({ "name": "Ana", "party_size": 4, "phone": "(415) 555-2671", "email": "ana@example.com", "note": "window", "language": "es" })
}

fn party(name: &str) -> Value {
    json!({ "name": name, "party_size": 2 })
}

#[tokio::test]
async fn a_guest_joins_is_called_confirms_and_leaves() {
    let stage = Stage::new().await;
    let door = Door::new(&stage).await;
    door.owner.join(&door.list, "Zoe").await;
    feed(&stage).await;
    let ana = door.join(&ana()).await;
    feed(&stage).await;

    let visit = door.get(&ana.visit("")).await;
    assert_eq!(visit.status, 200, "{visit:?}");
    assert_eq!(
        visit.body,
        json!({
            "waitlist": { "id": door.list, "name": "Main room", "time_zone": "America/Los_Angeles", "language": "en" },
            "state": "waiting", "position": 2, "ahead": 1, "party_size": 4,
            "quoted_at": "2026-11-21T03:10:01.000Z", "hold_until": null, "seq": 1,
        })
    );
    let of_host = format!("/v1/waitees/{}", ana.id);
    let seen = door.owner.get(&of_host).await.body;
    assert_eq!(
        [&seen["name"], &seen["phone"], &seen["joined_by"]],
        [&json!("Ana"), &json!("+14155552671"), &json!("guest")]
    );
    assert_eq!(
        [&seen["email"], &seen["note"], &seen["language"]],
        [&json!("ana@example.com"), &json!("window"), &json!("es")]
    );
    assert_eq!(seen["quoted_minutes"], 10, "the list's own quote");

    door.owner.post(&format!("{of_host}/call"), json!({})).await;
    feed(&stage).await;
    let called = door.get(&ana.visit("")).await.body;
    assert_eq!(
        [&called["state"], &called["hold_until"]],
        [&json!("called"), &json!("2026-11-21T03:10:02.000Z")]
    );
    let confirmed = door.send("POST", &ana.visit("/confirm"), None, &[]).await;
    assert_eq!(
        (confirmed.status, &confirmed.body),
        (200, &json!({ "id": ana.id, "seq": 3, "state": "confirmed" }))
    );
    assert_eq!(
        (confirmed.header("etag"), confirmed.header("sync-token")),
        ("\"3\"", format!("waitee-{}@3", ana.id).as_str())
    );
    let left = door.send("POST", &ana.visit("/leave"), Some(&json!({})), &[("If-Match", "\"3\"")]).await;
    assert_eq!((left.status, &left.body["state"]), (200, &json!("left")));
    feed(&stage).await;
    let gone = door.get(&ana.visit("")).await.body;
    assert_eq!(
        [&gone["state"], &gone["position"], &gone["ahead"]],
        [&json!("left"), &Value::Null, &Value::Null]
    );

    let history = door.owner.get(&format!("{of_host}/history")).await.body;
    let guest = json!(format!("guest:{}", ana.id));
    let by: Vec<_> = history["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|event| (event["type"].as_str().unwrap(), &event["actor"]))
        .collect();
    let host = json!(format!("user:{}", door.owner.id));
    assert_eq!(
        by,
        [
            ("waitee.joined", &guest),
            ("waitee.called", &host),
            ("waitee.confirmed", &guest),
            ("waitee.left", &guest)
        ]
    );
}

#[tokio::test]
async fn the_answer_to_a_join_links_to_the_guests_page_and_must_not_be_cached() {
    let stage = Stage::new().await;
    let door = Door::new(&stage).await;
    let Guest { id, token, answer } = door.join(&party("Ana")).await;
    let url = format!("https://waitlist.example/visit#{token}");
    assert_eq!(
        answer.body,
        json!({ "id": id, "seq": 1, "state": "waiting", "visit_token": token, "status_url": url })
    );
    assert_eq!(answer.header("cache-control"), "no-store");
    assert_eq!(answer.header("sync-token"), format!("waitee-{id}@1"));
    assert!(answer.headers.values().all(|value| !value.to_str().unwrap().contains(&token)), "{answer:?}");
    // The same holds for refusals and for the writes of hosts.
    assert_eq!(
        door.send("POST", &door.parties(), Some(&json!({})), &[]).await.header("cache-control"),
        "no-store"
    );
    assert_eq!(door.owner.post("/v1/waitlists", json!({})).await.header("cache-control"), "no-store");
}

#[tokio::test]
async fn a_repeated_join_with_one_key_takes_effect_once_and_is_answered_again() {
    let stage = Stage::new().await;
    let door = Door::new(&stage).await;
    let key = [("Idempotency-Key", "0d1fb7a4-6c1c-4b57-9f1e-2f6ad2a0c001")];
    let first = door.send("POST", &door.parties(), Some(&ana()), &key).await;
    // The repeat reaches another process, after the guest left and the list closed.
    let token = first.body["visit_token"].as_str().unwrap();
    door.send("POST", &format!("/v1/public/visits/{token}/leave"), None, &[]).await;
    door.owner.post(&format!("/v1/waitlists/{}/close", door.list), json!({})).await;
    let again = send(&stage.another(), None, "POST", &door.parties(), Some(&ana()), &key).await;
    assert_eq!(
        (first.status, &first.body, first.header("etag")),
        (again.status, &again.body, again.header("etag"))
    );
    let other = door.send("POST", &door.parties(), Some(&party("Ben")), &key).await;
    assert_eq!(
        (other.status, other.body["type"].as_str().unwrap().ends_with("/idempotency-key-reused")),
        (422, true),
        "{other:?}"
    );
    let elsewhere = Door::new(&stage).await;
    let theirs = elsewhere.send("POST", &elsewhere.parties(), Some(&ana()), &key).await;
    assert_eq!(theirs.status, 201);
    assert_ne!(theirs.id(), first.id(), "a key belongs to one list");
}

#[tokio::test]
async fn a_guests_repeated_request_takes_effect_once_and_another_with_its_key_is_refused() {
    let stage = Stage::new().await;
    let door = Door::new(&stage).await;
    let ana = door.join(&party("Ana")).await;
    door.owner.post(&format!("/v1/waitees/{}/call", ana.id), json!({})).await;
    let key = [("Idempotency-Key", "0d1fb7a4-6c1c-4b57-9f1e-2f6ad2a0c002")];
    let first = door.send("POST", &ana.visit("/confirm"), None, &key).await;
    door.owner.post(&format!("/v1/waitees/{}/seat", ana.id), json!({})).await;
    let again = door.send("POST", &ana.visit("/confirm"), None, &key).await;
    assert_eq!((first.status, &first.body), (200, &again.body));
    assert_eq!(door.send("POST", &ana.visit("/leave"), None, &key).await.status, 422);
    assert_eq!(
        stage.commits(ana.id.parse::<schema::WaiteeId>().unwrap()).await.len(),
        4,
        "joined, called, confirmed, seated"
    );
}

#[tokio::test]
async fn a_guest_sees_their_own_writes_while_the_feed_is_stopped() {
    let stage = Stage::new().await;
    let door = Door::new(&stage).await;
    let ana = door.join(&party("Ana")).await;
    let seen = async |token: &str| door.send("GET", &ana.visit(""), None, &[("Sync-Token", token)]).await;
    let waiting = seen(ana.answer.header("sync-token")).await.body;
    assert_eq!(
        [&waiting["state"], &waiting["position"], &waiting["ahead"]],
        [&json!("waiting"), &json!(1), &json!(0)]
    );
    let left = door.send("POST", &ana.visit("/leave"), None, &[]).await;
    let gone = seen(left.header("sync-token")).await;
    assert_eq!([&gone.body["state"], &gone.body["position"]], [&json!("left"), &Value::Null]);
    let same = door.send("GET", &ana.visit(""), None, &[("If-None-Match", gone.header("etag"))]).await;
    assert_eq!((same.status, &same.body), (304, &Value::Null));
    let beyond = seen(&format!("waitee-{}@3", ana.id)).await;
    assert_eq!(beyond.status, 400, "{beyond:?}");
}

#[tokio::test]
async fn the_public_list_shows_how_many_wait_and_the_quote_for_the_next_guest() {
    let stage = Stage::new().await;
    let door = Door::new(&stage).await;
    let shown = async || {
        feed(&stage).await;
        stage.backend.clock.advance_millis(1_000); // an answer of the public list is kept for a second
        door.get(&door.list()).await.body
    };
    for waiting in 0..3 {
        let wanted = json!({
            "id": door.list, "name": "Main room", "open": true, "waiting": waiting, "quote_minutes": waiting * 10,
            "time_zone": "America/Los_Angeles", "language": "en", "region": "US",
        });
        assert_eq!(shown().await, wanted);
        let guest = door.join(&party("Ana")).await;
        let seen = door.owner.get(&format!("/v1/waitees/{}", guest.id)).await.body;
        assert_eq!(seen["quoted_minutes"], wanted["quote_minutes"]);
    }
    let settings = |quote: Value| json!({ "quote_minutes": quote });
    let list = format!("/v1/waitlists/{}", door.list);
    for (each, quoted) in [(json!(600), json!(600)), (json!(0), json!(0)), (Value::Null, Value::Null)] {
        door.owner.send("PATCH", &list, Some(&settings(each)), &[]).await;
        assert_eq!(shown().await["quote_minutes"], quoted);
    }
    let closed = door.owner.post(&format!("{list}/close"), json!({})).await;
    let told = door.send("GET", &door.list(), None, &[("Sync-Token", closed.header("sync-token"))]).await;
    assert_eq!((&told.body["open"], &told.body["waiting"]), (&json!(false), &json!(3)));
}
