//! The units of sessions.

use std::time::Duration;

use infra::http::Principal;
use schema::{
    SessionId, StreamId,
    commit::{Author, Tail},
    session::{Event, State},
};
use serde_json::json;
use waitlist_tests::{account::PASSWORD, costs::documented, stage::Stage};

use super::{session_of, token};
use crate::accounts::OTHER_PASSWORD;

/// Appends the commits of earlier refreshes. Returns the current refresh token.
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
    stage.links().refresh_token(session, times + 1)
}

#[tokio::test]
async fn a_session_refreshed_thousands_of_times_costs_as_much_as_a_new_one() {
    let stage = Stage::new().await.with_set_age(Duration::ZERO); // neither request reads rows
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

/// The authorizer reads a bounded number of commits. After more changes of the account the session must be
/// refreshed.
#[tokio::test]
async fn the_authorizer_reads_at_most_three_units_on_streams_of_any_length() {
    let stage = Stage::new().await;
    let account = stage.account().await;
    let name = "\u{1d49c}".repeat(100); // the largest commit of an account after its first
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
        Principal::Anonymous,
        "too many changes to check within the bound"
    );
    let used = stage.meter.take();
    assert!(!stage.counts_reads() || used.reads.values().sum::<f64>() <= 3.0, "{used:?}");
    let next = stage.refresh(&account.refresh).await;
    assert!(
        matches!(stage.principal(&token(&next, "access_token")).await, Principal::User { .. }),
        "a refreshed session is checked again"
    );
    assert_eq!(stage.commits(StreamId::from(account.id)).await.len(), 37);
}

#[tokio::test]
async fn a_sign_in_costs_the_documented_units() {
    let stage = Stage::new().await;
    let account = stage.account().await;
    let mut costs = Vec::new();
    for (email, password) in [
        (account.email.as_str(), PASSWORD),
        (&account.email, OTHER_PASSWORD),
        ("unknown@example.com", PASSWORD),
    ] {
        let _before = stage.meter.take();
        stage.sign_in(email, password).await;
        costs.push(stage.meter.take());
    }
    let [good, wrong, unknown] = &costs[..] else { unreachable!() };
    documented(&stage, "signing in, the account's key cached", good);
    documented(&stage, "a sign-in with a wrong password, the account's key cached", wrong);
    documented(&stage, "a sign-in with an unknown address", unknown);
    assert_eq!(good.writes["limits"], 2.0);
    assert_eq!((good.writes["events"], good.writes["events/audit"]), (1.0, 1.0), "{good:?}");
    for refused in [wrong, unknown] {
        assert_eq!(
            (refused.writes.len(), refused.writes["limits"]),
            (1, 2.0),
            "only counts are written: {refused:?}"
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
            "a missing key is looked up as well: {unknown:?}"
        );
    }
}
