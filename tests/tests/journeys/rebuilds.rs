//! Rebuilds of projections by routes of operators. The worker's steps are taken by the tests.

mod barred;
mod busy;
mod clients;
mod command;
mod dead_letters;
mod dry_run;
mod killed;
mod repair;

use std::time::Duration;

use projections::rebuild::Command;
use schema::{
    Actor, UserId,
    id::Component,
    projection::{Event, Name, Phase, Report},
};
use serde_json::{Value, json};
use uuid::Uuid;
use waitlist_tests::{
    rebuilds::DONE,
    stage::{Answer, Owner, Stage},
};

use crate::bad_input::assert_is_problem;

const REBUILDS: &str = "/v1/projections/waitees/rebuilds";

async fn started(operator: &Owner<'_>, body: Value) -> Uuid {
    let answer = operator.post(REBUILDS, body).await;
    assert_eq!(answer.status, 202, "{answer:?}");
    answer.id().parse().unwrap()
}

async fn waitees(operator: &Owner<'_>) -> Value {
    let listed = operator.get("/v1/projections").await;
    let items = listed.body["items"].as_array().unwrap();
    items.iter().find(|item| item["name"] == "waitees").unwrap().clone()
}

#[tokio::test]
async fn of_two_operators_at_once_one_starts_a_rebuild_and_the_other_is_told_which() {
    let stage = Stage::new().await;
    let (ana, ben) = (stage.operator(), stage.operator());
    let (first, second) = tokio::join!(ana.post(REBUILDS, json!({})), ben.post(REBUILDS, json!({})));
    let (won, lost) = if first.status == 202 { (first, second) } else { (second, first) };
    assert_eq!(won.status, 202, "{won:?}");
    assert_eq!(won.header("location"), format!("{REBUILDS}/{}", won.id()));
    assert_eq!(won.header("sync-token"), format!("{}@1", Name::Waitees.stream()));
    assert_is_problem(&lost, 409, "already-running", "the second rebuild");
    assert!(lost.body["detail"].as_str().unwrap().contains(&won.id()), "{lost:?}");
    let other = ben.post("/v1/projections/users/rebuilds", json!({})).await;
    assert_eq!(other.status, 202, "another projection is rebuilt at the same time");
}

#[tokio::test]
async fn a_repeated_start_is_answered_like_the_first_also_after_the_rebuild() {
    let stage = Stage::new().await;
    let operator = stage.operator();
    let body = json!({ "promote": "manual", "reason": "a new field" });
    let start = async |body: &Value, more: &[(&str, &str)]| -> Answer {
        operator.send("POST", REBUILDS, Some(body), &[&[("Idempotency-Key", "a-key")], more].concat()).await
    };
    let first = start(&body, &[]).await;
    assert_eq!(first.status, 202, "{first:?}");
    let is_same = |again: &Answer| {
        assert_eq!((again.status, &again.body), (202, &first.body), "{again:?}");
        for name in ["etag", "sync-token", "location"] {
            assert_eq!(again.header(name), first.header(name));
        }
    };
    is_same(&start(&body, &[]).await);
    let other = start(&json!({ "promote": "manual" }), &[]).await;
    assert_is_problem(&other, 422, "idempotency-key-reused", "another body");
    let once = start(&body, &[("If-None-Match", "*")]).await;
    assert_is_problem(&once, 412, "precondition-failed", "only if it is new");

    operator.post(&format!("{REBUILDS}/{}/cancel", first.id()), json!({})).await;
    started(&operator, json!({})).await;
    is_same(&start(&body, &[]).await);
    assert_eq!(stage.commits(Name::Waitees.stream()).await.len(), 3, "start, cancel, start");
}

#[tokio::test]
async fn every_wrong_field_of_a_start_is_named_and_nothing_is_stored() {
    let stage = Stage::new().await;
    let operator = stage.operator();
    for (body, status, pointers) in [
        (
            json!({ "promote": "later", "write_units_per_second": 0, "reason": "" }),
            422,
            &["/promote", "/write_units_per_second", "/reason"][..],
        ),
        (json!({ "write_units_per_second": 1_000_001 }), 422, &["/write_units_per_second"]),
        (json!({ "reason": "x".repeat(201) }), 422, &["/reason"]),
        (json!({ "promote": 1 }), 400, &["/promote"]),
        (json!({ "write_units_per_second": "fast" }), 400, &["/write_units_per_second"]),
        (json!({ "colour": 1 }), 400, &["/colour"]),
    ] {
        let refused = operator.post(REBUILDS, body.clone()).await;
        let slug = if status == 422 { "invalid-value" } else { "malformed-body" };
        assert_is_problem(&refused, status, slug, &body.to_string());
        let errors = refused.body["errors"].as_array().unwrap();
        assert_eq!(errors.iter().map(|error| &error["pointer"]).collect::<Vec<_>>(), pointers, "{body}");
    }
    for query in ["?limit=0", "?limit=201", "?cursor=x", "?colour=red"] {
        let refused = operator.get(&format!("{REBUILDS}{query}")).await;
        assert_is_problem(&refused, 400, "invalid-parameter", query);
    }
    assert_eq!(stage.commits(Name::Waitees.stream()).await, []);
    let longest = json!({ "reason": "x".repeat(200), "write_units_per_second": 1_000_000 });
    started(&operator, longest).await;
}

#[tokio::test]
async fn a_rebuild_is_followed_from_its_request_to_its_promotion_and_back() {
    let stage = Stage::new().await;
    let (operator, clock) = (stage.operator(), &stage.backend.clock);
    assert_eq!(waitees(&operator).await["rebuild"], Value::Null);
    let id = started(&operator, json!({ "promote": "manual", "reason": "a new field" })).await;
    let path = format!("{REBUILDS}/{id}");
    let seen = operator.get(&path).await;
    assert_eq!((&seen.body["state"], &seen.body["generation"]), (&json!("requested"), &json!(1)));
    assert_eq!(seen.body["requested_by"], format!("user:{}", operator.id));
    assert_eq!(seen.body["segments"], json!({ "done": 0, "of": 0 }));
    let same = operator.send("GET", &path, None, &[("If-None-Match", seen.header("etag"))]).await;
    assert_eq!(same.status, 304, "{same:?}");

    stage.step(Name::Waitees, Command::Prepare { rebuild: id, scans: 3, verifications: 1 }).await;
    clock.advance_millis(35_000 + 10_000); // scanning begins after the hand-over
    let finish = |phase, segment, done| {
        let found = Report::default();
        Command::FinishSegment { rebuild: id, phase, segment, done, found }
    };
    stage.step(Name::Waitees, finish(Phase::Scan, 0, DONE)).await;
    let scanning = operator.get(&path).await.body;
    assert_eq!(scanning["state"], "scanning");
    assert_eq!(scanning["segments"], json!({ "done": 1, "of": 4 }));
    assert_eq!((&scanning["commits"], &scanning["rows"]), (&json!(50), &json!(20)));
    assert_eq!((&scanning["commits_per_second"], &scanning["eta_seconds"]), (&json!(5), &json!(30)));
    assert_eq!(scanning["units"], json!({ "read": 25, "write": 80 }));
    assert_eq!(scanning["report"], Value::Null);
    let early = operator.post(&format!("{path}/promote"), json!({})).await;
    assert_is_problem(&early, 409, "invalid-stage", "a promotion before the verification");
    for segment in [1, 2] {
        stage.step(Name::Waitees, finish(Phase::Scan, segment, Default::default())).await;
    }
    stage.step(Name::Waitees, finish(Phase::Verify, 0, Default::default())).await;
    let ready = operator.get(&path).await.body;
    assert_eq!((&ready["state"], &ready["report"]["drift"]), (&json!("ready"), &json!(0)));

    for _ in 0..2 {
        let promoted = operator.post(&format!("{path}/promote"), json!({})).await;
        assert_eq!((promoted.status, promoted.id()), (202, id.to_string()), "{promoted:?}");
    }
    let live = waitees(&operator).await;
    assert_eq!((&live["live"], &live["previous"], &live["rows"]), (&json!(1), &json!(0), &json!(20)));
    let late = operator.post(&format!("{path}/cancel"), json!({})).await;
    assert_is_problem(&late, 409, "invalid-stage", "a promoted rebuild is cancelled");
    for _ in 0..2 {
        let back = operator.post("/v1/projections/waitees/rollback", json!({})).await;
        assert_eq!((back.status, back.id()), (200, Name::Waitees.stream().id.to_string()), "{back:?}");
    }
    let back = waitees(&operator).await;
    assert_eq!(
        (&back["live"], &back["previous"], &back["rebuild"]["state"]),
        (&json!(0), &json!(1), &json!("rolled-back"))
    );
    for _ in 0..2 {
        assert_eq!(operator.post("/v1/projections/waitees/retire", json!({})).await.status, 200);
    }
    assert_eq!(waitees(&operator).await["previous"], Value::Null);
    let none = operator.post("/v1/projections/waitees/rollback", json!({})).await;
    assert_is_problem(&none, 409, "no-former-generation", "a second step back");
}

#[tokio::test]
async fn a_command_of_an_operator_is_stored_with_their_account_and_no_tenant() {
    let stage = Stage::new().await;
    let (ana, ben) = (stage.operator(), stage.operator());
    let id = started(&ana, json!({})).await;
    assert_eq!(ben.post(&format!("{REBUILDS}/{id}/cancel"), json!({})).await.status, 202);
    let commits = stage.commits(Name::Waitees.stream()).await;
    for (commit, person) in commits.iter().zip([ana.id, ben.id]) {
        assert_eq!(commit.actor, Actor::System(Component::Operator));
        assert_eq!(commit.tenant, UserId(Uuid::nil()));
        let facts = commit.facts::<Event>().unwrap();
        assert_eq!(facts[0].event.state().by, Some(person));
        assert_eq!(facts[0].event.state().rebuilds[0].requested_by, Actor::User(ana.id));
    }
}

#[tokio::test]
async fn a_command_with_a_stale_if_match_is_refused() {
    let stage = Stage::new().await;
    let operator = stage.operator();
    let id = started(&operator, json!({})).await;
    let cancel = format!("{REBUILDS}/{id}/cancel");
    stage.step(Name::Waitees, Command::Prepare { rebuild: id, scans: 1, verifications: 1 }).await;
    let stale = operator.send("POST", &cancel, None, &[("If-Match", "\"1\"")]).await;
    assert_is_problem(&stale, 412, "precondition-failed", "If-Match names an earlier state");
    let seen = operator.get(&format!("{REBUILDS}/{id}")).await;
    let fresh = operator.send("POST", &cancel, None, &[("If-Match", seen.header("etag"))]).await;
    assert_eq!(fresh.status, 202, "{fresh:?}");
}

#[tokio::test]
async fn nothing_is_promoted_while_a_doorbell_is_parked() {
    let stage = Stage::new().await;
    let operator = stage.operator();
    let id = started(&operator, json!({ "promote": "manual" })).await;
    stage.make_ready(Name::Waitees, id).await;
    stage.backend.retries.send("{}", Duration::ZERO).await.unwrap();
    let promote = format!("{REBUILDS}/{id}/promote");
    let refused = operator.post(&promote, json!({})).await;
    assert_is_problem(&refused, 409, "doorbells-parked", "a doorbell is parked");
    let message = stage.backend.retries.receive(1).await.unwrap().remove(0);
    stage.backend.retries.delete(&message.receipt).await.unwrap();
    assert_eq!(operator.post(&promote, json!({})).await.status, 202);
    stage.backend.retries.send("{}", Duration::ZERO).await.unwrap();
    assert_eq!(operator.post(&promote, json!({})).await.status, 202, "a repeat changes nothing");
}

#[tokio::test]
async fn rebuilds_are_listed_by_the_page_newest_first_up_to_twenty() {
    let stage = Stage::new().await;
    let operator = stage.operator();
    let mut all = Vec::new();
    for _ in 0..22 {
        let id = started(&operator, json!({})).await;
        assert_eq!(operator.post(&format!("{REBUILDS}/{id}/cancel"), json!({})).await.status, 202);
        all.insert(0, id.to_string());
    }
    all.truncate(20);
    let mut found: Vec<String> = Vec::new();
    let mut path = format!("{REBUILDS}?limit=7");
    loop {
        let page = operator.get(&path).await;
        let items = page.body["items"].as_array().unwrap();
        assert!(items.len() <= 7);
        found.extend(items.iter().map(|item| item["id"].as_str().unwrap().to_owned()));
        let Some(next) = page.body["next"].as_str() else { break };
        path = format!("{REBUILDS}?limit=7&cursor={next}");
    }
    assert_eq!(found, all);
    let whole = operator.get(REBUILDS).await.body;
    assert_eq!((whole["items"].as_array().unwrap().len(), &whole["next"]), (20, &Value::Null));
    let gone = operator.get(&format!("{REBUILDS}/{}", Uuid::from_u128(7))).await;
    assert_is_problem(&gone, 404, "not-found", "an unknown rebuild");

    let first = operator.get("/v1/projections?limit=3").await.body;
    let rest = format!("/v1/projections?cursor={}", first["next"].as_str().unwrap());
    let names = |page: &Value| -> Vec<String> {
        let items = page["items"].as_array().unwrap().iter();
        items.map(|item| item["name"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(names(&first), ["mails", "users", "waitees"]);
    assert_eq!(names(&operator.get(&rest).await.body), ["waitlists"]);
}
