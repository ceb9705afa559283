//! Who asks to be forgotten is not shown any more at once, and soon cannot be read by anyone with any key.

use std::{
    collections::{BTreeSet, HashMap},
    time::Duration,
};

use aws_sdk_dynamodb::types::AttributeValue;
use data_encoding::BASE64URL_NOPAD;
use infra::vault::{Subject, SubjectKey};
use reactors::{Intent, erasure::forget, intent::Errand};
use schema::{
    Sealed, StreamId, UserId, WaiteeId,
    sealed::Personal,
    table::{DEPLOYED, EVENTS, LOCAL, VAULT},
    value::{Email, Name, Note, PasswordHash, Phone, Reason},
};
use serde_json::{Value, json};
use waitlist_tests::{
    account::PASSWORD,
    stage::{Owner, Stage},
};

use crate::{bad_input::assert_is_problem, place::text, raw::scan, reads::feed};

/// The least a sealed value weighs: key kind, nonce, tag.
const SEALED_BYTES_MIN: usize = 1 + 12 + 16;

/// What is written about one guest, each word of it their own.
struct Guest {
    id: String,
    words: Vec<String>,
}

impl Guest {
    /// Joins, is renamed, and leaves for a reason.
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

/// Every text there is in all the tables, at whatever depth.
async fn texts(stage: &Stage) -> BTreeSet<String> {
    let mut texts = BTreeSet::new();
    for table in DEPLOYED.iter().chain(LOCAL) {
        for item in scan(&stage.dynamodb, table, &stage.prefix).await {
            item.values().for_each(|value| collect(value, &mut texts));
        }
    }
    texts
}

fn collect(value: &AttributeValue, texts: &mut BTreeSet<String>) {
    match value {
        AttributeValue::S(text) => collect_text(text, texts),
        AttributeValue::Ss(several) => several.iter().for_each(|text| collect_text(text, texts)),
        AttributeValue::L(values) => values.iter().for_each(|value| collect(value, texts)),
        AttributeValue::M(values) => values.values().for_each(|value| collect(value, texts)),
        _ => {}
    }
}

/// A text may itself be JSON: events are, and messages.
fn collect_text(text: &str, texts: &mut BTreeSet<String>) {
    fn within(value: &Value, texts: &mut BTreeSet<String>) {
        match value {
            Value::String(text) => collect_text(text, texts),
            Value::Array(values) => values.iter().for_each(|value| within(value, texts)),
            Value::Object(values) => values.values().for_each(|value| within(value, texts)),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }
    texts.insert(text.to_owned());
    if let Ok(value @ (Value::Object(_) | Value::Array(_))) = serde_json::from_str(text) {
        within(&value, texts);
    }
}

/// Every key that whoever has the whole vault and the master key can make of them; a guest's under each account that there is.
async fn keys(stage: &Stage) -> Vec<SubjectKey> {
    let items = scan(&stage.dynamodb, &VAULT, &stage.prefix).await;
    let named = |kind: &str| -> Vec<String> {
        items.iter().filter_map(|item| text(item, "subject").strip_prefix(kind).map(str::to_owned)).collect()
    };
    let accounts: Vec<UserId> = named("account-").iter().map(|id| id.parse().unwrap()).collect();
    let guests: Vec<WaiteeId> = named("guest-").iter().map(|id| id.parse().unwrap()).collect();
    let mut keys = Vec::new();
    for &account in &accounts {
        let of_guests = guests.iter().map(|&guest| Subject::Guest { account, guest });
        for subject in of_guests.chain([Subject::Account(account)]) {
            let vault = stage.another().vault; // nothing at hand
            if let Ok(Some(key)) = vault.key(subject).await {
                keys.push(key);
            }
        }
    }
    keys
}

/// All that can be read of what is sealed, by trying everything with everything.
async fn readable(stage: &Stage) -> BTreeSet<String> {
    let streams: BTreeSet<StreamId> = scan(&stage.dynamodb, &EVENTS, &stage.prefix)
        .await
        .iter()
        .map(|item| text(item, "stream").parse().unwrap())
        .collect();
    let (texts, keys) = (texts(stage).await, keys(stage).await);
    let is_sealed = |text: &&String| {
        BASE64URL_NOPAD.decode(text.as_bytes()).is_ok_and(|bytes| bytes.len() >= SEALED_BYTES_MIN)
    };
    let mut found = BTreeSet::new();
    for sealed in texts.iter().filter(is_sealed) {
        for key in &keys {
            for stream in &streams {
                found.extend(open::<Name>(key, *stream, sealed));
                found.extend(open::<Email>(key, *stream, sealed));
                found.extend(open::<Phone>(key, *stream, sealed));
                found.extend(open::<Note>(key, *stream, sealed));
                found.extend(open::<Reason>(key, *stream, sealed));
                found.extend(open::<PasswordHash>(key, *stream, sealed));
            }
        }
    }
    found
}

fn open<T: Personal>(key: &SubjectKey, stream: StreamId, sealed: &str) -> Option<String> {
    key.open::<T>(stream, &Sealed::from_text(sealed.to_owned())).clear().map(|value| value.clear().to_owned())
}

#[tokio::test]
async fn whoever_has_the_master_key_and_everything_that_is_stored_reads_nothing_of_who_is_forgotten() {
    let stage = Stage::new().await;
    let (account, other) = (stage.registered().await, stage.registered().await);
    let (list, others_list) = (account.list("Main room").await, other.list("Bar").await);
    let ana = Guest::visit(&account, &list, "ana", "+12025550143").await;
    let ben = Guest::visit(&account, &list, "ben", "+12025550144").await;
    let cleo = Guest::visit(&other, &others_list, "cleo", "+12025550145").await;
    feed(&stage).await;
    let guests =
        |guests: &[&Guest]| guests.iter().flat_map(|guest| guest.words.clone()).collect::<BTreeSet<_>>();

    // Both accounts have a name, an address and a hashed password besides.
    let all = readable(&stage).await;
    assert!(all.is_superset(&guests(&[&ana, &ben, &cleo])), "what is there is found: {all:?}");
    let of_accounts: BTreeSet<String> = all.difference(&guests(&[&ana, &ben, &cleo])).cloned().collect();
    assert_eq!(of_accounts.len(), 1 + 2 + 2, "they have the same name: {of_accounts:?}");

    assert_eq!(account.post(&format!("/v1/waitees/{}/erase", ana.id), json!({})).await.status, 202);
    let intent = Intent::Forget { stream: ana.stream() };
    Errand::from(intent).send(&stage.backend, Duration::ZERO).await.unwrap(); // rests on the queue while we look
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
    assert_eq!(claims, [other.id.to_string()], "the address is nobody's");

    let streams =
        [ana.stream(), ben.stream(), account.id.into(), list.parse::<schema::WaitlistId>().unwrap().into()];
    for stream in streams {
        let verified = projections::history::verify(&stage.commits(stream).await);
        assert!(verified.ok, "{stream}: {verified:?}");
    }
}

/// What is shown of a party that was erased, wherever it is shown.
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
async fn a_guest_who_is_erased_is_not_shown_any_more_before_and_after_the_key_is_gone() {
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
async fn an_erasure_may_be_asked_for_again_and_by_nobody_else() {
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
