//! Erasure: an erased guest or account is no longer shown at once, and soon no key opens its data.

mod readable;

use std::{
    collections::{BTreeSet, HashMap},
    time::Duration,
};

use infra::vault::Subject;
use reactors::{Intent, erasure::forget, intent::QueuedIntent};
use schema::{StreamId, WaiteeId, table::VAULT};
use serde_json::{Value, json};
use waitlist_tests::{
    account::PASSWORD,
    stage::{Owner, Stage},
};

use self::readable::readable;
use crate::{bad_input::assert_is_problem, place::text, raw::scan, reads::feed};

/// A guest whose texts occur nowhere else.
struct Guest {
    id: String,
    words: Vec<String>,
}

impl Guest {
    /// Lets a guest join, changes the name, and lets the guest leave for a reason.
    async fn visit(owner: &Owner<'_>, list: &str, who: &str, phone: &str) -> Self {
        let words: Vec<String> =
            ["name", "note", "renamed", "reason"].map(|what| format!("{who}-{what}")).to_vec();
        let email = format!("{who}@example.com");
        let body =
            json!({ "name": words[0], "party_size": 2, "phone": phone, "email": email, "note": words[1] });
        let joined = owner.post(&format!("/v1/waitlists/{list}/waitees"), body).await;
        assert_eq!(joined.status, 201, "{joined:?}");
        let guest = Self { id: joined.id(), words: [words, vec![email, phone.to_owned()]].concat() };
        let path = format!("/v1/waitees/{}", guest.id);
        let patched = owner.send("PATCH", &path, Some(&json!({ "name": guest.words[2] })), &[]).await;
        let left = owner.post(&format!("{path}/leave"), json!({ "reason": guest.words[3] })).await;
        assert_eq!((patched.status, left.status), (200, 200));
        guest
    }

    fn stream(&self) -> StreamId {
        self.id.parse::<WaiteeId>().unwrap().into()
    }
}

#[tokio::test]
async fn the_master_key_and_all_stored_data_reveal_nothing_of_an_erased_guest_or_account() {
    let stage = Stage::new().await;
    let (account, other) = (stage.registered().await, stage.registered().await);
    let (list, others_list) = (account.list("Main room").await, other.list("Bar").await);
    let ana = Guest::visit(&account, &list, "ana", "+12025550143").await;
    let ben = Guest::visit(&account, &list, "ben", "+12025550144").await;
    let cleo = Guest::visit(&other, &others_list, "cleo", "+12025550145").await;
    feed(&stage).await;
    let guests =
        |guests: &[&Guest]| guests.iter().flat_map(|guest| guest.words.clone()).collect::<BTreeSet<_>>();

    // Each account has a name, an address and a hashed password as well.
    let all = readable(&stage).await;
    assert!(all.is_superset(&guests(&[&ana, &ben, &cleo])), "all texts are found at first: {all:?}");
    let of_accounts: BTreeSet<String> = all.difference(&guests(&[&ana, &ben, &cleo])).cloned().collect();
    assert_eq!(of_accounts.len(), 1 + 2 + 2, "the accounts share one name: {of_accounts:?}");

    assert_eq!(account.post(&format!("/v1/waitees/{}/erase", ana.id), json!({})).await.status, 202);
    let intent = Intent::Forget { stream: ana.stream() };
    QueuedIntent::from(intent).send(&stage.backend, Duration::ZERO).await.unwrap(); // stays on the queue during the search
    forget(&stage.backend, ana.stream()).await.unwrap();
    feed(&stage).await;
    assert_eq!(readable(&stage).await, &of_accounts | &guests(&[&ben, &cleo]));

    assert_eq!(account.post("/v1/me/erase", json!({ "current_password": PASSWORD })).await.status, 202);
    forget(&stage.backend, account.id.into()).await.unwrap();
    feed(&stage).await;
    let left = readable(&stage).await;
    assert!(left.is_superset(&guests(&[&cleo])) && left.len() == cleo.words.len() + 3, "{left:?}");
    assert!(left.iter().all(|text| all.contains(text)));
    let claims: Vec<String> = scan(&stage.dynamodb, &VAULT, &stage.prefix)
        .await
        .iter()
        .filter(|item| text(item, "subject").starts_with("email-"))
        .map(|item| text(item, "user").to_owned())
        .collect();
    assert_eq!(claims, [other.id.to_string()], "the address is released");

    let streams =
        [ana.stream(), ben.stream(), account.id.into(), list.parse::<schema::WaitlistId>().unwrap().into()];
    for stream in streams {
        let verified = projections::history::verify(&stage.commits(stream).await);
        assert!(verified.ok, "{stream}: {verified:?}");
    }
}

/// Asserts that no read shows an erased party's data.
async fn assert_is_not_shown(owner: &Owner<'_>, list: &str, guest: &str, headers: &[(&str, &str)]) {
    let get = async |path: String| {
        let answer = owner.send("GET", &path, None, headers).await;
        assert_eq!(answer.status, 200, "{path}: {answer:?}");
        answer.body
    };
    let board = get(format!("/v1/waitlists/{list}/waitees")).await;
    let on_board: HashMap<&str, &Value> = board["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|party| (party["id"].as_str().unwrap(), &party["name"]))
        .collect();
    assert!(!on_board.contains_key(guest) && on_board.values().all(|name| **name == "Ben"), "{board}");
    let day = get(format!("/v1/waitlists/{list}/waitees?day=2026-11-20")).await;
    let one = get(format!("/v1/waitees/{guest}")).await;
    let of_day = day["items"].as_array().unwrap().iter().find(|party| party["id"] == guest).unwrap();
    for party in [&one, of_day] {
        assert_eq!(
            (&party["erased"], &party["state"], &party["position"]),
            (&json!(true), &json!("removed"), &Value::Null),
            "{party}"
        );
        for field in ["name", "phone", "email", "note"] {
            assert_eq!(party[field], Value::Null, "{party}");
        }
    }
    let history = get(format!("/v1/waitees/{guest}/history")).await;
    assert_eq!(history["verified"]["ok"], true);
    let joined = &history["items"][0]["data"];
    assert_eq!(
        (&joined["name"], &joined["phone"], &joined["email"], &joined["note"]),
        (&Value::Null, &Value::Null, &Value::Null, &Value::Null)
    );
    assert!(
        history["items"].as_array().unwrap().iter().any(|event| event["type"] == "waitee.erased"),
        "{history}"
    );
}

#[tokio::test]
async fn an_erased_guest_is_not_shown_before_or_after_the_key_is_destroyed() {
    let stage = Stage::new().await;
    let owner = stage.owner();
    let list = owner.list("Main room").await;
    let body = json!({ "name": "Ana", "party_size": 2, "phone": "(415) 555-2671", "email": "ana@example.com", "note": "high chair" });
    let ana = owner.post(&format!("/v1/waitlists/{list}/waitees"), body).await.id();
    owner.join(&list, "Ben").await;
    feed(&stage).await;
    let path = format!("/v1/waitees/{ana}/erase");
    let erased = owner.send("POST", &path, None, &[("Idempotency-Key", "once")]).await;
    assert_eq!((erased.status, &erased.body), (202, &json!({ "status": "erasing" })));

    assert_is_not_shown(&owner, &list, &ana, &[("sync-token", &format!("waitee-{ana}@3"))]).await;
    feed(&stage).await;
    assert_is_not_shown(&owner, &list, &ana, &[]).await;
    assert!(
        stage
            .backend
            .vault
            .key(Subject::Guest { account: owner.id, guest: ana.parse().unwrap() })
            .await
            .unwrap()
            .is_some()
    );
    forget(&stage.another(), ana.parse::<WaiteeId>().unwrap().into()).await.unwrap();
    assert_is_not_shown(&owner, &list, &ana, &[]).await;
    feed(&stage).await;
    assert_is_not_shown(&owner, &list, &ana, &[("sync-token", &format!("waitee-{ana}@4"))]).await;
}

#[tokio::test]
async fn an_erasure_can_be_repeated_by_its_owner_only() {
    let stage = Stage::new().await;
    let (owner, stranger) = (stage.owner(), stage.owner());
    let list = owner.list("Main room").await;
    let ana = owner.join(&list, "Ana").await;
    let (path, id) = (format!("/v1/waitees/{ana}/erase"), ana.parse::<WaiteeId>().unwrap());
    assert_is_problem(&stranger.post(&path, json!({})).await, 404, "not-found", "a stranger erases");
    assert_is_problem(
        &owner.post(&path, json!({ "reason": "they asked" })).await,
        400,
        "malformed-body",
        "a reason",
    );
    assert_is_problem(
        &owner.send("POST", &path, None, &[("If-Match", "\"9\"")]).await,
        412,
        "precondition-failed",
        "stale",
    );
    assert_eq!(stage.commits(id).await.len(), 1);

    for forgotten in [false, true] {
        if forgotten {
            forget(&stage.backend, id.into()).await.unwrap();
        }
        for key in ["first", "second", "first"] {
            let again = owner.send("POST", &path, None, &[("Idempotency-Key", key)]).await;
            assert_eq!((again.status, &again.body), (202, &json!({ "status": "erasing" })));
        }
        assert_is_problem(&stranger.post(&path, json!({})).await, 404, "not-found", "a stranger erases");
        assert_is_problem(
            &stranger.post(&format!("/v1/waitees/{ana}/seat"), json!({})).await,
            404,
            "not-found",
            "a stranger seats",
        );
        for what in ["call", "confirm", "seat", "no-show", "leave", "remove", "restore"] {
            let body = if what == "call" { json!({}) } else { json!({ "reason": "late" }) };
            assert_is_problem(
                &owner.post(&format!("/v1/waitees/{ana}/{what}"), body).await,
                409,
                "erased",
                what,
            );
        }
        let renaming =
            owner.send("PATCH", &format!("/v1/waitees/{ana}"), Some(&json!({ "name": "Ana" })), &[]).await;
        assert_is_problem(&renaming, 409, "erased", "renaming");
    }
    assert_eq!(stage.commits(id).await.len(), 3, "joined; removed and erased; forgotten");
}
