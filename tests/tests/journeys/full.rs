//! Streams with the most events that they accept.

use schema::{
    Commit, StreamId, WaiteeId, WaitlistId,
    commit::{Author, Tail},
    user, waitee, waitlist,
};
use serde_json::{Value, json};
use waitlist_tests::{
    delivery::Post,
    past::{author, next},
    stage::{Answer, Owner, Stage},
};

use crate::bad_input::assert_is_problem;

async fn patch(owner: &Owner<'_>, path: &str, body: Value) -> Answer {
    owner.send("PATCH", path, Some(&body), &[]).await
}

fn assert_full(answer: &Answer, what: &str) {
    assert_is_problem(answer, 409, "history-full", what);
}

/// Makes a visit of 499 events: it was moved up and down.
async fn almost_full(stage: &Stage, owner: &Owner<'_>, list: &str) -> WaiteeId {
    let party = json!({ "name": "Ana", "party_size": 2, "phone": "(415) 555-2671" });
    let joined = owner.post(&format!("/v1/waitlists/{list}/waitees"), party).await;
    let id: WaiteeId = joined.id().parse().unwrap();
    let author = Author { tenant: owner.id, ..author() };
    let tail = stage.commits(id).await[0].tail();
    let moved = waitee::Event::Moved { rank: schema::Rank::joining(stage.backend.clock.now()), reason: None };
    let mut commits: Vec<Commit> = Vec::new();
    for events in [200, 200, 98] {
        let tail = commits.last().map_or(tail, Commit::tail);
        commits.push(next(id.into(), &tail, &author, &vec![moved.clone(); events]));
    }
    stage.put_past(&commits).await;
    id
}

#[tokio::test]
async fn a_full_visit_can_only_be_ended_or_erased_and_still_records_its_messages() {
    let stage = Stage::new().await;
    let (owner, post) = (stage.confirmed().await, Post::new(&stage));
    let list = owner.list_with(json!({ "hold_minutes": 10, "remind_minutes": 3 })).await;
    for end in ["seat", "erase"] {
        let id = almost_full(&stage, &owner, &list).await;
        let path = format!("/v1/waitees/{id}");
        let does = async |what: &str| owner.post(&format!("{path}/{what}"), json!({})).await;
        let called = does("call").await;
        assert_eq!((called.status, called.header("etag")), (202, "\"500\""), "{called:?}");
        assert_full(&patch(&owner, &path, json!({ "party_size": 3 })).await, "a change");
        for what in ["call", "confirm", "restore"] {
            assert_full(&does(what).await, what);
        }
        assert_eq!(patch(&owner, &path, json!({ "party_size": 2 })).await.status, 200, "nothing to change");
        post.deliver(&stage).attend(id.into()).await.unwrap();
        assert_eq!(post.sent_about(id).len(), 1);
        assert_eq!(stage.commits(id).await.last().unwrap().last, 502, "lease and outcome");
        let ended = does(end).await;
        assert!(ended.status < 300, "{end}: {ended:?}");
        if end == "seat" {
            assert_full(&does("restore").await, "restore");
            assert_eq!(does("erase").await.status, 202);
        }
        reactors::erasure::forget(&stage.backend, id.into()).await.unwrap();
    }
}

#[tokio::test]
async fn a_full_list_can_only_be_closed_and_deleted_and_its_creation_is_still_answered() {
    let stage = Stage::new().await;
    let owner = stage.owner();
    let body = json!({ "name": "Main room", "time_zone": "America/Los_Angeles", "region": "US" });
    let key = [("Idempotency-Key", "a-key")];
    let create = async || owner.send("POST", "/v1/waitlists", Some(&body), &key).await;
    let made = create().await;
    let stream: StreamId = made.id().parse::<WaitlistId>().unwrap().into();
    let path = format!("/v1/waitlists/{}", stream.id);
    let first = stage.commits(stream).await.remove(0);
    let state = first.facts::<waitlist::Event>().unwrap()[0].event.state().clone();
    let author = Author { tenant: owner.id, ..author() };
    let tail = Tail { seq: 9_998, ..first.tail() };
    let late = next(stream, &tail, &author, &[waitlist::Event::SettingsChanged(state)]);
    stage.put_past(&[late]).await;

    assert_eq!(patch(&owner, &path, json!({ "quote_minutes": 5 })).await.header("etag"), "\"10000\"");
    assert_full(&patch(&owner, &path, json!({ "quote_minutes": 6 })).await, "a change");
    assert_eq!(owner.post(&format!("{path}/close"), json!({})).await.status, 200);
    assert_full(&owner.post(&format!("{path}/open"), json!({})).await, "open");
    let again = create().await;
    assert_eq!((again.status, again.body), (201, made.body));
    assert_eq!(owner.send("DELETE", &path, None, &[]).await.status, 204);
}

#[tokio::test]
async fn a_full_account_can_still_be_erased() {
    let stage = Stage::new().await;
    let owner = stage.registered().await;
    let tail = stage.commits(owner.id).await.last().unwrap().tail();
    let author = Author { tenant: owner.id, ..author() };
    let confirmed = vec![user::Event::EmailConfirmed {}; 999];
    let many = next(owner.id.into(), &tail, &author, &confirmed);
    stage.put_past(&[many]).await;
    assert_full(&patch(&owner, "/v1/me", json!({ "name": "Another" })).await, "a name");
    let body = json!({ "current_password": waitlist_tests::account::PASSWORD });
    assert_eq!(owner.post("/v1/me/erase", body).await.status, 202);
}

#[tokio::test]
async fn a_history_is_complete_over_its_pages_and_names_the_broken_link_of_its_chain() {
    let stage = Stage::new().await;
    let owner = stage.owner();
    let list = owner.list("Main room").await;
    let id: WaiteeId = owner.join(&list, "Ana").await.parse().unwrap();
    for what in ["call", "confirm", "restore", "call", "seat", "restore"] {
        owner.post(&format!("/v1/waitees/{id}/{what}"), json!({})).await;
    }
    owner.post(&format!("/v1/waitees/{id}/erase"), json!({})).await; // two events in one commit
    let whole = owner.get(&format!("/v1/waitees/{id}/history")).await.body;
    let events = whole["items"].as_array().unwrap().len();
    assert!(events >= 9 && whole["next"].is_null(), "{whole}");
    for broken_at in [None, Some(4)] {
        if let Some(seq) = broken_at {
            stage.overwrite(id, seq, "correlation", "altered").await;
        }
        for limit in [1, 2, 3, 4, events - 1, events] {
            let (mut items, mut cursor) = (Vec::new(), String::new());
            loop {
                let page = owner.get(&format!("/v1/waitees/{id}/history?limit={limit}{cursor}")).await;
                assert_eq!(page.status, 200, "{page:?}");
                let shown = page.body["items"].as_array().unwrap().clone();
                assert!((1..=limit).contains(&shown.len()), "{page:?}");
                assert!(
                    shown.iter().all(|event| event["data"]["name"].is_null()),
                    "names are erased on every page"
                );
                items.extend(shown);
                let seen = items.len() as u64;
                let verified = &page.body["verified"];
                match broken_at.filter(|seq| *seq <= seen) {
                    Some(seq) => {
                        assert_eq!((&verified["ok"], &verified["seq"]), (&json!(false), &json!(seq)))
                    }
                    None if broken_at.is_none() => assert_eq!(verified["ok"], json!(true), "{page:?}"),
                    None => {} // the altered commit may have been read with this page
                }
                let Some(next) = page.body["next"].as_str() else { break };
                cursor = format!("&cursor={next}");
            }
            assert_eq!(items.len(), events, "by {limit}");
            if broken_at.is_none() {
                assert_eq!(json!(items), whole["items"], "by {limit}");
            }
        }
    }
}
