//! The server is killed under load: acknowledged writes are kept, and unacknowledged ones are stored once or
//! not at all.

use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::json;
use tokio::sync::watch;

use crate::{
    load::{Door, Random, Size, play, transitions},
    night::{arrivals, compare, owner},
    oracle::Oracle,
    place::Place,
    raw::scan,
};

const SEED: u64 = 9;
const KILLS: usize = 3;

#[tokio::test]
async fn a_server_killed_repeatedly_keeps_acknowledged_writes_and_its_rows_catch_up() {
    let size = Size { parties: Size::of_a_night().parties / 2, ..Size::of_a_night() };
    let mut random = Random::new(SEED);
    let place = Place::new();
    let mut server = place.serve_with(&["--manual-clock"], &[]).await;
    let (url, at) = watch::channel(server.url.clone());
    let door = Door::new(at, server.token(owner()));
    let (lists, parties, mut exchanges) = arrivals(&door, &mut random, size).await;

    let answered = AtomicUsize::new(0);
    let night = play(&door, transitions(&mut random, &parties, size.transitions), size.clients, &answered);
    let deaths = async {
        for death in 1..=KILLS {
            while answered.load(Ordering::SeqCst) < death * size.transitions * 2 / (KILLS + 1) {
                tokio::time::sleep(std::time::Duration::from_millis(5)).await;
            }
            server.kill();
            server = place.serve_with(&["--manual-clock"], &[]).await;
            url.send_replace(server.url.clone());
        }
        server
    };
    let (night, server) = futures::join!(night, deaths);
    exchanges.extend(night);
    let lost =
        exchanges.iter().flat_map(|exchange| &exchange.answers).filter(|answer| answer.is_none()).count();
    assert!(lost > 0, "no request was running when the server died");

    // The server dies once more after the last answer. No request is sent until the rows have caught up.
    server.kill();
    let server = place.serve_with(&["--manual-clock"], &[]).await;
    place.settled(&server).await;
    let oracle = Oracle::read(&place.dynamodb().await, &place.prefix, &exchanges).await;
    oracle.judge(&exchanges);
    compare(&server, &oracle, &lists).await;
    assert_eq!(server.interrupt().await, Some(0));
}

/// The process dies right after the nth append, before it can answer.
async fn dies_after_append(nth: usize) {
    let place = Place::new();
    let mut server = place.serve(&[("WAITLIST_ABORT_AT", &format!("log.appended:{nth}"))]).await;
    let token = server.token(owner());
    let list = json!({ "name": "Main room", "time_zone": "America/Los_Angeles", "region": "US" });
    let join = json!({ "name": "Ana", "party_size": 2 });
    let mut path = "/v1/waitlists".to_owned();
    let mut body = list;
    for _ in 1..nth {
        let made = server
            .send(Some(&token), "POST", &path, Some(&body), &[("Idempotency-Key", "a-key")])
            .await
            .unwrap();
        assert_eq!(made.status, 201, "{made:?}");
        (path, body) = (format!("/v1/waitlists/{}/waitees", made.id()), join.clone());
    }
    let unanswered =
        server.send(Some(&token), "POST", &path, Some(&body), &[("Idempotency-Key", "a-key")]).await;
    assert!(unanswered.is_err(), "{unanswered:?}");
    server.ended().await;

    let server = place.serve_with(&["--manual-clock"], &[]).await;
    place.settled(&server).await;
    let dynamodb = place.dynamodb().await;
    let commits = async || scan(&dynamodb, &schema::table::EVENTS, &place.prefix).await.len();
    assert_eq!(commits().await, nth, "the appended commit is kept");
    let again =
        server.send(Some(&token), "POST", &path, Some(&body), &[("Idempotency-Key", "a-key")]).await.unwrap();
    assert_eq!((again.status, &again.body["seq"]), (201, &json!(1)), "{again:?}");
    assert_eq!(commits().await, nth, "the retry appended nothing");
}

#[tokio::test]
async fn a_list_appended_right_before_a_crash_appears_and_its_retry_is_answered() {
    dies_after_append(1).await;
}

#[tokio::test]
async fn a_party_appended_right_before_a_crash_appears_and_its_retry_is_answered() {
    dies_after_append(2).await;
}
