//! Granting and revoking system-wide operations on the command line.

use infra::http::Principal;
use schema::{StreamId, UserId};
use serde_json::{Value, json};
use waitlist_tests::{account::PASSWORD, process::run_on_aws, stage::Stage};

use crate::place::{Place, is_external};

const EMAIL: &str = "ana@example.com";

/// Runs a command that succeeds. Returns its output as JSON.
async fn said(place: &Place, args: &[&str]) -> Value {
    let ran = place.run(&[args, &["--json"]].concat()).await;
    assert_eq!((ran.code, ran.err.as_str()), (Some(0), ""), "{args:?}");
    let mut said: Value = serde_json::from_str(&ran.out).unwrap();
    // The last event's number depends on how far the account's mails are.
    assert!(said.as_object_mut().unwrap().remove("seq").is_some_and(|seq| seq.as_u64() > Some(1)));
    said
}

#[tokio::test]
async fn an_operator_is_granted_and_revoked_with_and_without_a_server() {
    let place = Place::new();
    let server = place.serve(&[]).await;
    let person = json!({ "email": EMAIL, "password": PASSWORD, "name": "Ana" });
    let id = server.send(None, "POST", "/v1/users", Some(&person), &[]).await.unwrap().id();
    for email in [EMAIL, "ANA@example.com"] {
        assert_eq!(said(&place, &["operator", "grant", email]).await, json!({ "id": id, "operator": true }));
    }
    let ran = place.run(&["operator", "grant", EMAIL]).await;
    assert_eq!(ran.out, format!("{id} is an operator\n"));
    assert_eq!(server.interrupt().await, Some(0));

    if is_external() {
        return; // without a server the command would use the data directory's engine
    }
    for _ in 0..2 {
        assert_eq!(
            said(&place, &["operator", "revoke", EMAIL]).await,
            json!({ "id": id, "operator": false })
        );
    }
    let server = place.serve(&[]).await;
    assert_eq!(
        said(&place, &["operator", "grant", EMAIL]).await["operator"],
        true,
        "a change made without a server is seen by the server"
    );
    server.kill();
    assert_eq!(
        said(&place, &["operator", "revoke", EMAIL]).await["operator"],
        false,
        "a killed server left server.json behind"
    );
}

#[tokio::test]
async fn an_operators_session_has_the_permission_and_the_log_names_the_actor() {
    let stage = Stage::new().await;
    let account = stage.account().await;
    let is_operator = async || match stage.principal(&account.access).await {
        Principal::User { operator, .. } => operator,
        Principal::Anonymous | Principal::Unknown => panic!("the session is valid"),
    };
    assert!(!is_operator().await);
    for (what, is) in [("grant", true), ("revoke", false)] {
        let more = [("WAITLIST_PUBLIC_URL", "https://waitlist.example")];
        let ran = run_on_aws(&stage, &["operator", what, &account.email], &more).await;
        assert_eq!(ran.code, Some(0), "{ran:?}");
        assert_eq!(is_operator().await, is, "{what}");
    }
    let commits = stage.commits(StreamId::from(account.id)).await;
    let actors: Vec<String> = commits.iter().map(|commit| commit.actor.to_string()).collect();
    assert_eq!(actors, [&format!("user:{}", account.id), "system:operator", "system:operator"]);
}

#[tokio::test]
async fn an_unknown_address_is_refused_without_repeating_it() {
    let place = Place::new();
    let server = place.serve(&[]).await;
    for what in ["grant", "revoke"] {
        let ran = place.run(&["operator", what, EMAIL]).await;
        assert_eq!(
            (ran.code, ran.out.as_str(), ran.err.as_str()),
            (Some(1), "", "error: no account has this e-mail address\n")
        );
    }
    assert_eq!(place.run(&["operator", "grant", "ana"]).await.code, Some(2), "not an address");
    assert_eq!(server.interrupt().await, Some(0));
}

#[tokio::test]
async fn a_token_minted_for_an_operator_allows_system_wide_operations() {
    let stage = Stage::new().await;
    let place = Place::new();
    std::fs::create_dir(place.path().join("keys")).unwrap();
    std::fs::copy(stage.keys.join("token-local"), place.path().join("keys/token-local")).unwrap();
    let owner = UserId(stage.backend.clock.id(stage.backend.clock.now()));
    for (args, is) in [([].as_slice(), false), (&["--operator"], true)] {
        let token = place.run(&[&["token", "--owner", &owner.to_string()], args].concat()).await.out;
        stage.backend.clock.set(infra::Clock::system().now());
        let principal = stage.principal(token.trim_end()).await;
        assert!(
            matches!(principal, Principal::User { operator, .. } if operator == is),
            "{args:?}: {principal:?}"
        );
    }
}
