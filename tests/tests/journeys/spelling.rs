//! Equal input in different spellings: ids in capitals, JSON in another order, passwords in another Unicode
//! form.

use serde_json::{Value, json};
use waitlist_tests::{
    account::PASSWORD,
    stage::{Answer, Stage, send_bytes},
};

use crate::bad_input::assert_is_problem;

const JSON: (&str, &str) = ("content-type", "application/json");
const KEY: &str = "0d1fb7a4-6c1c-4b57-9f1e-2f6ad2a0c00b";

#[tokio::test]
async fn an_id_in_capitals_is_the_same_id() {
    let stage = Stage::new().await;
    let owner = stage.owner();
    let list = owner.list("Main room").await;
    let (ana, ben) = (owner.join(&list, "Ana").await, owner.join(&list, "Ben").await);
    let [upper_list, upper_ana, upper_ben] = [&list, &ana, &ben].map(|id| id.to_uppercase());
    let read = owner.get(&format!("/v1/waitees/{upper_ana}")).await;
    assert_eq!((read.status, read.id()), (200, ana.clone()), "{read:?}");
    let joined = owner
        .post(&format!("/v1/waitlists/{upper_list}/waitees"), json!({ "name": "Cleo", "party_size": 2 }))
        .await;
    assert_eq!(joined.status, 201, "{joined:?}");
    let moved = owner.post(&format!("/v1/waitees/{upper_ben}/move"), json!({ "before": upper_ana })).await;
    assert_eq!(moved.status, 200, "{moved:?}");
    let itself = owner.post(&format!("/v1/waitees/{ana}/move"), json!({ "after": upper_ana })).await;
    assert_is_problem(&itself, 422, "invalid-value", "a move next to itself");
    let token = format!("waitee-{upper_ben}@2");
    let fresh = owner.send("GET", &format!("/v1/waitees/{ben}"), None, &[("Sync-Token", &token)]).await;
    assert_eq!((fresh.status, &fresh.body["seq"]), (200, &json!(2)), "{fresh:?}");
}

#[tokio::test]
async fn a_guests_key_in_capitals_is_the_same_key() {
    let stage = Stage::new().await;
    let list = stage.owner().list("Main room").await;
    let door = format!("/v1/public/waitlists/{list}/waitees");
    let join = async |key: &str| {
        let body = json!({ "name": "Ana", "party_size": 2 }).to_string();
        send_bytes(&stage.backend, None, "POST", &door, body.into(), &[JSON, ("Idempotency-Key", key)]).await
    };
    let (first, second) = (join(KEY).await, join(&KEY.to_uppercase()).await);
    assert_eq!((first.status, second.status), (201, 201), "{second:?}");
    assert_eq!(second.id(), first.id());
}

#[tokio::test]
async fn the_same_content_in_other_bytes_is_the_same_request() {
    let stage = Stage::new().await;
    let account = stage.account().await;
    let list = stage.owner_with(account.id, None).list("Main room").await;
    let [first, second, third, other] = [
        r#"{"name":"Ana","party_size":2,"note":"window"}"#,
        "{ \"party_size\": 2.0,\r\n  \"note\": \"\\u0077indow\", \"name\": \"Ana\" }",
        "\u{feff}{\"name\":\"Ana\",\"note\":\"window\",\"party_size\":2}",
        r#"{"name":"Ana","party_size":3,"note":"window"}"#,
    ];
    for path in [format!("/v1/waitlists/{list}/waitees"), format!("/v1/public/waitlists/{list}/waitees")] {
        let send = async |body: &'static str| -> Answer {
            let principal = Some(stage.principal(&account.access).await);
            let headers = [JSON, ("Idempotency-Key", KEY)];
            send_bytes(&stage.backend, principal, "POST", &path, body.into(), &headers).await
        };
        let joined = send(first).await;
        for again in [send(second).await, send(third).await] {
            assert_eq!((again.status, again.id()), (201, joined.id()), "{path}: {again:?}");
        }
        assert_is_problem(&send(other).await, 422, "idempotency-key-reused", &path);
    }
    let rename = async |body: &'static str| {
        let principal = Some(stage.principal(&account.access).await);
        let headers = [JSON, ("Idempotency-Key", "rename")];
        send_bytes(&stage.backend, principal, "PATCH", "/v1/me", body.into(), &headers).await
    };
    let (once, again) = (rename(r#"{"name":"Bea"}"#).await, rename("{ \"name\" : \"\\u0042ea\" }").await);
    assert_eq!((once.status, again.status, again.body), (200, 200, once.body));
}

#[tokio::test]
async fn another_password_with_the_same_key_is_another_request() {
    let stage = Stage::new().await;
    let account = stage.account().await;
    let principal = stage.principal(&account.access).await;
    let send = async |method: &str, path: &str, body: Value| {
        let headers = [JSON, ("Idempotency-Key", KEY)];
        let body = body.to_string().into();
        send_bytes(&stage.backend, Some(principal.clone()), method, path, body, &headers).await
    };
    let change = |current: &str, new: &str| json!({ "current_password": current, "new_password": new });
    let new = "quite another long passphrase";
    let changed = send("PUT", "/v1/me/password", change(PASSWORD, new)).await;
    assert_eq!(changed.status, 204, "{changed:?}");
    for (current, new) in
        [("not the password", new), (PASSWORD, "a third and longer passphrase"), (new, PASSWORD)]
    {
        let refused = send("PUT", "/v1/me/password", change(current, new)).await;
        assert_is_problem(&refused, 422, "idempotency-key-reused", current);
    }
    let again = send("PUT", "/v1/me/password", change(PASSWORD, new)).await;
    assert_eq!(again.status, 204, "{again:?}");
    assert_eq!(stage.sign_in(&account.email, new).await.status, 201);

    let register =
        |password: &str| json!({ "email": "ben@example.com", "password": password, "name": "Ben" });
    let registered = send("POST", "/v1/users", register(PASSWORD)).await;
    assert_eq!(registered.status, 201, "{registered:?}");
    let refused = send("POST", "/v1/users", register(new)).await;
    assert_is_problem(&refused, 422, "idempotency-key-reused", "another password");
    assert_eq!(send("POST", "/v1/users", register(PASSWORD)).await.id(), registered.id());
}

#[tokio::test]
async fn a_password_is_accepted_in_any_unicode_form() {
    let stage = Stage::new().await;
    let [composed, decomposed] = [
        "cr\u{e8}me br\u{fb}l\u{e9}e \u{e0} volont\u{e9}",
        "cre\u{300}me\u{a0}bru\u{302}le\u{301}e a\u{300} volonte\u{301}",
    ];
    let body = json!({ "email": "ana@example.com", "password": composed, "name": "Ana" });
    assert_eq!(stage.anyone("POST", "/v1/users", body).await.status, 201);
    let signed_in = stage.sign_in("ana@example.com", decomposed).await;
    assert_eq!(signed_in.status, 201, "{signed_in:?}");
    let access = signed_in.body["access_token"].as_str().unwrap();
    let body = json!({ "current_password": decomposed, "new_password": format!("{decomposed}!") });
    assert_eq!(stage.with(access, "PUT", "/v1/me/password", body).await.status, 204);
    assert_eq!(stage.sign_in("ana@example.com", &format!("{composed}!")).await.status, 201);
}

#[tokio::test]
async fn a_domain_in_unicode_and_in_ascii_is_the_same_address() {
    let stage = Stage::new().await;
    let register = |email: &str| json!({ "email": email, "password": PASSWORD, "name": "Ana" });
    assert_eq!(stage.anyone("POST", "/v1/users", register("ana@münchen.de")).await.status, 201);
    let again = stage.anyone("POST", "/v1/users", register("ana@xn--mnchen-3ya.de")).await;
    assert_is_problem(&again, 409, "email-taken", "the same domain");
    let signed_in = stage.sign_in("Ana@MÜNCHEN.de", PASSWORD).await;
    let access = signed_in.body["access_token"].as_str().unwrap();
    assert_eq!(stage.with(access, "GET", "/v1/me", json!({})).await.body["email"], "ana@xn--mnchen-3ya.de");
}
