//! Requests repeated late with their key get their first answer, even after the list has changed.

use serde_json::{Value, json};
use waitlist_tests::stage::{Answer, Owner, Stage, send};

use crate::{raw::census, reads::feed};

const KEYED: [(&str, &str); 1] = [("Idempotency-Key", "a-key")];

/// Returns the parts of an answer that a repeat must have as well.
fn kept(answer: &Answer) -> (u16, Value, String, String, String) {
    let header = |name| answer.header(name).to_owned();
    (answer.status, answer.body.clone(), header("etag"), header("sync-token"), header("location"))
}

/// Creates a list, lets a party join with a national number, changes the party and calls it.
async fn requests(owner: &Owner<'_>) -> Vec<(&'static str, String, Value, Answer)> {
    let mut done = Vec::new();
    let list =
        json!({ "name": "Main room", "time_zone": "America/Los_Angeles", "region": "US", "capacity": 2 });
    let made = owner.send("POST", "/v1/waitlists", Some(&list), &KEYED).await;
    let parties = format!("/v1/waitlists/{}/waitees", made.id());
    done.push(("POST", "/v1/waitlists".to_owned(), list, made));
    let party = json!({ "name": "Ana", "party_size": 2, "phone": "(415) 555-2671" });
    let joined = owner.send("POST", &parties, Some(&party), &KEYED).await;
    let ana = format!("/v1/waitees/{}", joined.id());
    done.push(("POST", parties, party, joined));
    for (method, path, body, key) in [
        ("PATCH", ana.clone(), json!({ "phone": "415 555 2672" }), "change"),
        ("POST", format!("{ana}/call"), json!({}), "call"),
    ] {
        let answer = owner.send(method, &path, Some(&body), &[("Idempotency-Key", key)]).await;
        done.push((method, path, body, answer));
    }
    done
}

async fn assert_answered_again(
    stage: &Stage,
    owner: &Owner<'_>,
    done: &[(&'static str, String, Value, Answer)],
    when: &str,
) {
    let before = census(&stage.dynamodb, &stage.prefix).await;
    for ((method, path, body, first), key) in done.iter().zip(["a-key", "a-key", "change", "call"]) {
        let again = owner.send(method, path, Some(body), &[("Idempotency-Key", key)]).await;
        assert!(first.status < 300, "{method} {path}: {first:?}");
        assert_eq!(kept(&again), kept(first), "{method} {path} {when}");
    }
    assert_eq!(census(&stage.dynamodb, &stage.prefix).await, before, "{when}");
}

#[tokio::test]
async fn a_repeated_request_gets_its_first_answer_after_any_change_of_the_list() {
    let stage = Stage::new().await;
    let owner = stage.owner();
    let done = requests(&owner).await;
    let list = format!("/v1/waitlists/{}", done[0].3.id());
    assert_answered_again(&stage, &owner, &done, "at once").await;

    assert_eq!(owner.send("PATCH", &list, Some(&json!({ "region": "FR" })), &[]).await.status, 200);
    let today = owner.send("POST", &done[1].1, Some(&done[1].2), &[]).await;
    assert_eq!(today.status, 422, "the number is not valid in the new region: {today:?}");
    assert_answered_again(&stage, &owner, &done, "after a change of region").await;
    owner.join(&list["/v1/waitlists/".len()..], "Ben").await;
    feed(&stage).await;
    assert_answered_again(&stage, &owner, &done, "with the list full").await;
    assert_eq!(owner.post(&format!("{list}/close"), json!({})).await.status, 200);
    assert_answered_again(&stage, &owner, &done, "with the list closed").await;

    let board = owner.get(&format!("{list}/waitees")).await;
    for party in board.body["items"].as_array().unwrap() {
        owner.post(&format!("/v1/waitees/{}/remove", party["id"].as_str().unwrap()), json!({})).await;
    }
    feed(&stage).await;
    assert_answered_again(&stage, &owner, &done, "with everyone gone").await;
    let deleted = owner.send("DELETE", &list, None, &KEYED[..0]).await;
    assert_eq!(deleted.status, 204, "{deleted:?}");
    assert_answered_again(&stage, &owner, &done, "with the list deleted").await;
}

#[tokio::test]
async fn a_repeated_deletion_is_answered_again() {
    let stage = Stage::new().await;
    let owner = stage.owner();
    let list = format!("/v1/waitlists/{}", owner.list("Main room").await);
    owner.post(&format!("{list}/close"), json!({})).await;
    let first = owner.send("DELETE", &list, None, &KEYED).await;
    for headers in [&KEYED[..], &[]] {
        assert_eq!(kept(&owner.send("DELETE", &list, None, headers).await), kept(&first));
    }
    assert_eq!(
        (first.status, owner.get(&format!("{list}/history")).await.body["items"].as_array().unwrap().len()),
        (204, 3)
    );
}

#[tokio::test]
async fn a_repeated_request_is_answered_although_its_if_match_is_stale() {
    let stage = Stage::new().await;
    let owner = stage.owner();
    let list = owner.list("Main room").await;
    let call = format!("/v1/waitees/{}/call", owner.join(&list, "Ana").await);
    let headers = [("Idempotency-Key", "a-key"), ("If-Match", "\"1\"")];
    let first = owner.send("POST", &call, None, &headers).await;
    assert_eq!((first.status, first.header("etag")), (202, "\"2\""));
    assert_eq!(owner.post(&call, json!({})).await.header("etag"), "\"3\"");
    assert_eq!(kept(&owner.send("POST", &call, None, &headers).await), kept(&first));
}

#[tokio::test]
async fn a_join_repeated_after_its_guest_was_forgotten_is_answered_as_before() {
    let stage = Stage::new().await;
    let owner = stage.owner();
    let list = owner.list("Main room").await;
    let key = [("Idempotency-Key", "0d1fb7a4-6c1c-4b57-9f1e-2f6ad2a0c00b")];
    let party = json!({ "name": "Ana", "party_size": 2 });
    let by_host = format!("/v1/waitlists/{list}/waitees");
    let by_guest = format!("/v1/public/waitlists/{list}/waitees");
    let host = async || owner.send("POST", &by_host, Some(&party), &key).await;
    let guest = async || send(&stage.backend, None, "POST", &by_guest, Some(&party), &key).await;
    let first = [host().await, guest().await];
    for answer in &first {
        assert_eq!(answer.status, 201, "{answer:?}");
        let erase = format!("/v1/waitees/{}/erase", answer.id());
        assert_eq!(owner.post(&erase, json!({})).await.status, 202);
    }
    let before = [host().await, guest().await];
    for answer in &first {
        let id: schema::WaiteeId = answer.id().parse().unwrap();
        reactors::erasure::forget(&stage.backend, id.into()).await.unwrap();
    }
    owner.post(&format!("/v1/waitlists/{list}/close"), json!({})).await;
    let census_before = census(&stage.dynamodb, &stage.prefix).await;
    let after = [host().await, guest().await];
    for ((first, before), after) in first.iter().zip(&before).zip(&after) {
        assert_eq!((kept(before), kept(after)), (kept(first), kept(first)));
    }
    let count = census(&stage.dynamodb, &stage.prefix).await;
    assert_eq!(count, census_before);
}
