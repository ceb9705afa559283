//! Conditional requests (RFC 9110, section 13).

use serde_json::json;
use waitlist_tests::stage::{Owner, Stage, send};

use crate::{bad_input::assert_is_problem, raw::census};

const KEY: &str = "0d1fb7a4-6c1c-4b57-9f1e-2f6ad2a0c00a";
const HASH: &str = "0123456789abcdef0123456789abcdef";

/// Creates a list and a party at version 2, which was called. Returns their paths.
async fn called(owner: &Owner<'_>) -> (String, String) {
    let list = owner.list("Main room").await;
    let ana = format!("/v1/waitees/{}", owner.join(&list, "Ana").await);
    assert_eq!(owner.post(&format!("{ana}/call"), json!({})).await.header("etag"), "\"2\"");
    (format!("/v1/waitlists/{list}"), ana)
}

#[tokio::test]
async fn a_write_succeeds_when_if_match_names_the_current_state() {
    let stage = Stage::new().await;
    let owner = stage.owner();
    let read = format!("\"2.{HASH}\"");
    for tags in ["*", "\"2\"", "\"1\", \"2\"", "W/\"1\" , \"2\"", "\"unknown,\", \"2\"", read.as_str()] {
        let (_, ana) = called(&owner).await;
        let seated = owner.send("POST", &format!("{ana}/seat"), None, &[("If-Match", tags)]).await;
        assert_eq!((seated.status, seated.header("etag")), (200, "\"3\""), "{tags}: {seated:?}");
    }
    let (list, ana) = called(&owner).await;
    for tags in
        ["\"1\"", "\"3\"", "W/\"2\"", "\"seven\"", "\"\"", "\"02\"", "\"+2\"", "\"2.x\"", "\"1\", W/\"2\""]
    {
        let refused = owner.send("POST", &format!("{ana}/seat"), None, &[("If-Match", tags)]).await;
        assert_is_problem(&refused, 412, "precondition-failed", tags);
    }
    for tags in ["\"2\"", "W/\"1\"", "\"01\""] {
        let rename = json!({ "name": "Bar" });
        let refused = owner.send("PATCH", &list, Some(&rename), &[("If-Match", tags)]).await;
        assert_is_problem(&refused, 412, "precondition-failed", tags);
    }
    let nothing = format!("/v1/waitees/{}/seat", uuid::Uuid::from_u128(7));
    assert_eq!(owner.send("POST", &nothing, None, &[("If-Match", "*")]).await.status, 404);
}

#[tokio::test]
async fn a_write_is_refused_when_if_none_match_names_the_current_state() {
    let stage = Stage::new().await;
    let owner = stage.owner();
    let (_, ana) = called(&owner).await;
    let seat = format!("{ana}/seat");
    for tags in ["*", "\"2\"", "W/\"2\"", "\"1\", \"2\""] {
        let refused = owner.send("POST", &seat, None, &[("If-None-Match", tags)]).await;
        assert_is_problem(&refused, 412, "precondition-failed", tags);
    }
    let seated =
        owner.send("POST", &seat, None, &[("If-None-Match", "\"1\", \"x\""), ("If-Match", "*")]).await;
    assert_eq!(seated.status, 200, "{seated:?}");
}

#[tokio::test]
async fn a_creation_with_if_none_match_is_refused_when_its_key_was_used_before() {
    let stage = Stage::new().await;
    let owner = stage.owner();
    let list = owner.list("Main room").await;
    let party = json!({ "name": "Ana", "party_size": 2 });
    let new_list = json!({ "name": "Bar", "time_zone": "UTC", "region": "US" });
    let account =
        json!({ "email": "ana@example.com", "password": "correct horse battery staple", "name": "Ana" });
    for (path, body) in [
        ("/v1/waitlists".to_owned(), &new_list),
        (format!("/v1/waitlists/{list}/waitees"), &party),
        (format!("/v1/public/waitlists/{list}/waitees"), &party),
        ("/v1/users".to_owned(), &account),
    ] {
        let once = [("Idempotency-Key", KEY), ("If-None-Match", "*")];
        let first = owner.send("POST", &path, Some(body), &once).await;
        assert_eq!(first.status, 201, "{path}: {first:?}");
        let before = census(&stage.dynamodb, &stage.prefix).await;
        let second = owner.send("POST", &path, Some(body), &once).await;
        assert_is_problem(&second, 412, "precondition-failed", &path);
        let again =
            owner.send("POST", &path, Some(body), &[("Idempotency-Key", KEY), ("If-Match", "*")]).await;
        assert_eq!(
            (again.status, again.id()),
            (201, first.id()),
            "{path}: without the condition the creation is answered again"
        );
        let of_state = owner.send("POST", &path, Some(body), &[("If-Match", "\"1\"")]).await;
        assert_is_problem(&of_state, 412, "precondition-failed", &path);
        assert_eq!(census(&stage.dynamodb, &stage.prefix).await, before, "{path}");
    }
}

#[tokio::test]
async fn a_read_succeeds_when_if_match_names_its_current_etag() {
    let stage = Stage::new().await;
    let owner = stage.owner();
    let (list, ana) = called(&owner).await;
    for path in [&ana, &list, &format!("{list}/waitees"), &format!("{ana}/history"), "/v1/waitlists"] {
        let etag = owner.get(path).await.header("etag").to_owned();
        for method in ["GET", "HEAD"] {
            for tags in ["*", &etag, &format!("\"x\", {etag}")] {
                let answer = owner.send(method, path, None, &[("If-Match", tags)]).await;
                assert_eq!(answer.status, 200, "{method} {path} {tags}: {answer:?}");
            }
            for tags in ["\"x\"", &format!("W/{etag}"), "\"99\""] {
                let refused = owner.send(method, path, None, &[("If-Match", tags)]).await;
                assert_eq!(refused.status, 412, "{method} {path} {tags}: {refused:?}");
            }
            let both = [("If-Match", "*"), ("If-None-Match", etag.as_str())];
            assert_eq!(owner.send(method, path, None, &both).await.status, 304, "{method} {path}");
        }
    }
    let nothing = format!("/v1/waitees/{}", uuid::Uuid::from_u128(7));
    assert_eq!(owner.send("GET", &nothing, None, &[("If-Match", "\"x\"")]).await.status, 404);
    let health = send(&stage.backend, None, "GET", "/healthz", None, &[("If-None-Match", "*")]).await;
    assert_eq!(health.status, 304);
}
