//! An account's own page and history.

use schema::user::Event;
use serde_json::{Value, json};
use waitlist_tests::stage::{Owner, Stage};

use crate::{bad_input::assert_is_problem, reads::feed};

async fn ana(stage: &Stage) -> Owner<'_> {
    let owner = stage.owner();
    owner.registered("Ana", "Ana@example.com").await;
    owner
}

#[tokio::test]
async fn an_account_page_is_as_fresh_as_its_sync_token_demands() {
    let stage = Stage::new().await;
    let owner = ana(&stage).await;
    let wanted = json!({
        "id": owner.id, "email": "Ana@example.com", "name": "Ana", "email_confirmed": false, "operator": false,
        "registered_at": "2026-11-21T03:00:00.000Z", "welcome": "due", "seq": 1,
    });
    for _ in ["from the log", "from its row"] {
        let me = owner.get("/v1/me").await;
        assert_eq!((me.status, &me.body), (200, &wanted));
        feed(&stage).await;
    }
    owner.happened(Event::EmailConfirmed {}).await;
    let token = owner.happened(Event::OperatorGranted {}).await;
    assert_eq!(owner.get("/v1/me").await.body, wanted, "no Sync-Token demands a newer state");
    let me = owner.send("GET", "/v1/me", None, &[("Sync-Token", &token)]).await;
    assert_eq!(
        [&me.body["email_confirmed"], &me.body["operator"], &me.body["seq"]],
        [&json!(true), &json!(true), &json!(3)]
    );
    feed(&stage).await;
    let same = owner.send("GET", "/v1/me", None, &[("If-None-Match", me.header("etag"))]).await;
    assert_eq!((same.status, &same.body), (304, &Value::Null));
    owner.happened(Event::OperatorRevoked {}).await;
    feed(&stage).await;
    assert_eq!(owner.get("/v1/me").await.body["operator"], false);

    let beyond = owner.send("GET", "/v1/me", None, &[("Sync-Token", &format!("user-{}@9", owner.id))]).await;
    assert_is_problem(&beyond, 400, "invalid-parameter", "beyond the end");
    let list = owner.list("Main room").await;
    let own = owner.send("GET", "/v1/me", None, &[("Sync-Token", &format!("waitlist-{list}@1"))]).await;
    assert_eq!(own.status, 200, "{own:?}");
    let foreign = stage.owner().list("Main room").await;
    let foreign =
        owner.send("GET", "/v1/me", None, &[("Sync-Token", &format!("waitlist-{foreign}@1"))]).await;
    assert_is_problem(&foreign, 400, "invalid-parameter", "of another account's list");
    assert_is_problem(&owner.get("/v1/me?deep=1").await, 400, "invalid-parameter", "a parameter");
}

#[tokio::test]
async fn an_unknown_or_erased_account_is_404() {
    let stage = Stage::new().await;
    let stranger = stage.owner();
    for path in ["/v1/me", "/v1/me/history"] {
        assert_is_problem(&stranger.get(path).await, 404, "not-found", path);
    }
    let owner = ana(&stage).await;
    let token = owner.happened(Event::Erased {}).await;
    let erased = owner.send("GET", "/v1/me", None, &[("Sync-Token", &token)]).await;
    assert_is_problem(&erased, 404, "not-found", "erased");
    feed(&stage).await;
    assert_is_problem(&owner.get("/v1/me").await, 404, "not-found", "erased");
    owner.happened(Event::Forgotten {}).await;
    feed(&stage).await;
    assert_is_problem(&owner.get("/v1/me").await, 404, "not-found", "forgotten");
}

#[tokio::test]
async fn an_accounts_history_shows_every_event_but_no_password_hash() {
    let stage = Stage::new().await;
    let owner = ana(&stage).await;
    let registered = stage.commits(owner.id).await.remove(0);
    let sealed: Value = serde_json::from_str(&registered.events).unwrap();
    let password = sealed[0]["data"]["password"].as_str().unwrap();
    owner.happened(Event::PasswordChanged { password: schema::Sealed::from_text(password.to_owned()) }).await;
    owner.happened(Event::EmailConfirmed {}).await;
    let history = owner.get("/v1/me/history").await;
    let items = history.body["items"].as_array().unwrap();
    let types: Vec<_> = items.iter().map(|event| event["type"].as_str().unwrap()).collect();
    assert_eq!(types, ["user.registered", "user.password-changed", "user.email-confirmed"]);
    assert_eq!(items[0]["data"], json!({ "name": "Ana", "email": "Ana@example.com", "password": null }));
    assert_eq!(items[1]["data"], json!({ "password": null }));
    assert_eq!(history.body["verified"]["ok"], true);
    let text = history.body.to_string();
    assert!(!text.contains("argon2") && !text.contains(password), "{text}");
    let page = owner.get("/v1/me/history?limit=1").await.body;
    let rest = owner.get(&format!("/v1/me/history?cursor={}", page["next"].as_str().unwrap())).await.body;
    assert_eq!((page["items"].as_array().unwrap().len(), rest["items"].as_array().unwrap().len()), (1, 2));
}
