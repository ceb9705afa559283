//! `waitlist status`, with and without a server.

use serde_json::{Value, json};
use waitlist_tests::account::PASSWORD;

use crate::{
    dead_letters::dead,
    metrics::Shown,
    place::{Place, is_external},
};

async fn status(place: &Place) -> Value {
    let ran = place.run(&["status", "--json"]).await;
    assert_eq!(ran.code, Some(0), "{ran:?}");
    serde_json::from_str(&ran.out).unwrap()
}

fn of<'s>(items: &'s Value, name: &str) -> &'s Value {
    items.as_array().unwrap().iter().find(|item| item["name"] == name).unwrap()
}

#[tokio::test]
async fn a_running_server_shows_clock_tick_lag_queues_and_generations() {
    let place = Place::new();
    let server = place.serve_with(&["--manual-clock"], &[]).await;
    let person = json!({ "email": "ana@example.com", "password": PASSWORD, "name": "Ana" });
    assert_eq!(server.send(None, "POST", "/v1/users", Some(&person), &[]).await.unwrap().status, 201);
    Shown::when(&server, "delivery_attempts{kind=\"welcome\",outcome=\"sent\"}", 1.0).await;
    Shown::when(&server, "tick_looks", 1.0).await;
    dead(&place, "erasures", "no intent").await;

    let shown = status(&place).await;
    assert_eq!(
        (&shown["running"], &shown["server"]["http"]),
        (&json!(true), &json!(server.url)),
        "{shown:#}"
    );
    assert_eq!(shown["server"]["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(shown["server"]["manual_clock"], true);
    let now = |shown: &Value| shown["server"]["now"].as_str().unwrap().to_owned();
    assert!(shown["server"]["last_tick_at"].as_str().unwrap() <= now(&shown).as_str(), "{shown:#}");
    let users = of(&shown["projections"], "users");
    assert_eq!(
        (&users["live"], &users["building"], &users["rebuild"]),
        (&json!(0), &json!(null), &json!(null))
    );
    assert!(users["lag_ms"].as_u64().unwrap() < 60_000, "{shown:#}");
    assert_eq!(of(&shown["queues"], "erasures")["dead"], 1);
    assert_eq!(of(&shown["queues"], "rebuilds")["dead"], 0);

    let moved = place.run(&["clock", "advance", "1d"]).await;
    assert_eq!(moved.code, Some(0));
    assert!(now(&status(&place).await) > now(&shown));

    let text = place.run(&["status"]).await.out;
    assert!(text.contains(&format!("server     {}, process ", server.url)), "{text}");
    assert!(text.contains(", moved by `waitlist clock`\n") && text.contains("last tick  "), "{text}");
    assert!(text.lines().any(|line| line.starts_with("erasures") && line.ends_with('1')), "{text}");
    assert_eq!(server.interrupt().await, Some(0));
}

#[tokio::test]
async fn without_a_server_the_tables_are_read_and_the_rest_is_said_to_be_unknown() {
    if is_external() {
        return; // without a server the command uses the data directory's engine
    }
    let place = Place::new();
    let server = place.serve(&[]).await;
    let url = server.url.clone();
    assert_eq!(server.interrupt().await, Some(0));
    assert_eq!(place.run(&["rebuild", "start", "waitees"]).await.code, Some(0));
    let shown = status(&place).await;
    assert_eq!((&shown["running"], &shown["server"]), (&json!(false), &json!(null)));
    let waitees = of(&shown["projections"], "waitees");
    assert_eq!((&waitees["rebuild"]["state"], &waitees["lag_ms"]), (&json!("requested"), &json!(null)));
    let text = place.run(&["status"]).await.out;
    assert!(text.starts_with("server  not running; start it with `waitlist serve`\n"), "{text}");
    assert!(text.contains("clock, last tick and lag are shown only while a server runs"), "{text}");
    assert!(text.lines().any(|line| line.starts_with("waitees") && line.contains("unknown")), "{text}");

    let server = place.serve(&[]).await;
    assert_ne!(server.url, url);
    let url = server.url.clone();
    server.kill();
    let text = place.run(&["status"]).await.out;
    assert!(text.contains(&format!("at {url}, which does not answer")), "{text}");
    for (args, code) in [(["status", "--aws"], 2), (["status", "more"], 2)] {
        assert_eq!(place.run(&args).await.code, Some(code), "{args:?}");
    }
}
