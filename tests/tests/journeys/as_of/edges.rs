//! The first and the last millisecond of what is shown.

use infra::log::Appended;
use schema::{
    Actor, Commit, StreamId, Time, WaiteeId,
    commit::Author,
    message::{self, Channel, Kind, MessageId, Started},
    waitee::Event,
};
use serde_json::{Value, json};
use waitlist_tests::stage::{Owner, Stage};

use super::{LATER_MS, at, does, join, names, project};
use crate::bad_input::assert_is_problem;

/// The time of a stream's last commit.
async fn last_at(stage: &Stage, stream: impl Into<StreamId>) -> Time {
    stage.commits(stream).await.last().unwrap().at
}

fn visit(party: &str) -> WaiteeId {
    party.parse().unwrap()
}

#[tokio::test]
async fn a_commit_is_shown_from_its_own_millisecond_on() {
    let stage = Stage::new().await;
    let owner = stage.owner();
    let clock = &stage.backend.clock;
    let begun = clock.now();
    clock.advance_millis(5_000);
    let list = owner.list("Main room").await;
    let (path, board) = (format!("/v1/waitlists/{list}"), format!("/v1/waitlists/{list}/waitees"));
    let created = clock.now();
    clock.advance_millis(5_000);
    let ana = join(&stage, &owner, &list, json!({})).await;
    let (party, joined) = (format!("/v1/waitees/{ana}"), last_at(&stage, visit(&ana)).await);
    clock.advance_millis(5_000);
    does(&stage, &owner, &ana, "seat").await;
    let seated = last_at(&stage, visit(&ana)).await;
    clock.advance_millis(5_000);
    does(&stage, &owner, &ana, "restore").await;
    let restored = last_at(&stage, visit(&ana)).await;
    clock.advance_millis(LATER_MS);

    let get = async |path: &str, time| owner.get(&at(path, time)).await;
    for before in [Time::from_millis(0), begun, created.plus_millis(-1)] {
        for path in [&path, &board, &party] {
            assert_is_problem(&get(path, before).await, 404, "not-found", "before the list");
        }
    }
    for (time, active, state, seq) in [
        (created, 0, Value::Null, 0),
        (joined.plus_millis(-1), 0, Value::Null, 0),
        (joined, 1, json!("waiting"), 1),
        (seated.plus_millis(-1), 1, json!("waiting"), 1),
        (seated, 0, json!("seated"), 2),
        (restored.plus_millis(-1), 0, json!("seated"), 2),
        (restored, 1, json!("waiting"), 3),
    ] {
        assert_eq!(get(&path, time).await.body["active"], active, "{time}");
        assert_eq!(names(&get(&board, time).await).len(), active, "{time}");
        let shown = get(&party, time).await;
        if seq == 0 {
            assert_is_problem(&shown, 404, "not-found", "before the party joined");
            continue;
        }
        let position = if active == 1 { json!(1) } else { Value::Null };
        assert_eq!(
            (&shown.body["state"], &shown.body["seq"], &shown.body["position"]),
            (&state, &json!(seq), &position),
            "{time}"
        );
        assert_eq!(shown.body["finished_at"].is_string(), state == "seated", "{time}");
    }
}

#[tokio::test]
async fn the_latest_time_is_ten_seconds_ago_in_any_zone_and_precision() {
    let stage = Stage::new().await;
    let owner = stage.owner();
    let list = owner.list("Main room").await; // at 2026-11-21T03:00:00Z
    stage.backend.clock.advance_millis(20_000);
    for (text, status) in [
        ("2026-11-21T03:00:10Z", 200),
        ("2026-11-21T03:00:10.000999Z", 200),
        ("2026-11-21T03:00:10.001Z", 400),
        ("2026-11-21T03:00:20Z", 400),
        ("2026-11-20T19:00:10-08:00", 200),
        ("2026-11-20T19:00:11-08:00", 400),
        ("2026-11-21T12:00:05%2B09:00", 200),
        ("2026-11-21t03:00:00z", 200),
        ("2026-11-21T02:59:59.999Z", 404),
        ("0000-01-01T00:00:00Z", 404),
        ("9999-12-31T23:59:59Z", 400),
    ] {
        for path in [format!("/v1/waitlists/{list}"), format!("/v1/waitlists/{list}/waitees")] {
            let answer = owner.get(&format!("{path}?as_of={text}")).await;
            assert_eq!(answer.status, status, "{text}: {answer:?}");
        }
    }
}

#[tokio::test]
async fn a_deleted_list_is_shown_as_of_a_time_before_its_deletion() {
    let stage = Stage::new().await;
    let owner = stage.owner();
    let clock = &stage.backend.clock;
    let list = owner.list("Main room").await;
    let ana = join(&stage, &owner, &list, json!({})).await;
    let open = clock.now();
    clock.advance_millis(60_000);
    does(&stage, &owner, &ana, "seat").await;
    let path = format!("/v1/waitlists/{list}");
    for (method, what) in [("POST", "/close"), ("DELETE", "")] {
        let answer = owner.send(method, &format!("{path}{what}"), None, &[]).await;
        assert!(answer.status < 300, "{answer:?}");
        project(&stage, &answer).await;
    }
    let deleted = clock.now().plus_millis(1); // two commits in one millisecond are a millisecond apart
    clock.advance_millis(LATER_MS);
    assert_is_problem(&owner.get(&path).await, 404, "not-found", "live");
    let shown = owner.get(&at(&path, open)).await;
    assert_eq!((&shown.body["open"], &shown.body["active"]), (&json!(true), &json!(1)), "{shown:?}");
    assert_eq!(names(&owner.get(&at(&format!("{path}/waitees"), open)).await), ["Ana"]);
    let party = format!("/v1/waitees/{ana}");
    assert_eq!(owner.get(&at(&party, open)).await.body["position"], 1);
    assert_eq!(owner.get(&at(&path, deleted.plus_millis(-1))).await.body["open"], false);
    for path in [path.clone(), format!("{path}/waitees"), party] {
        assert_is_problem(&owner.get(&at(&path, deleted)).await, 404, "not-found", &path);
    }
}

#[tokio::test]
async fn each_of_many_settings_of_a_list_is_found_by_its_time() {
    let stage = Stage::new().await;
    let owner = stage.owner();
    let list = owner.list("Room 0").await;
    let path = format!("/v1/waitlists/{list}");
    let begun = stage.backend.clock.now();
    let count = 37;
    for number in 1..count {
        stage.backend.clock.advance_millis(1_000);
        let body = json!({ "name": format!("Room {number}") });
        assert_eq!(owner.send("PATCH", &path, Some(&body), &[]).await.status, 200);
    }
    stage.backend.clock.advance_millis(LATER_MS + 1_000);
    for number in 0..count {
        for ms in [0, 1, 999] {
            let shown = owner.get(&at(&path, begun.plus_millis(1_000 * number + ms))).await;
            assert_eq!(shown.body["name"], format!("Room {number}"), "{shown:?}");
            assert_eq!(shown.body["seq"], 1 + number, "{shown:?}");
        }
    }
}

#[tokio::test]
async fn a_message_whose_lease_had_not_expired_then_is_shown_as_started() {
    let stage = Stage::new().await;
    let owner = stage.owner();
    let list = owner.list("Main room").await;
    let ana = join(&stage, &owner, &list, json!({ "phone": "(415) 555-2671" })).await;
    does(&stage, &owner, &ana, "call").await;
    let called = last_at(&stage, visit(&ana)).await;
    stage.backend.clock.advance_millis(5_000);
    let until = called.plus_minutes(1);
    let message = MessageId { kind: Kind::TableReady, cause: 2 };
    let started = Started { message, attempt: 1, channel: Channel::Sms, until };
    let leased = append(&stage, &owner, &ana, Event::Notification(message::Event::Started(started))).await;
    does(&stage, &owner, &ana, "leave").await;
    stage.backend.clock.advance_millis(120_000);
    let party = format!("/v1/waitees/{ana}");
    for (time, status) in [
        (called, "due"),
        (leased.plus_millis(-1), "due"),
        (leased, "started"),
        (until.plus_millis(-1), "started"),
        (until, "unknown"),
    ] {
        let shown = owner.get(&at(&party, time)).await;
        assert_eq!(shown.body["notifications"][0]["status"], status, "{time}: {shown:?}");
    }
}

/// Appends an event of a visit. Returns its time.
async fn append(stage: &Stage, owner: &Owner<'_>, party: &str, event: Event) -> Time {
    let (stream, clock) = (StreamId::from(visit(party)), &stage.backend.clock);
    let tail = stage.commits(stream).await.last().unwrap().tail();
    let author = Author {
        tenant: owner.id,
        actor: Actor::User(owner.id),
        command: None,
        correlation: "as-of".into(),
        causation: None,
    };
    let now = tail.now(clock.now());
    let commit = Commit::new(stream, &tail, now, clock.id(now), &author, &[event]).unwrap();
    let appended = stage.backend.log.append(&[commit], Vec::new()).await.unwrap();
    assert_eq!(appended, Appended::Landed);
    now
}
