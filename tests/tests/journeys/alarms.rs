//! Alarms run through on a local server: the fault, its metric, and the steps of the runbook that end it.

use aws_sdk_dynamodb::types::AttributeValue;
use schema::table::EVENTS;
use serde_json::json;

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
