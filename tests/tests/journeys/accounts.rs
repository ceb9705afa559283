//! Registering, signing in, and changing an account.

mod flood;
mod fuzz;
mod mailed;
mod mails;
mod race;
mod sessions;

use std::time::Duration;

use schema::{StreamId, UserId, route::ROUTES};
use serde_json::{Value, json};
use waitlist_tests::{
    account::PASSWORD,
    costs::documented,
    rows::deployed,
    stage::{Stage, send},
};

use crate::{
    bad_input::assert_is_problem,
    raw::{census, scan},
};

const KEY: &str = "5b0c5b52-6f3e-4a51-9d52-0c6f8ad6a001";
const OTHER_PASSWORD: &str = "quite another long passphrase";

fn registration(email: &str) -> Value {
    json!({ "email": email, "password": PASSWORD, "name": "Ana Maria" })
}

#[tokio::test]
async fn a_registered_account_can_sign_in_and_create_a_list() {
    let stage = Stage::new().await;
    let account = stage.account().await;
    let list = json!({ "name": "Main room", "time_zone": "UTC", "region": "US" });
    assert_eq!(stage.with(&account.access, "POST", "/v1/waitlists", list).await.status, 201);
    let commits = stage.commits(account.id).await;
    assert_eq!(commits.len(), 1);
    assert_eq!(
        (commits[0].tenant, commits[0].actor.to_string()),
        (account.id, format!("user:{}", account.id))
    );
}

#[tokio::test]
async fn an_address_has_one_account_in_all_its_spellings() {
    let stage = Stage::new().await;
    assert_eq!(stage.anyone("POST", "/v1/users", registration("ana@example.com")).await.status, 201);
    let before = census(&stage.dynamodb, &stage.prefix).await;
    for email in ["ana@example.com", "Ana@Example.COM", "  ana@example.com "] {
        let refused = stage.anyone("POST", "/v1/users", registration(email)).await;
        assert_is_problem(&refused, 409, "email-taken", email);
    }
    assert_eq!(
        census(&stage.dynamodb, &stage.prefix).await,
        before,
        "a refused registration left something behind"
    );
    assert_eq!(stage.sign_in("ANA@example.com", PASSWORD).await.status, 201);
}

#[tokio::test]
async fn a_registration_sent_twice_under_one_key_makes_one_account() {
    let stage = Stage::new().await;
    let send = async |body: Value, key: &str| {
        send(&stage.backend, None, "POST", "/v1/users", Some(&body), &[("Idempotency-Key", key)]).await
    };
    let first = send(registration("ana@example.com"), KEY).await;
    assert_eq!(first.status, 201, "{first:?}");
    let again = send(registration("ana@example.com"), KEY).await;
    assert_eq!((again.status, &again.body), (201, &first.body));
    assert_is_problem(
        &send(registration("ben@example.com"), KEY).await,
        422,
        "idempotency-key-reused",
        "another address",
    );
    assert_is_problem(
        &send(registration("cleo@example.com"), "a-key").await,
        400,
        "invalid-parameter",
        "a key that could be guessed",
    );
    assert_eq!(stage.commits(UserId(first.id().parse().unwrap())).await.len(), 1);
}

#[tokio::test]
async fn an_easily_guessed_password_is_refused_wherever_one_is_set() {
    let stage = Stage::new().await;
    let account = stage.account().await;
    for weak in ["password", "12345678", "qwertyuiop", "waitlist"] {
        let body = json!({ "email": "ben@example.com", "password": weak, "name": "Ben" });
        assert_is_problem(&stage.anyone("POST", "/v1/users", body).await, 422, "weak-password", weak);
    }
    let body = json!({ "current_password": PASSWORD, "new_password": "password" });
    assert_is_problem(
        &stage.with(&account.access, "PUT", "/v1/me/password", body).await,
        422,
        "weak-password",
        "a change",
    );
    let body = json!({ "current_password": PASSWORD, "new_password": account.email });
    assert_is_problem(
        &stage.with(&account.access, "PUT", "/v1/me/password", body).await,
        422,
        "weak-password",
        "the address itself",
    );
    assert_eq!(stage.commits(account.id).await.len(), 1);
}

#[tokio::test]
async fn answers_do_not_reveal_whether_an_account_exists() {
    let stage = Stage::new().await;
    let account = stage.account().await;
    let plain = |mut body: Value| {
        body["request_id"] = Value::Null;
        body
    };
    let wrong = stage.sign_in(&account.email, OTHER_PASSWORD).await;
    let unknown = stage.sign_in("unknown@example.com", OTHER_PASSWORD).await;
    assert_is_problem(&wrong, 401, "invalid-credentials", "a wrong password");
    assert_eq!(wrong.header("www-authenticate"), unknown.header("www-authenticate"));
    assert_eq!(plain(wrong.body), plain(unknown.body));
    for email in [account.email.as_str(), "unknown@example.com"] {
        let asked = stage.anyone("POST", "/v1/password-resets", json!({ "email": email })).await;
        assert_eq!((asked.status, asked.body), (202, Value::Null), "{email}");
        let body = json!({ "email": email });
        let header = [("Idempotency-Key", "a-key")];
        let bad = send(&stage.backend, None, "POST", "/v1/password-resets", Some(&body), &header).await;
        assert_is_problem(&bad, 400, "invalid-parameter", email);
    }
    assert_eq!(stage.commits(account.id).await.len(), 1, "a reset does not add to the account's stream");
}

#[tokio::test]
async fn sign_ins_are_bounded_and_write_no_commit() {
    let stage = Stage::new().await;
    let account = stage.account().await; // has signed in once
    let log = async || stage.commits(account.id).await.len();
    for _ in 0..9 {
        assert_eq!(stage.sign_in(&account.email, OTHER_PASSWORD).await.status, 401);
    }
    let refused = stage.sign_in(&account.email, PASSWORD).await;
    assert_is_problem(&refused, 429, "too-many-requests", "the eleventh attempt");
    let wait: i64 = refused.header("retry-after").parse().unwrap();
    assert!((1..=900).contains(&wait), "{wait}");
    assert_eq!(log().await, 1);
    assert_eq!(
        stage.sign_in("ben@example.com", PASSWORD).await.status,
        401,
        "other addresses are not affected"
    );
    stage.backend.clock.advance_millis(wait * 1_000);
    assert_eq!(stage.sign_in(&account.email, PASSWORD).await.status, 201);
}

#[tokio::test]
async fn only_the_name_of_an_account_can_be_changed() {
    let stage = Stage::new().await;
    let account = stage.account().await;
    let renamed = stage.with(&account.access, "PATCH", "/v1/me", json!({ "name": "Ben" })).await;
    assert_eq!((renamed.status, renamed.body["seq"].as_u64()), (200, Some(2)), "{renamed:?}");
    assert_eq!(renamed.header("sync-token"), format!("{}@2", StreamId::from(account.id)));
    let unchanged = stage.with(&account.access, "PATCH", "/v1/me", json!({})).await;
    assert_eq!((unchanged.status, unchanged.body["seq"].as_u64()), (200, Some(2)));
    for body in [json!({ "name": null }), json!({ "name": "" })] {
        assert_is_problem(
            &stage.with(&account.access, "PATCH", "/v1/me", body).await,
            422,
            "invalid-value",
            "a name",
        );
    }
    assert_is_problem(
        &stage.with(&account.access, "PATCH", "/v1/me", json!({ "email": "a@b.example" })).await,
        400,
        "malformed-body",
        "e-mail",
    );
    assert_eq!(stage.commits(account.id).await.len(), 2);
}

/// A registration is one transaction, and none of it is stored in clear.
#[tokio::test]
async fn a_registration_costs_the_documented_units_and_stores_nothing_in_clear() {
    let stage = Stage::new().await.with_set_age(Duration::ZERO); // neither request reads rows
    let _warm = stage.account().await;
    let _before = stage.meter.take();
    let account = stage.account().await;
    let used = stage.meter.take();
    documented(&stage, "registering and signing in for the first time", &used);
    if stage.counts_as_documented() {
        assert_eq!(
            used.reads["vault"], 3.0,
            "the claim at registration; the claim and the key at sign-in: {used:?}"
        );
        assert_eq!(
            used.reads["events"], 3.0,
            "an empty stream at registration; the account and an empty stream at sign-in: {used:?}"
        );
        // A transaction costs twice: the registration, the welcome mail, the key and the claim. The session
        // is one write. All but the vault's items are in the audit index.
        assert_eq!(
            (used.writes["events"], used.writes["events/audit"], used.writes["vault"]),
            (5.0, 3.0, 4.0),
            "{used:?}"
        );
    }
    assert_eq!(used.writes["limits"], 4.0, "{used:?}");
    let mut stored = String::new();
    for table in deployed(&stage.dynamodb, &stage.prefix).await {
        stored += &format!("{:?}", scan(&stage.dynamodb, &table, &stage.prefix).await);
    }
    assert!(stored.contains(&account.id.to_string()));
    assert!(
        !stored.contains(&account.email) && !stored.contains(PASSWORD) && !stored.contains("argon2"),
        "stored in clear"
    );
}

#[tokio::test]
async fn the_public_keys_of_access_tokens_are_published() {
    let stage = Stage::new().await;
    let set = stage.anyone("GET", "/.well-known/jwks.json", Value::Null).await;
    assert_eq!(set.status, 200, "{set:?}");
    let key = &set.body["keys"][0];
    assert_eq!(
        (&key["kty"], &key["crv"], &key["alg"], &key["use"]),
        (&json!("OKP"), &json!("Ed25519"), &json!("EdDSA"), &json!("sig"))
    );
    assert!(key["d"].is_null(), "only the public key");
    assert!(ROUTES.iter().any(|entry| entry.path == "/.well-known/jwks.json"));
}
