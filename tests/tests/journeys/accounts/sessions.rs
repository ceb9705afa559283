//! Sessions: refresh tokens, the ends of sessions, and their costs.

mod costs;

use commands::session::{REFRESH_GRACE_MS, REFRESH_TTL_MS};
use infra::http::Principal;
use schema::SessionId;
use serde_json::json;
use waitlist_tests::{
    account::PASSWORD,
    stage::{Answer, Stage},
};

use super::OTHER_PASSWORD;
use crate::bad_input::assert_is_problem;

fn token(answer: &Answer, name: &str) -> String {
    answer.body[name].as_str().unwrap_or_else(|| panic!("no {name} in {answer:?}")).to_owned()
}

async fn session_of(stage: &Stage, access: &str) -> SessionId {
    match stage.principal(access).await {
        Principal::User { session: Some(session), .. } => session,
        other => panic!("{other:?} has no session"),
    }
}

#[tokio::test]
async fn a_refresh_token_is_exchanged_once_for_the_next() {
    let stage = Stage::new().await;
    let account = stage.account().await;
    let mut refresh = account.refresh.clone();
    for _ in 0..5 {
        stage.backend.clock.advance_millis(REFRESH_GRACE_MS + 1);
        let next = stage.refresh(&refresh).await;
        assert_eq!(next.status, 200, "{next:?}");
        assert_eq!(
            (next.body["token_type"].as_str(), next.body["expires_in"].as_u64()),
            (Some("Bearer"), Some(900))
        );
        assert_ne!(token(&next, "refresh_token"), refresh);
        assert!(matches!(stage.principal(&token(&next, "access_token")).await, Principal::User { .. }));
        refresh = token(&next, "refresh_token");
    }
}

#[tokio::test]
async fn a_refresh_is_answered_again_for_some_minutes() {
    let stage = Stage::new().await;
    let account = stage.account().await;
    let first = stage.refresh(&account.refresh).await;
    stage.backend.clock.advance_millis(REFRESH_GRACE_MS / 2);
    let again = stage.refresh(&account.refresh).await;
    assert_eq!(again.status, 200, "{again:?}");
    assert_eq!(token(&again, "refresh_token"), token(&first, "refresh_token"), "the same successor");
}

#[tokio::test]
async fn a_refresh_is_answered_again_until_its_token_is_used() {
    let stage = Stage::new().await;
    let account = stage.account().await;
    let first = stage.refresh(&account.refresh).await;
    let successor = token(&first, "refresh_token");
    for _ in 0..9 {
        stage.backend.clock.advance_millis(60_000);
        let again = stage.refresh(&account.refresh).await;
        assert_eq!((again.status, token(&again, "refresh_token")), (200, successor.clone()));
    }
    assert_eq!(stage.refresh(&successor).await.status, 200, "the successor is used");
    assert_is_problem(&stage.refresh(&account.refresh).await, 401, "invalid-token", "its successor was used");
    assert_eq!(stage.principal(&account.access).await, Principal::Anonymous, "the reuse ends the session");
}

#[tokio::test]
async fn a_stolen_refresh_token_ends_the_session_for_thief_and_owner() {
    let stage = Stage::new().await;
    let account = stage.account().await;
    let session = session_of(&stage, &account.access).await;
    let next = stage.refresh(&account.refresh).await;
    stage.backend.clock.advance_millis(REFRESH_GRACE_MS + 1_000);
    assert_is_problem(&stage.refresh(&account.refresh).await, 401, "invalid-token", "a used token");
    assert_is_problem(
        &stage.refresh(&token(&next, "refresh_token")).await,
        401,
        "invalid-token",
        "the newest token",
    );
    assert_eq!(
        stage.principal(&token(&next, "access_token")).await,
        Principal::Anonymous,
        "no token of the session is accepted"
    );
    let last = stage.commits(session).await.pop().unwrap();
    assert!(last.events.contains("session.reuse-detected"), "{}", last.events);
}

#[tokio::test]
async fn signing_out_ends_only_this_session_and_at_once() {
    let stage = Stage::new().await;
    let account = stage.account().await;
    let elsewhere = stage.sign_in(&account.email, PASSWORD).await;
    assert_eq!(stage.with(&account.access, "DELETE", "/v1/sessions/current", json!({})).await.status, 204);
    assert_eq!(stage.principal(&account.access).await, Principal::Anonymous);
    assert_eq!(stage.refresh(&account.refresh).await.status, 401);
    assert!(matches!(stage.principal(&token(&elsewhere, "access_token")).await, Principal::User { .. }));
}

#[tokio::test]
async fn a_new_password_or_an_erasure_ends_every_session() {
    let stage = Stage::new().await;
    for erasing in [false, true] {
        let account = stage.account().await;
        let elsewhere = stage.sign_in(&account.email, PASSWORD).await;
        let wrong = json!({ "current_password": OTHER_PASSWORD, "new_password": OTHER_PASSWORD });
        assert_is_problem(
            &stage.with(&account.access, "PUT", "/v1/me/password", wrong).await,
            422,
            "wrong-password",
            "a guess",
        );
        let done = if erasing {
            let wrong = json!({ "current_password": OTHER_PASSWORD });
            assert_is_problem(
                &stage.with(&account.access, "POST", "/v1/me/erase", wrong).await,
                422,
                "wrong-password",
                "a guess",
            );
            stage.with(&account.access, "POST", "/v1/me/erase", json!({ "current_password": PASSWORD })).await
        } else {
            let body = json!({ "current_password": PASSWORD, "new_password": OTHER_PASSWORD });
            stage.with(&account.access, "PUT", "/v1/me/password", body).await
        };
        assert_eq!(done.status, if erasing { 202 } else { 204 }, "{done:?}");
        for access in [&account.access, &token(&elsewhere, "access_token")] {
            assert_eq!(stage.principal(access).await, Principal::Anonymous);
        }
        for refresh in [&account.refresh, &token(&elsewhere, "refresh_token")] {
            assert_is_problem(
                &stage.refresh(refresh).await,
                401,
                "invalid-token",
                "an earlier refresh token",
            );
        }
        assert_eq!(stage.sign_in(&account.email, PASSWORD).await.status, 401);
        assert_eq!(
            stage.sign_in(&account.email, OTHER_PASSWORD).await.status,
            if erasing { 401 } else { 201 }
        );
    }
}

#[tokio::test]
async fn an_unused_session_expires_after_a_month() {
    let stage = Stage::new().await;
    let account = stage.account().await;
    stage.backend.clock.advance_millis(REFRESH_TTL_MS - 60_000);
    let next = stage.refresh(&account.refresh).await;
    assert_eq!(next.status, 200, "{next:?}");
    stage.backend.clock.advance_millis(REFRESH_TTL_MS);
    assert_is_problem(
        &stage.refresh(&token(&next, "refresh_token")).await,
        401,
        "invalid-token",
        "a month later",
    );
}

#[tokio::test]
async fn an_invalid_refresh_token_is_401_and_stores_nothing() {
    let stage = Stage::new().await;
    let account = stage.account().await;
    let session = session_of(&stage, &account.access).await;
    let future = stage.links().refresh_token(session, 2);
    let nowhere = stage.links().refresh_token(SessionId(uuid::Uuid::from_u128(7)), 1);
    let visit = stage.links().visit_token(schema::WaiteeId(session.0));
    for bad in ["", "x", &account.access, &account.refresh[1..], &future, &nowhere, &visit] {
        assert_is_problem(&stage.refresh(bad).await, 401, "invalid-token", bad);
    }
    assert_eq!(stage.commits(session).await.len(), 1);
    assert_eq!(stage.refresh(&account.refresh).await.status, 200, "the valid token stays valid");
}
