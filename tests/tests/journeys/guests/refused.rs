//! Refusals of guests' requests: by the list, by the state of the visit, by bounds on attempts, and after an
//! erasure.

use infra::vault::Subject;
use schema::WaiteeId;
use serde_json::{Value, json};
use waitlist_tests::stage::{Stage, send};

use super::{Door, party};
use crate::{bad_input::assert_is_problem, raw::census, reads::feed};

/// After this time no process has a key in memory that is no longer in the vault.
const KEYS_FORGOTTEN_MS: i64 = 61_000;

#[tokio::test]
async fn a_guests_join_is_refused_where_a_hosts_would_be() {
    let stage = Stage::new().await;
    let door = Door::new(&stage).await;
    let list = format!("/v1/waitlists/{}", door.list);
    door.owner.send("PATCH", &list, Some(&json!({ "capacity": 1 })), &[]).await;
    let guest = door.join(&party("Ana")).await;
    feed(&stage).await;
    let refused = async |status, slug| {
        let before = census(&stage.dynamodb, &stage.prefix).await;
        let answer = door.send("POST", &door.parties(), Some(&party("Ben")), &[]).await;
        assert_is_problem(&answer, status, slug, slug);
        assert_eq!(census(&stage.dynamodb, &stage.prefix).await, before);
    };
    refused(409, "waitlist-full").await;
    door.owner.post(&format!("{list}/close"), json!({})).await;
    refused(409, "waitlist-closed").await;
    door.send("POST", &guest.visit("/leave"), None, &[]).await;
    feed(&stage).await;
    assert_eq!(door.owner.send("DELETE", &list, None, &[]).await.status, 204);
    refused(404, "not-found").await;
    feed(&stage).await;
    for path in [door.list(), guest.visit("")] {
        assert_is_problem(&door.get(&path).await, 404, "not-found", &path);
    }
}

#[tokio::test]
async fn a_sync_token_of_a_foreign_stream_is_refused_like_one_beyond_the_streams_end() {
    let stage = Stage::new().await;
    let door = Door::new(&stage).await;
    let ana = door.join(&party("Ana")).await;
    let other = stage.owner();
    let (list, user) = (other.list("Side room").await, other.id);
    feed(&stage).await;
    for path in [door.list(), ana.visit("")] {
        let own = format!("waitlist-{}@1", door.list);
        assert_eq!(door.send("GET", &path, None, &[("Sync-Token", &own)]).await.status, 200, "{path}");
        let foreign =
            [format!("waitlist-{list}@1"), format!("user-{user}@1"), format!("waitlist-{}@9", door.list)];
        let mut answers = Vec::new();
        for token in foreign {
            let mut answer = door.send("GET", &path, None, &[("Sync-Token", &token)]).await;
            assert_eq!(answer.status, 400, "{path} {token}: {answer:?}");
            answer.body.as_object_mut().unwrap().remove("request_id");
            answers.push(answer.body);
        }
        assert!(answers.windows(2).all(|pair| pair[0] == pair[1]), "{path}: {answers:?}");
    }
}

#[tokio::test]
async fn a_guest_is_shown_only_transitions_that_guests_may_make() {
    let stage = Stage::new().await;
    let door = Door::new(&stage).await;
    let ana = door.join(&party("Ana")).await;
    let refused = async |action: &str, state: &str, allowed: Value| {
        let answer = door.send("POST", &ana.visit(action), None, &[]).await;
        assert_is_problem(&answer, 409, "invalid-transition", action);
        assert_eq!((&answer.body["state"], &answer.body["allowed"]), (&json!(state), &allowed));
    };
    refused("/confirm", "waiting", json!(["leave"])).await;
    let stale = door.send("POST", &ana.visit("/leave"), None, &[("If-Match", "\"2\"")]).await;
    assert_is_problem(&stale, 412, "precondition-failed", "a stale If-Match");
    door.owner.post(&format!("/v1/waitees/{}/seat", ana.id), json!({})).await;
    refused("/confirm", "seated", json!([])).await;
    refused("/leave", "seated", json!([])).await;
    // Guests give no reason.
    let with_reason =
        door.send("POST", &ana.visit("/leave"), Some(&json!({ "reason": "too long" })), &[]).await;
    assert_is_problem(&with_reason, 400, "malformed-body", "a reason");
}

#[tokio::test]
async fn joins_beyond_a_bound_are_refused_before_any_work_is_done() {
    let stage = Stage::new().await;
    let door = Door::new(&stage).await;
    let bounded = stage.bounded("join-address=3/1h,join-account=2/1h");
    let join = async |path: &str| send(&bounded, None, "POST", path, Some(&party("Ana")), &[]).await;
    assert_eq!((join(&door.parties()).await.status, join(&door.parties()).await.status), (201, 201));
    let elsewhere = Door::new(&stage).await;
    let before = census(&stage.dynamodb, &stage.prefix).await;
    for (path, calls) in [(door.parties(), 4), (elsewhere.parties(), 1)] {
        let _before = stage.meter.take();
        let refused = join(&path).await;
        assert_is_problem(&refused, 429, "too-many-requests", &path);
        assert_eq!(refused.header("retry-after"), "3600", "{refused:?}");
        assert_eq!(
            stage.meter.take().calls,
            calls,
            "{path}: address, list, board and account are read or counted"
        );
    }
    assert_eq!(census(&stage.dynamodb, &stage.prefix).await, before);
    stage.backend.clock.advance_millis(3_600_000);
    assert_eq!(join(&door.parties()).await.status, 201);
    // Malformed requests are not counted.
    for _ in 0..3 {
        assert_eq!(
            send(&bounded, None, "POST", &door.parties(), Some(&json!({ "name": "Ana" })), &[]).await.status,
            400
        );
    }
    assert_eq!(join(&door.parties()).await.status, 201);
}

#[tokio::test]
async fn refused_and_repeated_joins_do_not_count_towards_an_accounts_bound() {
    let stage = Stage::new().await;
    let door = Door::new(&stage).await;
    let bounded = stage.bounded("join-address=1000/1h,join-account=3/1h");
    let join = async |body: Value, headers: &[(&str, &str)]| {
        send(&bounded, None, "POST", &door.parties(), Some(&body), headers).await
    };
    let wrong_phone = json!({ "name": "Ana", "party_size": 2, "phone": "12" });
    let list = format!("/v1/waitlists/{}", door.list);
    for _ in 0..5 {
        assert_eq!(join(wrong_phone.clone(), &[]).await.status, 422);
    }
    door.owner.post(&format!("{list}/close"), json!({})).await;
    for _ in 0..5 {
        assert_eq!(join(party("Ana"), &[]).await.status, 409);
    }
    door.owner.post(&format!("{list}/open"), json!({})).await;
    let key = [("Idempotency-Key", "0d1fb7a4-6c1c-4b57-9f1e-2f6ad2a0c00a")];
    for _ in 0..5 {
        assert_eq!(join(party("Ana"), &key).await.status, 201, "one party, joined once");
    }
    assert_eq!((join(party("Ben"), &[]).await.status, join(party("Cleo"), &[]).await.status), (201, 201));
    assert_is_problem(&join(party("Dan"), &[]).await, 429, "too-many-requests", "the fourth party");
    assert_eq!(join(party("Ana"), &key).await.status, 201, "an earlier join is still answered");
}

#[tokio::test]
async fn the_visit_of_an_erased_guest_is_404_from_then_on() {
    let stage = Stage::new().await;
    let door = Door::new(&stage).await;
    let ana = door.join(&party("Ana")).await;
    let key = [("Idempotency-Key", "0d1fb7a4-6c1c-4b57-9f1e-2f6ad2a0c003")];
    door.owner.post(&format!("/v1/waitees/{}/call", ana.id), json!({})).await;
    assert_eq!(door.send("POST", &ana.visit("/confirm"), None, &key).await.status, 200);
    let erased = door.owner.post(&format!("/v1/waitees/{}/erase", ana.id), json!({})).await;
    assert_eq!(erased.status, 202, "{erased:?}");
    feed(&stage).await;
    for forgotten in [false, true] {
        if forgotten {
            stage
                .backend
                .vault
                .bury(Subject::Guest { account: door.owner.id, guest: ana.id.parse::<WaiteeId>().unwrap() })
                .await
                .unwrap();
        }
        for (method, action) in [("GET", ""), ("POST", "/confirm"), ("POST", "/leave")] {
            for headers in [&[][..], &key] {
                let answer = door.send(method, &ana.visit(action), None, headers).await;
                assert_is_problem(&answer, 404, "not-found", action);
            }
        }
    }
}

#[tokio::test]
async fn a_visit_without_its_key_is_404_although_its_row_is_behind() {
    let stage = Stage::new().await;
    let door = Door::new(&stage).await;
    let ana = door.join(&party("Ana")).await;
    feed(&stage).await;
    door.owner.post(&format!("/v1/waitees/{}/erase", ana.id), json!({})).await;
    assert_eq!(door.get(&ana.visit("")).await.status, 200, "the feed is stopped");
    stage
        .backend
        .vault
        .bury(Subject::Guest { account: door.owner.id, guest: ana.id.parse::<WaiteeId>().unwrap() })
        .await
        .unwrap();
    assert_is_problem(&door.get(&ana.visit("")).await, 404, "not-found", "forgotten");
}

#[tokio::test]
async fn the_lists_and_visits_of_a_forgotten_account_are_404() {
    let stage = Stage::new().await;
    let door = Door::new(&stage).await;
    let ana = door.join(&party("Ana")).await;
    feed(&stage).await;
    stage.backend.vault.bury(Subject::Account(door.owner.id)).await.unwrap();
    stage.backend.clock.advance_millis(KEYS_FORGOTTEN_MS);
    let before = census(&stage.dynamodb, &stage.prefix).await;
    for (method, path, body) in [
        ("GET", door.list(), None),
        ("POST", door.parties(), Some(party("Ben"))),
        ("GET", ana.visit(""), None),
        ("POST", ana.visit("/confirm"), None),
        ("POST", ana.visit("/leave"), None),
    ] {
        for backend in [&stage.backend, &stage.another()] {
            assert_is_problem(
                &send(backend, None, method, &path, body.as_ref(), &[]).await,
                404,
                "not-found",
                &path,
            );
        }
    }
    assert_eq!(census(&stage.dynamodb, &stage.prefix).await, before);
}
