//! Alarms about the stream of events and its two readers.

use std::time::Duration;

use aws_sdk_dynamodb::{
    Client,
    types::{StreamSpecification, StreamViewType},
};
use schema::table::EVENTS;
use serde_json::{Value, json};
use waitlist_tests::{process::Server, template::resource};

use super::throttle::Throttled;
use crate::{
    metrics::Shown,
    night::owner,
    place::{Place, is_external},
};

const ROWS: &str = "events-waitees-g0";
const QUEUES: &str = "queue";
const LAG: &str = "feed_lag_milliseconds{projection=\"waitees\"}";
const PROJECTOR_AGE: &str = "stream_age_milliseconds{consumer=\"projector\"}";
const REACTOR_AGE: &str = "stream_age_milliseconds{consumer=\"reactor\"}";
const POINTERS: &str = "queued_messages{queue=\"failed-batches\"}";
const PARKED: &str = "queued_messages{queue=\"retries\"}";
const DEAD: &str = "dead_letters{queue=\"retries\"}";
const SHOWN_MAX: Duration = Duration::from_secs(60);
const POLL: Duration = Duration::from_millis(100);

/// The value beyond which an alarm of the template begins.
fn threshold(alarm: &str) -> f64 {
    resource(alarm).property("Threshold").as_f64().unwrap()
}

/// A host of a server, with one list.
struct Host<'s> {
    server: &'s Server,
    token: String,
    board: String,
}

impl<'s> Host<'s> {
    async fn of(server: &'s Server) -> Self {
        let mut host = Self { server, token: server.token(owner()), board: String::new() };
        let room = json!({ "name": "Main room", "time_zone": "America/Los_Angeles", "region": "US" });
        host.board = format!("/v1/waitlists/{}/waitees", host.post("/v1/waitlists", room).await);
        host.shows(0).await;
        host
    }

    async fn post(&self, path: &str, body: Value) -> String {
        let answer = self.server.send(Some(&self.token), "POST", path, Some(&body), &[]).await.unwrap();
        assert!(answer.status < 300, "{answer:?}");
        answer.id()
    }

    async fn add(&self, name: &str) -> String {
        self.post(&self.board, json!({ "name": name, "party_size": 2 })).await
    }

    /// The parties on the board as the rows have it; `None` while they lack the list.
    async fn parties(&self) -> Option<usize> {
        let board = self.server.send(Some(&self.token), "GET", &self.board, None, &[]).await.unwrap();
        board.body["items"].as_array().map(Vec::len)
    }

    async fn shows(&self, parties: usize) {
        let shown = async {
            while self.parties().await != Some(parties) {
                tokio::time::sleep(POLL).await;
            }
        };
        let in_time = tokio::time::timeout(SHOWN_MAX, shown).await;
        in_time.unwrap_or_else(|_| panic!("the board never shows {parties}\n{}", self.server.logs()));
    }
}

/// Takes the stream from the table of events, or gives it another one.
async fn set_stream(place: &Place, dynamodb: &Client, is_on: bool) {
    let stream = StreamSpecification::builder().stream_enabled(is_on);
    let stream = if is_on { stream.stream_view_type(StreamViewType::NewImage) } else { stream };
    let update = dynamodb.update_table().table_name(EVENTS.name(&place.prefix));
    update.stream_specification(stream.build().unwrap()).send().await.unwrap();
}

#[tokio::test]
async fn commits_that_a_lost_stream_did_not_carry_are_lag_and_a_pointer_until_a_sweep_rings_them() {
    if is_external() {
        return; // other engines close the stream's shards some time after the call
    }
    let place = Place::new();
    let server = place.serve_with(&["--manual-clock"], &[]).await;
    let host = Host::of(&server).await;
    let dynamodb = place.dynamodb().await;
    let shown = Shown::by(&server).await;
    assert!(shown.value(LAG) < threshold("BoardsBehind") && shown.value(POINTERS) == 0.0);

    set_stream(&place, &dynamodb, false).await;
    host.add("Ana").await;
    assert!(Shown::by(&server).await.value(LAG) > 0.0, "the newest event is in no row");
    assert_eq!(place.run(&["clock", "advance", "61s"]).await.code, Some(0));
    for (age, alarm) in [(PROJECTOR_AGE, "ProjectorBehind"), (REACTOR_AGE, "ReactorBehind")] {
        let shown = Shown::when(&server, age, threshold(alarm) + 1.0).await;
        assert!(shown.value(LAG) > threshold("BoardsBehind"));
    }
    let status = place.run(&["status", "--json"]).await;
    let status: Value = serde_json::from_str(&status.out).unwrap();
    for projection in status["projections"].as_array().unwrap() {
        assert!(projection["lag_ms"].as_u64().unwrap() > 60_000, "{projection}");
    }

    // The pump tells that commits are missing, for each of its two consumers, and does not call them taken.
    set_stream(&place, &dynamodb, true).await;
    Shown::when(&server, POINTERS, threshold("StreamFailuresAlarm") + 2.0).await;
    Shown::falls(&server, REACTOR_AGE, threshold("ReactorBehind")).await;
    assert!(Shown::by(&server).await.value(LAG) > threshold("BoardsBehind"));
    assert_eq!(host.parties().await, Some(0));
    assert!(server.logs().contains("gave up stream records; run `waitlist sweep`"), "{}", server.logs());

    assert_eq!(place.run(&["clock", "advance", "61s"]).await.code, Some(0));
    let swept = place.run(&["sweep"]).await;
    assert_eq!(swept.code, Some(0), "{swept:?}");
    assert!(swept.out.contains("1 doorbell rung again") && swept.out.contains("2 pointers"), "{swept:?}");
    host.shows(1).await;
    assert_eq!(Shown::falls(&server, LAG, threshold("BoardsBehind")).await.value(POINTERS), 0.0);
    host.add("Ben").await;
    host.shows(2).await;
    assert_eq!(server.interrupt().await, Some(0));
}

#[tokio::test]
async fn rows_and_reactions_fall_behind_while_neither_rows_nor_queues_take_writes_and_catch_up_after() {
    let throttled = Throttled::new().await;
    let server = throttled.serve().await;
    let host = Host::of(&server).await;
    throttled.refuse(&[ROWS, QUEUES]);
    let party = host.add("Ana").await;
    host.post(&format!("/v1/waitees/{party}/call"), json!({})).await;
    assert_eq!(throttled.run(&["clock", "advance", "61s"]).await.code, Some(0));
    for (age, alarm) in [(PROJECTOR_AGE, "ProjectorBehind"), (REACTOR_AGE, "ReactorBehind")] {
        Shown::when(&server, age, threshold(alarm) + 1.0).await;
    }
    assert!(Shown::by(&server).await.value(LAG) > threshold("BoardsBehind"));
    assert_eq!(host.parties().await, Some(0));

    throttled.refuse(&[]);
    host.shows(1).await;
    for (age, alarm) in [(PROJECTOR_AGE, "ProjectorBehind"), (REACTOR_AGE, "ReactorBehind")] {
        Shown::falls(&server, age, threshold(alarm)).await;
    }
    assert_eq!(Shown::falls(&server, LAG, threshold("BoardsBehind")).await.value(POINTERS), 0.0);
    assert_eq!(server.interrupt().await, Some(0));
}

#[tokio::test]
async fn throttled_calls_are_counted_and_the_doorbell_that_died_meanwhile_is_redriven() {
    let throttled = Throttled::new().await;
    let server = throttled.serve().await;
    let host = Host::of(&server).await;
    assert_eq!(Shown::by(&server).await.value("throttled_calls"), 0.0);
    throttled.refuse(&[ROWS]);
    host.add("Ana").await;
    Shown::when(&server, "throttled_calls", threshold("CallsThrottled") + 1.0).await;
    Shown::when(&server, PARKED, 1.0).await;
    let mut dead = 0.0;
    while dead == 0.0 {
        assert_eq!(throttled.run(&["clock", "advance", "181s"]).await.code, Some(0));
        tokio::time::sleep(POLL).await;
        dead = Shown::by(&server).await.value(DEAD);
    }
    // A dead doorbell is lag, but keeps no other record waiting.
    let shown = Shown::falls(&server, PROJECTOR_AGE, threshold("ProjectorBehind")).await;
    assert!(shown.value(LAG) > threshold("BoardsBehind"));

    throttled.refuse(&[]);
    let counted = shown.value("throttled_calls");
    assert_eq!(throttled.run(&["dead-letters", "redrive", "--all"]).await.code, Some(0));
    host.shows(1).await;
    let shown = Shown::falls(&server, LAG, threshold("BoardsBehind")).await;
    assert_eq!((shown.value(DEAD), shown.value("throttled_calls")), (0.0, counted));
    assert_eq!(server.interrupt().await, Some(0));
}
