//! Alarms run through on a local server: the fault, its metric, and the steps of the runbook that end it.
//!
//! Findings of a scheduled sweep are run through with the function `sweep`, in the tests of the lambdas. That functions are throttled
//! is known to AWS alone; what follows from it, late records and messages, is tried here by tables that refuse writes.

mod feed;
mod throttle;

use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use infra::{
    Clock,
    function::REBUILDS,
    queue::{Queue, RECEIVE_MAX, TableQueue},
};
use schema::table::{EVENTS, QUEUE, WAITEES};
use serde_json::{Value, json};

use crate::{
    metrics::Shown,
    night::owner,
    place::{Place, number, text},
    raw::scan,
};

#[tokio::test]
async fn an_altered_event_is_counted_found_by_verify_and_put_back() {
    let place = Place::new();
    let server = place.serve(&[]).await;
    let token = server.token(owner());
    let room = json!({ "name": "Main room", "time_zone": "America/Los_Angeles", "region": "US" });
    let made = server.send(Some(&token), "POST", "/v1/waitlists", Some(&room), &[]).await.unwrap();
    assert_eq!(made.status, 201);
    place.settled(&server).await;
    assert_eq!(Shown::by(&server).await.value("altered_events"), 0.0);

    let (dynamodb, stream) = (place.dynamodb().await, format!("waitlist-{}", made.id()));
    let event = scan(&dynamodb, &EVENTS, &place.prefix).await;
    let event = event.into_iter().find(|item| text(item, "stream") == stream).unwrap();
    let mut altered = event.clone();
    let events = text(&event, "events").replace("Main room", "Side room");
    altered.insert("events".to_owned(), AttributeValue::S(events));
    let put = |item| dynamodb.put_item().table_name(EVENTS.name(&place.prefix)).set_item(Some(item)).send();
    put(altered).await.unwrap();
    Shown::when(&server, "altered_events", 1.0).await;
    let found = place.run(&["verify", "--all"]).await;
    assert_eq!(found.code, Some(1), "{found:?}");
    let named = format!("{}{}", found.out, found.err);
    assert!(named.contains(&stream) && named.contains(&number(&event, "seq").to_string()), "{named}");

    put(event).await.unwrap();
    let found = place.run(&["verify", "--all"]).await;
    assert_eq!(found.code, Some(0), "{found:?}");
    assert_eq!(server.interrupt().await, Some(0));
}

#[tokio::test]
async fn a_silent_tick_looks_again_once_it_is_called() {
    let place = Place::new();
    let server = place.serve_with(&["--no-tick"], &[]).await;
    let shown = Shown::by(&server).await;
    assert_eq!((shown.value("tick_looks"), shown.value("tick_looked_at_seconds")), (0.0, 0.0));
    assert!(place.run(&["status"]).await.out.contains("last tick  none since the server started"));
    assert_eq!(place.run(&["tick"]).await.code, Some(0), "the command does the work of one look");
    assert_eq!(server.interrupt().await, Some(0));

    let server = place.serve(&[]).await;
    Shown::when(&server, "tick_looks", 1.0).await;
    assert!(place.run(&["status"]).await.out.contains(" ago\n"));
    assert_eq!(server.interrupt().await, Some(0));
}

#[tokio::test]
async fn answers_of_5xx_are_counted_until_the_damaged_row_that_causes_them_is_written_anew() {
    let place = Place::new();
    let server = place.serve(&[]).await;
    let token = server.token(owner());
    let ask = async |method: &str, path: &str, body: Option<Value>| {
        server.send(Some(&token), method, path, body.as_ref(), &[]).await.unwrap()
    };
    let room = json!({ "name": "Main room", "time_zone": "America/Los_Angeles", "region": "US" });
    let board = format!("/v1/waitlists/{}/waitees", ask("POST", "/v1/waitlists", Some(room)).await.id());
    let party = ask("POST", &board, Some(json!({ "name": "Ana", "party_size": 2 }))).await.id();
    place.settled(&server).await;
    assert_eq!(ask("GET", &board, None).await.status, 200);
    assert_eq!(Shown::by(&server).await.value("http_answers{class=\"5xx\"}"), 0.0);

    let (dynamodb, rows) = (place.dynamodb().await, WAITEES.generation(0));
    let mut row = scan(&dynamodb, &rows, &place.prefix).await.remove(0);
    row.remove("seq");
    dynamodb.put_item().table_name(rows.name(&place.prefix)).set_item(Some(row)).send().await.unwrap();
    assert_eq!(ask("GET", &board, None).await.status, 500);
    let counted = Shown::by(&server).await.value("http_answers{class=\"5xx\"}");
    assert_eq!(counted, 1.0);
    assert!(server.logs().contains(&format!("read row {party} of waitees")), "{}", server.logs());

    let repaired = place.run(&["rebuild", "start", "waitees", "--stream", &format!("waitee-{party}")]).await;
    assert_eq!(repaired.code, Some(0), "{repaired:?}");
    let shown = ask("GET", &board, None).await;
    assert_eq!((shown.status, &shown.body["items"][0]["name"]), (200, &json!("Ana")));
    assert_eq!(Shown::by(&server).await.value("http_answers{class=\"5xx\"}"), counted);
    assert_eq!(server.interrupt().await, Some(0));
}

#[tokio::test]
async fn messages_that_fail_are_counted_until_the_carrier_takes_them_again() {
    let place = Place::new();
    let server = place.serve_with(&["--manual-clock"], &[]).await;
    let token = server.token(owner());
    let post = async |path: &str, body: Value| {
        let answer = server.send(Some(&token), "POST", path, Some(&body), &[]).await.unwrap();
        assert!(answer.status < 300, "{answer:?}");
        answer.id()
    };
    let room = json!({ "name": "Main room", "time_zone": "America/Los_Angeles", "region": "US", "hold_minutes": 60 });
    let board = format!("/v1/waitlists/{}/waitees", post("/v1/waitlists", room).await);
    let party = post(&board, json!({ "name": "Ana", "party_size": 2, "email": "ana@example.com" })).await;
    let (outbox, aside) = (place.path().join("outbox"), place.path().join("aside"));
    if outbox.exists() {
        std::fs::rename(&outbox, &aside).unwrap();
    }
    std::fs::write(&outbox, "not a directory").unwrap();
    let call = format!("/v1/waitees/{party}/call");
    post(&call, json!({})).await;
    for attempt in 1..ATTEMPTS {
        let retried = "delivery_attempts{kind=\"table-ready\",outcome=\"retried\"}";
        Shown::when(&server, retried, f64::from(attempt)).await;
        assert_eq!(place.run(&["clock", "advance", "2m"]).await.code, Some(0));
    }
    assert_eq!(Shown::when(&server, "deliveries_failed", 1.0).await.value("deliveries_failed"), 1.0);
    assert!(server.logs().contains("the carrier refused the message"), "{}", server.logs());

    std::fs::remove_file(&outbox).unwrap();
    post(&call, json!({})).await;
    let sent = "delivery_attempts{kind=\"table-ready\",outcome=\"sent\"}";
    assert_eq!(Shown::when(&server, sent, 1.0).await.value("deliveries_failed"), 1.0);
    assert_eq!(server.interrupt().await, Some(0));
}

/// The attempts to send a message to a guest.
const ATTEMPTS: u32 = 5;

/// The longest time of a step of a rebuild.
const STEP_MAX: Duration = Duration::from_secs(60);
const POLL: Duration = Duration::from_millis(100);
/// After this many polls without a message, none is on its way.
const QUIET_POLLS: usize = 20;

async fn stage(place: &Place) -> String {
    let ran = place.run(&["rebuild", "status", "waitees", "--json"]).await;
    let status: Value = serde_json::from_str(&ran.out).unwrap();
    status["state"].as_str().unwrap().to_owned()
}

async fn reaches(place: &Place, wanted: &str) {
    let reached = async {
        while stage(place).await != wanted {
            tokio::time::sleep(POLL).await;
        }
    };
    tokio::time::timeout(STEP_MAX, reached).await.unwrap_or_else(|_| panic!("the rebuild is never {wanted}"));
}

/// Deletes the steps that wait until the candidate may be scanned.
async fn lose_the_steps(place: &Place) {
    let clock = Clock::system();
    clock.advance_millis(60_000); // the steps are delayed by less
    let table = QUEUE.name(&place.prefix);
    let queue = TableQueue::new(place.dynamodb().await, table, REBUILDS.name, REBUILDS.policy, clock);
    let (queue, mut quiet, mut lost) = (Queue::Table(queue), 0, 0);
    while quiet < QUIET_POLLS {
        let messages = queue.receive(RECEIVE_MAX).await.unwrap();
        quiet = if messages.is_empty() { quiet + 1 } else { 0 };
        for message in messages {
            queue.delete(&message.receipt).await.unwrap();
            lost += 1;
        }
        tokio::time::sleep(POLL).await;
    }
    assert!(lost > 0, "no step was queued");
}

#[tokio::test]
async fn a_rebuild_that_lost_its_steps_ages_until_a_sweep_sends_them_again() {
    let place = Place::new();
    let server = place.serve_with(&["--manual-clock"], &[]).await;
    assert_eq!(place.run(&["rebuild", "start", "waitees"]).await.code, Some(0));
    reaches(&place, "prepared").await;
    lose_the_steps(&place).await;
    assert_eq!(place.run(&["clock", "advance", "61m"]).await.code, Some(0));
    let shown = Shown::when(&server, "rebuild_age_seconds", 3_600.0).await;
    assert_eq!(shown.value("rebuild_segments_done{projection=\"waitees\"}"), 0.0);
    assert!(shown.value("rebuild_segments{projection=\"waitees\"}") >= 64.0);

    let swept = place.run(&["sweep"]).await;
    assert_eq!(swept.code, Some(0), "{swept:?}");
    reaches(&place, "promoted").await;
    let looks = Shown::by(&server).await.value("tick_looks");
    assert_eq!(place.run(&["clock", "advance", "61s"]).await.code, Some(0));
    Shown::when(&server, "tick_looks", looks + 1.0).await;
    assert_eq!(Shown::by(&server).await.value("rebuild_age_seconds"), 0.0);
    assert_eq!(server.interrupt().await, Some(0));
}
