//! Sessions: tokens that rotate, what ends them, and what they cost.

use commands::session::{REFRESH_GRACE_MS, REFRESH_TTL_MS};
use infra::http::Principal;
use schema::{
    SessionId, StreamId,
    commit::{Author, Tail},
    session::{Event, State},
};
use serde_json::json;
use waitlist_tests::{
    account::PASSWORD,
    costs::documented,
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
async fn a_refresh_token_is_exchanged_for_the_next_and_serves_once() {
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
async fn a_lost_answer_is_given_again_for_a_while() {
    let stage = Stage::new().await;
    let account = stage.account().await;
    let first = stage.refresh(&account.refresh).await;
    stage.backend.clock.advance_millis(REFRESH_GRACE_MS / 2);
    let again = stage.refresh(&account.refresh).await;
    assert_eq!(again.status, 200, "{again:?}");
    assert_eq!(token(&again, "refresh_token"), token(&first, "refresh_token"), "the same successor");
}

#[tokio::test]
async fn a_lost_answer_is_given_again_until_its_token_is_used() {
    let stage = Stage::new().await;
    let account = stage.account().await;
    let first = stage.refresh(&account.refresh).await;
    let successor = token(&first, "refresh_token");
    for _ in 0..9 {
        stage.backend.clock.advance_millis(60_000);
        let again = stage.refresh(&account.refresh).await;
        assert_eq!((again.status, token(&again, "refresh_token")), (200, successor.clone()));
    }
    assert_eq!(stage.refresh(&successor).await.status, 200, "the client has it after all");
    assert_is_problem(&stage.refresh(&account.refresh).await, 401, "invalid-token", "its successor was used");
    assert_eq!(stage.principal(&account.access).await, Principal::Nobody, "which ends the session");
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
        "the token that was good",
    );
    assert_eq!(
        stage.principal(&token(&next, "access_token")).await,
        Principal::Nobody,
        "no token of the session is"
    );
    let last = stage.commits(session).await.pop().unwrap();
    assert!(last.events.contains("session.reuse-detected"), "{}", last.events);
}

#[tokio::test]
async fn whoever_signs_out_is_out_at_once_and_only_there() {
    let stage = Stage::new().await;
    let account = stage.account().await;
    let elsewhere = stage.sign_in(&account.email, PASSWORD).await;
    assert_eq!(stage.with(&account.access, "DELETE", "/v1/sessions/current", json!({})).await.status, 204);
    assert_eq!(stage.principal(&account.access).await, Principal::Nobody);
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
            assert_eq!(stage.principal(access).await, Principal::Nobody);
        }
        for refresh in [&account.refresh, &token(&elsewhere, "refresh_token")] {
            assert_is_problem(
                &stage.refresh(refresh).await,
                401,
                "invalid-token",
                "a refresh token of before",
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
async fn a_session_runs_out_when_nobody_uses_it() {
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
async fn what_is_no_refresh_token_is_401_and_leaves_no_trace() {
    let stage = Stage::new().await;
    let account = stage.account().await;
    let session = session_of(&stage, &account.access).await;
    let future = stage.backend.secrets.refresh_token(session, 2);
    let nowhere = stage.backend.secrets.refresh_token(SessionId(uuid::Uuid::from_u128(7)), 1);
    let visit = stage.backend.secrets.visit_token(schema::WaiteeId(session.0));
    for bad in ["", "x", &account.access, &account.refresh[1..], &future, &nowhere, &visit] {
        assert_is_problem(&stage.refresh(bad).await, 401, "invalid-token", bad);
    }
    assert_eq!(stage.commits(session).await.len(), 1);
    assert_eq!(stage.refresh(&account.refresh).await.status, 200, "and the good one is still good");
}

/// Many commits of a session that went on for months, as its refreshes left them.
async fn refreshed_before(stage: &Stage, session: SessionId, times: u32) -> String {
    let first = stage.commits(session).await.pop().unwrap();
    let state = first.facts::<Event>().unwrap().remove(0).event.state().unwrap().clone();
    let author = Author {
        tenant: first.tenant,
        actor: first.actor,
        command: None,
        correlation: "past".into(),
        causation: None,
    };
    let (mut tail, mut commits): (Tail, Vec<schema::Commit>) = (first.tail(), Vec::new());
    for number in 2..=times + 1 {
        let now = tail.now(stage.backend.clock.now());
        let event = Event::Refreshed(State { number, refreshed_at: now, ..state.clone() });
        let commit =
            schema::Commit::new(session.into(), &tail, now, stage.backend.clock.id(now), &author, &[event])
                .unwrap();
        tail = commit.tail();
        commits.push(commit);
    }
    stage.put_past(&commits).await;
    stage.backend.secrets.refresh_token(session, times + 1)
}

#[tokio::test]
async fn a_session_refreshed_thousands_of_times_costs_what_it_cost_at_first() {
    let stage = Stage::new().await;
    let account = stage.account().await;
    let session = session_of(&stage, &account.access).await;
    stage.backend.clock.advance_millis(60_000);
    let used = async |access: &str, refresh: &str| {
        let _before = stage.meter.take();
        assert!(matches!(stage.principal(access).await, Principal::User { .. }));
        let asked = stage.meter.take();
        let next = stage.refresh(refresh).await;
        assert_eq!(next.status, 200, "{next:?}");
        (asked, stage.meter.take())
    };
    let (asked, refreshed) = used(&account.access, &account.refresh).await;
    documented(&stage, "the authorizer, once a minute and token", &asked);
    documented(&stage, "refreshing a session, however often it was refreshed", &refreshed);
    if stage.counts_as_documented() {
        assert_eq!(asked.reads.values().sum::<f64>(), 2.0, "session and account: {asked:?}");
        assert_eq!(refreshed.reads.values().sum::<f64>(), 3.0, "{refreshed:?}");
    }
    assert_eq!(
        refreshed.writes.values().sum::<f64>(),
        1.0,
        "one unit, and none for the audit index: {refreshed:?}"
    );

    let account = stage.account().await;
    let session_two = session_of(&stage, &account.access).await;
    assert_ne!(session_two, session);
    let refresh = refreshed_before(&stage, session_two, 3_000).await;
    stage.backend.clock.advance_millis(60_000);
    let access =
        stage.backend.tokens.issue(account.id, session_two, stage.backend.clock.now()).await.unwrap();
    assert_eq!(used(&access, &refresh).await, (asked, refreshed), "after three thousand refreshes");
}

/// An account that does a lot has its session refreshed first; the authorizer never reads on and on.
#[tokio::test]
async fn the_authorizer_reads_three_units_at_most_however_long_the_streams() {
    let stage = Stage::new().await;
    let account = stage.account().await;
    let name = "\u{1d49c}".repeat(100); // the largest commit of an account but its first
    for _ in 0..6 {
        assert_eq!(stage.with(&account.access, "PATCH", "/v1/me", json!({ "name": name })).await.status, 200);
    }
    let _before = stage.meter.take();
    assert!(matches!(stage.principal(&account.access).await, Principal::User { .. }));
    let used = stage.meter.take();
    assert!(!stage.counts_reads() || used.reads.values().sum::<f64>() <= 3.0, "{used:?}");
    for _ in 0..30 {
        let principal =
            Principal::User { id: account.id, exp: i64::MAX / 2_000, session: None, operator: false };
        let body = json!({ "name": name });
        waitlist_tests::stage::send(&stage.backend, Some(principal), "PATCH", "/v1/me", Some(&body), &[])
            .await;
    }
    let _before = stage.meter.take();
    assert_eq!(
        stage.principal(&account.access).await,
        Principal::Nobody,
        "too much has happened to say at this price"
    );
    let used = stage.meter.take();
    assert!(!stage.counts_reads() || used.reads.values().sum::<f64>() <= 3.0, "{used:?}");
    let next = stage.refresh(&account.refresh).await;
    assert!(
        matches!(stage.principal(&token(&next, "access_token")).await, Principal::User { .. }),
        "refreshed, it is asked again"
    );
    assert_eq!(stage.commits(StreamId::from(account.id)).await.len(), 37);
}

#[tokio::test]
async fn signing_in_costs_what_is_stated() {
    let stage = Stage::new().await;
    let account = stage.account().await;
    let mut costs = Vec::new();
    for (email, password) in [
        (account.email.as_str(), PASSWORD),
        (&account.email, OTHER_PASSWORD),
        ("nobody@example.com", PASSWORD),
    ] {
        let _before = stage.meter.take();
        stage.sign_in(email, password).await;
        costs.push(stage.meter.take());
    }
    let [good, wrong, unknown] = &costs[..] else { unreachable!() };
    documented(&stage, "signing in, the account's key at hand", good);
    documented(&stage, "a sign-in with a wrong password, the account's key at hand", wrong);
    documented(&stage, "a sign-in with an unknown address", unknown);
    assert_eq!(good.writes["limits"], 2.0);
    assert_eq!((good.writes["events"], good.writes["events/audit"]), (1.0, 1.0), "{good:?}");
    for refused in [wrong, unknown] {
        assert_eq!(
            (refused.writes.len(), refused.writes["limits"]),
            (1, 2.0),
            "nothing but the counts: {refused:?}"
        );
    }
    if stage.counts_as_documented() {
        assert_eq!(
            (good.reads["events"], good.reads["vault"]),
            (2.0, 1.0),
            "account and session; the claim: {good:?}"
        );
        assert_eq!((wrong.reads["events"], wrong.reads["vault"]), (1.0, 1.0), "{wrong:?}");
        assert_eq!(
            (unknown.reads["events"], unknown.reads["vault"]),
            (1.0, 2.0),
            "a key is looked for: {unknown:?}"
        );
    }
}
