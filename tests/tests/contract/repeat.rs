//! Repeated commands: the same key and request get the same answer and take effect once.

use futures::future::join;
use schema::{StreamId, WaiteeId};
use serde_json::json;
use waitlist_tests::stage::{Answer, Owner, Stage};

const KEY: (&str, &str) = ("Idempotency-Key", "9f0c-1");

#[tokio::test]
async fn a_repeat_gets_the_first_answer_also_after_other_commands() {
    let stage = Stage::new().await;
    let owner = stage.owner();
    let list = owner.list("Main room").await;
    let ana = owner.join(&list, "Ana").await;
    let call = format!("/v1/waitees/{ana}/call");

    let first = owner.send("POST", &call, Some(&json!({})), &[KEY]).await;
    assert_eq!((first.status, &first.body), (202, &json!({ "id": ana, "seq": 2, "state": "called" })));
    assert_eq!(owner.post(&format!("/v1/waitees/{ana}/confirm"), json!({})).await.status, 200);
    assert_eq!(
        owner.post(&format!("/v1/waitees/{ana}/seat"), json!({ "reason": "window" })).await.status,
        200
    );
    stage.backend.clock.advance_millis(3_600_000);

    is_same(&owner.send("POST", &call, Some(&json!({})), &[KEY]).await, &first);
    assert_eq!(stage.commits(visit(&ana)).await.len(), 4);
}

#[tokio::test]
async fn a_key_is_refused_for_another_request() {
    let stage = Stage::new().await;
    let owner = stage.owner();
    let list = owner.list("Main room").await;
    let ana = owner.join(&list, "Ana").await;
    let of_ana = |what: &str| format!("/v1/waitees/{ana}{what}");
    assert_eq!(
        owner.send("POST", &of_ana("/leave"), Some(&json!({ "reason": "too long" })), &[KEY]).await.status,
        200
    );

    reused(&owner.send("POST", &of_ana("/leave"), Some(&json!({ "reason": "too loud" })), &[KEY]).await);
    reused(&owner.send("POST", &of_ana("/seat"), Some(&json!({ "reason": "too long" })), &[KEY]).await);
    reused(&owner.send("PATCH", &of_ana(""), Some(&json!({ "party_size": 3 })), &[KEY]).await);
    assert_eq!(stage.commits(visit(&ana)).await.len(), 2);
}

#[tokio::test]
async fn a_key_is_independent_on_each_stream() {
    let stage = Stage::new().await;
    let owner = stage.owner();
    let list = owner.list("Main room").await;
    for name in ["Ana", "Ben"] {
        let party = owner.join(&list, name).await;
        let called = owner.send("POST", &format!("/v1/waitees/{party}/call"), Some(&json!({})), &[KEY]).await;
        assert_eq!((called.status, &called.body["seq"]), (202, &json!(2)), "{called:?}");
    }
    let closed = owner.send("POST", &format!("/v1/waitlists/{list}/close"), None, &[KEY]).await;
    assert_eq!((closed.status, &closed.body["seq"]), (200, &json!(2)));
}

#[tokio::test]
async fn creations_with_one_key_get_one_id() {
    let stage = Stage::new().await;
    let owner = stage.owner();
    let body = json!({ "name": "Main room", "time_zone": "America/Los_Angeles", "region": "US" });
    let list = owner.send("POST", "/v1/waitlists", Some(&body), &[KEY]).await;
    assert_eq!(list.status, 201, "{list:?}");
    is_same(&owner.send("POST", "/v1/waitlists", Some(&body), &[KEY]).await, &list);
    reused(
        &owner
            .send(
                "POST",
                "/v1/waitlists",
                Some(&json!({ "name": "Patio", "time_zone": "UTC", "region": "US" })),
                &[KEY],
            )
            .await,
    );

    let joined = join_with_key(&owner, &list.id(), "Ana").await;
    assert_eq!(joined.status, 201, "{joined:?}");
    is_same(&join_with_key(&owner, &list.id(), "Ana").await, &joined);
    reused(&join_with_key(&owner, &list.id(), "Ben").await);
    assert_eq!(stage.commits(visit(&joined.id())).await.len(), 1);

    let other_list = owner.list("Patio").await;
    let elsewhere = join_with_key(&owner, &other_list, "Ana").await;
    assert_ne!(elsewhere.id(), joined.id(), "the id depends on the path");
    let stranger = stage.owner();
    let theirs = stranger.send("POST", "/v1/waitlists", Some(&body), &[KEY]).await;
    assert_ne!(theirs.id(), list.id(), "the id depends on the account");
}

#[tokio::test]
async fn two_concurrent_requests_with_one_key_take_effect_once() {
    let stage = Stage::new().await;
    let owner = stage.owner();
    let list = owner.list("Main room").await;
    for round in 0..10 {
        let keys = ["join", "call"].map(|what| format!("{what}-{round}"));
        let [join_key, call_key] = keys.each_ref().map(|key| [("Idempotency-Key", key.as_str())]);
        let (path, body) =
            (format!("/v1/waitlists/{list}/waitees"), json!({ "name": "Ana", "party_size": 2 }));
        let send = || owner.send("POST", &path, Some(&body), &join_key);
        let (one, other) = join(send(), send()).await;
        assert_eq!(one.status, 201, "{one:?}");
        is_same(&one, &other);

        let call = format!("/v1/waitees/{}/call", one.id());
        let send = || owner.send("POST", &call, None, &call_key);
        let (one, other) = join(send(), send()).await;
        assert_eq!(one.status, 202, "{one:?}");
        is_same(&one, &other);
        assert_eq!(stage.commits(visit(&one.id())).await.len(), 2);
    }
}

#[tokio::test]
async fn a_repeated_join_is_answered_as_before_even_after_the_list_changed() {
    let stage = Stage::new().await;
    let owner = stage.owner();
    let body =
        json!({ "name": "Counter", "time_zone": "America/Los_Angeles", "region": "US", "capacity": 1 });
    let list = owner.post("/v1/waitlists", body).await.id();
    let of_list = |what: &str| format!("/v1/waitlists/{list}{what}");
    let ana = json!({ "name": "Ana", "party_size": 2, "phone": "(415) 555-2671" });
    let again = async || owner.send("POST", &of_list("/waitees"), Some(&ana), &[KEY]).await;
    let joined = again().await;
    assert_eq!(joined.status, 201, "{joined:?}");
    stage.project(visit(&joined.id())).await;

    let refused = owner.post(&of_list("/waitees"), ana.clone()).await;
    assert_eq!((refused.status, slug(&refused)), (409, "waitlist-full".into()), "{refused:?}");
    is_same(&again().await, &joined);

    assert_eq!(owner.post(&of_list("/close"), json!({})).await.status, 200);
    is_same(&again().await, &joined);

    // The number is not valid in Germany.
    assert_eq!(owner.send("PATCH", &of_list(""), Some(&json!({ "region": "DE" })), &[]).await.status, 200);
    is_same(&again().await, &joined);

    assert_eq!(owner.post(&format!("/v1/waitees/{}/seat", joined.id()), json!({})).await.status, 200);
    stage.project(visit(&joined.id())).await;
    assert_eq!(owner.send("DELETE", &of_list(""), None, &[]).await.status, 204);
    is_same(&again().await, &joined);
    assert_eq!(owner.post(&of_list("/waitees"), ana.clone()).await.status, 404, "no new party can join");
}

#[tokio::test]
async fn a_refused_command_is_not_remembered() {
    let stage = Stage::new().await;
    let owner = stage.owner();
    let list = owner.list("Main room").await;
    let close = |what: &str| format!("/v1/waitlists/{list}/{what}");
    assert_eq!(owner.post(&close("close"), json!({})).await.status, 200);
    let refused = join_with_key(&owner, &list, "Ana").await;
    assert_eq!((refused.status, slug(&refused)), (409, "waitlist-closed".into()));
    assert_eq!(owner.post(&close("open"), json!({})).await.status, 200);
    assert_eq!(
        join_with_key(&owner, &list, "Ben").await.status,
        201,
        "a refused command does not bind the key"
    );
}

#[tokio::test]
async fn if_match_accepts_the_etag_of_a_write_or_a_read_and_refuses_a_stale_one() {
    let stage = Stage::new().await;
    let owner = stage.owner();
    let list = owner.list("Main room").await;
    let ana = owner.join(&list, "Ana").await;
    let of_ana = |what: &str| format!("/v1/waitees/{ana}{what}");
    let read = owner.get(&of_ana("")).await;
    let (etag, at_one) = (read.header("etag").to_owned(), ("If-Match", "\"1\""));
    assert!(etag.starts_with("\"1."), "{etag}");

    let called = owner.send("POST", &of_ana("/call"), None, &[("If-Match", &etag), KEY]).await;
    assert_eq!(called.status, 202, "{called:?}");
    for stale in [at_one, ("If-Match", etag.as_str()), ("If-Match", "\"3\"")] {
        let refused = owner.send("POST", &of_ana("/seat"), None, &[stale]).await;
        assert_eq!((refused.status, slug(&refused)), (412, "precondition-failed".into()), "{refused:?}");
    }
    // A repeated command is answered as before, even if its expected state is stale by now.
    is_same(&owner.send("POST", &of_ana("/call"), None, &[at_one, KEY]).await, &called);

    let seated = owner.send("POST", &of_ana("/seat"), None, &[("If-Match", called.header("etag"))]).await;
    assert_eq!((seated.status, seated.header("etag")), (200, "\"3\""));
    let weak = owner.send("POST", &of_ana("/restore"), None, &[("If-Match", "3")]).await;
    assert_eq!((weak.status, slug(&weak)), (400, "invalid-parameter".into()), "a malformed ETag is refused");
}

async fn join_with_key(owner: &Owner<'_>, list: &str, name: &str) -> Answer {
    owner
        .send(
            "POST",
            &format!("/v1/waitlists/{list}/waitees"),
            Some(&json!({ "name": name, "party_size": 2 })),
            &[KEY],
        )
        .await
}

fn is_same(again: &Answer, first: &Answer) {
    assert_eq!((again.status, &again.body), (first.status, &first.body));
    for header in ["etag", "sync-token", "location"] {
        assert_eq!(again.header(header), first.header(header), "{header}");
    }
}

fn reused(answer: &Answer) {
    assert_eq!((answer.status, slug(answer)), (422, "idempotency-key-reused".into()), "{answer:?}");
}

fn slug(answer: &Answer) -> String {
    answer.body["type"].as_str().and_then(|kind| kind.rsplit('/').next()).unwrap_or_default().to_owned()
}

fn visit(id: &str) -> StreamId {
    id.parse::<WaiteeId>().unwrap().into()
}
