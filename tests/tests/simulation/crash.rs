//! Aborts the server at each named point and restarts it on the same data: acknowledged commands are in the
//! log exactly once, and rows catch up.

mod scenario;

use std::env;

use aws_sdk_dynamodb::types::AttributeValue;
use schema::{StreamId, UserId, table::EVENTS};
use serde_json::json;
use uuid::Uuid;

use self::scenario::Scenario;
use crate::oracle::{PATIENCE, POLL, Tables, text};

const OWNER: UserId = UserId(Uuid::from_u128(7));

// The number of parties: at least the minimum, then more until the last abort, up to the maximum.
const PARTIES_MIN: u32 = 3;
const PARTIES_MAX: u32 = 60;

/// Whether the engine runs apart from the server, so that these tests are skipped.
fn engine_is_separate() -> bool {
    let is_separate = env::var_os("AWS_ENDPOINT_URL_DYNAMODB").is_some();
    if is_separate {
        println!("SKIPPED crash: an engine must die with the server, so only the embedded one will do");
    }
    is_separate
}

/// Runs a scenario in which the server aborts at these passings of the point, one run after the other.
async fn scenario(point: &'static str, aborts: &[u32]) {
    if engine_is_separate() {
        return;
    }
    let mut scenario = Scenario::begin(point, aborts).await;
    let made = json!({ "name": "Main room", "time_zone": "America/Los_Angeles", "region": "US" });
    let list = scenario.send("POST", "/v1/waitlists", Some(made)).await.id();
    scenario.acknowledged.insert(format!("waitlist-{list}").parse().unwrap(), vec!["waitlist.created"]);
    for number in 0..PARTIES_MAX {
        if number >= PARTIES_MIN && scenario.aborts.is_empty() {
            break;
        }
        scenario.party(&list, number).await;
    }
    // The feed may pass its point after the last request was answered.
    while !scenario.aborts.is_empty() {
        scenario.restart().await;
    }
    scenario.check().await;
    assert_eq!(scenario.server.interrupt().await, Some(0));
}

/// Runs scenarios with an early abort, a late abort, and a second abort right after the restart.
async fn scenarios(point: &'static str, nth: u32) {
    scenario(point, &[nth]).await;
    scenario(point, &[nth + 4]).await;
    scenario(point, &[1, 2]).await;
}

#[tokio::test]
async fn abort_after_a_key_was_put() {
    scenarios("vault.key-put", 3).await;
}

#[tokio::test]
async fn abort_before_a_commit_is_appended() {
    scenarios("log.append", 5).await;
}

#[tokio::test]
async fn abort_after_a_commit_was_appended_and_before_it_was_acknowledged() {
    scenarios("log.appended", 5).await;
}

#[tokio::test]
async fn abort_after_a_row_was_read() {
    scenarios("feed.row-read", 4).await;
}

#[tokio::test]
async fn abort_before_a_row_is_written() {
    scenarios("feed.row-folded", 4).await;
}

#[tokio::test]
async fn abort_after_a_row_was_written() {
    scenarios("feed.row-written", 4).await;
}

#[tokio::test]
async fn abort_before_a_doorbell_is_parked() {
    scenarios("feed.park", 2).await;
}

#[tokio::test]
async fn abort_after_a_doorbell_was_parked() {
    scenarios("feed.parked", 2).await;
}

#[tokio::test]
async fn abort_before_a_checkpoint_is_written() {
    scenarios("pump.checkpoint", 3).await;
}

#[tokio::test]
async fn abort_after_a_checkpoint_was_written() {
    scenarios("pump.checkpointed", 3).await;
}

#[tokio::test]
async fn modifying_or_removing_an_event_raises_an_alarm_and_changes_no_row() {
    if engine_is_separate() {
        return;
    }
    let mut scenario = Scenario::begin("no point", &[]).await;
    let made = json!({ "name": "Main room", "time_zone": "America/Los_Angeles", "region": "US" });
    let list = scenario.send("POST", "/v1/waitlists", Some(made)).await.id();
    let stream: StreamId = format!("waitlist-{list}").parse().unwrap();
    scenario.tables.settle(&[stream]).await;
    let row = scenario.tables.row(stream).await;

    let Tables { dynamodb, prefix } = &scenario.tables;
    let mut event = scenario.tables.commits(&stream.to_string()).await.remove(0);
    let keys = [("stream", event["stream"].clone()), ("seq", event["seq"].clone())];
    event
        .insert("events".into(), AttributeValue::S(text(&event, "events").replace("Main room", "Side room")));
    dynamodb.put_item().table_name(EVENTS.name(prefix)).set_item(Some(event)).send().await.unwrap();
    let key = keys.map(|(name, value)| (name.to_owned(), value)).into();
    dynamodb.delete_item().table_name(EVENTS.name(prefix)).set_key(Some(key)).send().await.unwrap();

    let alarmed = async {
        while !["MODIFY", "REMOVE"].iter().all(|change| is_alarmed(&scenario.server.logs(), change)) {
            tokio::time::sleep(POLL).await;
        }
    };
    tokio::time::timeout(PATIENCE, alarmed).await.expect("the alarms should have been raised by now");
    assert_eq!(scenario.tables.row(stream).await, row);
}

fn is_alarmed(logs: &str, change: &str) -> bool {
    logs.lines().any(|line| line.contains("event-altered") && line.contains(change))
}
