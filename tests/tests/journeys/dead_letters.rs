//! Dead letters on the command line.

use std::time::Duration;

use infra::{
    Clock,
    queue::{Policy, Queue, RECEIVE_MAX, TableQueue},
};
use schema::table::QUEUE;
use serde_json::{Value, json};

use crate::place::Place;

/// More receives than any queue makes before a message becomes a dead letter.
const TRIES_MAX: usize = 60;

/// Sends a message and receives it until it becomes a dead letter.
pub(crate) async fn dead(place: &Place, name: &'static str, body: &str) {
    let clock = Clock::system();
    let policy = Policy { visibility: Duration::from_secs(60), attempts_max: 3 };
    let queue = Queue::Table(TableQueue::new(
        place.dynamodb().await,
        QUEUE.name(&place.prefix),
        name,
        policy,
        clock.clone(),
    ));
    queue.send(body, Duration::from_secs(600)).await.unwrap(); // delayed, so that the server does not receive it
    for _ in 0..TRIES_MAX {
        clock.advance_millis(601_000);
        let _tried = queue.receive(RECEIVE_MAX).await.unwrap();
        if !queue.dead_letters(None, 10).await.unwrap().letters.is_empty() {
            return;
        }
    }
    panic!("the message never became a dead letter");
}

async fn ran(place: &Place, args: &[&str]) -> (Option<i32>, Value) {
    let ran = place.run(&[&["dead-letters"], args, &["--json"]].concat()).await;
    (ran.code, serde_json::from_str(&ran.out).unwrap_or(Value::from(ran.err)))
}

#[tokio::test]
async fn dead_letters_are_listed_shown_and_redriven() {
    let place = Place::new();
    let server = place.serve(&[]).await;
    assert_eq!(ran(&place, &["list"]).await, (Some(0), json!({ "items": [] })));
    let parked = json!({ "consumer": "projector", "stream": "waitee-01920000-0000-7000-8000-000000000000", "seq": 1, "cause": "the log ends before 1" });
    dead(&place, "retries", &parked.to_string()).await;
    dead(&place, "erasures", "no intent").await;
    let unsent = json!({ "intent": "attend", "stream": "user-01920000-0000-7000-8000-000000000000", "cause": "the address does not open" });
    dead(&place, "deliveries", &unsent.to_string()).await;

    let (code, listed) = ran(&place, &["list"]).await;
    let items = listed["items"].as_array().unwrap();
    assert_eq!((code, items.len()), (Some(0), 3), "{listed}");
    let of = |queue: &str| items.iter().find(|item| item["queue"] == queue).unwrap();
    assert_eq!((&of("retries")["message"], &of("erasures")["message"]), (&parked, &json!("no intent")));
    let text = place.run(&["dead-letters", "list"]).await.out;
    assert!(text.contains("waitee-01920000-0000-7000-8000-000000000000: the log ends before 1"), "{text}");
    assert!(text.contains("not a message of this system"), "{text}");
    assert!(text.contains("user-01920000-0000-7000-8000-000000000000: the address does not open"), "{text}");
    let unsent = of("deliveries")["id"].as_str().unwrap();
    assert_eq!(ran(&place, &["redrive", unsent]).await, (Some(0), json!({ "redriven": 1 })));

    let id = of("retries")["id"].as_str().unwrap();
    assert_eq!(ran(&place, &["show", id]).await, (Some(0), of("retries").clone()));
    assert_eq!(ran(&place, &["redrive", id]).await, (Some(0), json!({ "redriven": 1 })));
    let (code, gone) = ran(&place, &["redrive", id]).await;
    assert_eq!(code, Some(1), "{gone}");
    assert!(gone.as_str().is_some_and(|said| said.contains("there is no dead letter")), "{gone}");
    let other = of("erasures")["id"].as_str().unwrap();
    assert_eq!(ran(&place, &["redrive", other]).await, (Some(0), json!({ "redriven": 1 })));
    assert_eq!(ran(&place, &["redrive", "--all"]).await, (Some(0), json!({ "redriven": 0 })));
    assert_eq!(ran(&place, &["list"]).await, (Some(0), json!({ "items": [] })));
    for misuse in [&["redrive"][..], &["redrive", id, "--all"], &["show"], &["bury"]] {
        assert_eq!(ran(&place, misuse).await.0, Some(2), "{misuse:?}");
    }
    assert_eq!(server.interrupt().await, Some(0));
}
