//! Messages of a running server.

use serde_json::{Value, json};
use waitlist_tests::{account::PASSWORD, process::Server};

use crate::place::Place;

/// The longest time that a message may take.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(60);

/// Returns the outbox's messages of one kind, once there are `count`.
async fn outbox(place: &Place, kind: &str, count: usize) -> Vec<Value> {
    let begun = std::time::Instant::now();
    loop {
        let ran = place.run(&["outbox", "--json"]).await;
        assert_eq!(ran.code, Some(0), "{ran:?}");
        let all: Vec<Value> = ran.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let of_kind: Vec<Value> = all.into_iter().filter(|one| one["kind"] == kind).collect();
        if of_kind.len() >= count {
            return of_kind;
        }
        assert!(begun.elapsed() < PATIENCE, "{ran:?}");
    }
}

async fn until(server: &Server, token: &str, path: &str, holds: impl Fn(&Value) -> bool) -> Value {
    let begun = std::time::Instant::now();
    loop {
        let body = server.send(Some(token), "GET", path, None, &[]).await.unwrap().body;
        if holds(&body) {
            return body;
        }
        assert!(begun.elapsed() < PATIENCE, "{body}:\n{}", server.logs());
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn an_owner_confirms_by_mail_and_a_guest_is_called_reminded_and_becomes_a_no_show() {
    let place = Place::new();
    let server = place.serve_with(&["--manual-clock"], &[]).await;
    let anyone =
        async |path: &str, body: Value| server.send(None, "POST", path, Some(&body), &[]).await.unwrap();
    assert_eq!(
        anyone("/v1/users", json!({ "email": "ana@example.com", "password": PASSWORD, "name": "Ana" }))
            .await
            .status,
        201
    );
    let welcome = outbox(&place, "welcome", 1).await.remove(0);
    assert_eq!(
        (&welcome["to"], &welcome["channel"]),
        (&json!("ana@example.com"), &json!("email")),
        "{welcome}"
    );
    let file = std::fs::read_to_string(welcome["file"].as_str().unwrap()).unwrap();
    assert!(file.contains("multipart/alternative") && file.contains("text/html"), "{file}");
    let link = |mail: &Value, page: &str| {
        mail["body"]
            .as_str()
            .unwrap()
            .split_whitespace()
            .find_map(|word| Some(word.split_once(page)?.1.to_owned()))
            .unwrap()
    };
    assert_eq!(
        anyone("/v1/users/confirm", json!({ "token": link(&welcome, "/confirm#") })).await.status,
        204
    );

    assert_eq!(anyone("/v1/password-resets", json!({ "email": "ana@example.com" })).await.status, 202);
    let reset = outbox(&place, "password-reset", 1).await.remove(0);
    let another = "another correct horse battery";
    let set = anyone(
        "/v1/password-resets/confirm",
        json!({ "token": link(&reset, "/reset#"), "new_password": another }),
    )
    .await;
    assert_eq!(set.status, 204, "{set:?}");

    let tokens = anyone("/v1/sessions", json!({ "email": "ana@example.com", "password": another })).await;
    let token = tokens.body["access_token"].as_str().unwrap().to_owned();
    let me = until(&server, &token, "/v1/me", |me| me["email_confirmed"] == true).await;
    assert_eq!(me["welcome"], "sent");
    let post = async |path: &str, body: Value| {
        server.send(Some(&token), "POST", path, Some(&body), &[]).await.unwrap()
    };
    let list = json!({ "name": "Main room", "time_zone": "America/Los_Angeles", "region": "US", "hold_minutes": 10, "remind_minutes": 4 });
    let parties = format!("/v1/waitlists/{}/waitees", post("/v1/waitlists", list).await.id());
    let ben = post(&parties, json!({ "name": "Ben", "party_size": 2, "phone": "(415) 555-2671" })).await.id();
    assert_eq!(post(&format!("/v1/waitees/{ben}/call"), json!({})).await.status, 202);
    let text = outbox(&place, "table-ready", 1).await.remove(0);
    assert_eq!(
        (&text["to"], &text["channel"], &text["subject"]),
        (&json!("+14155552671"), &json!("sms"), &Value::Null),
        "{text}"
    );
    let status = |shown: &Value, place: usize| shown["notifications"][place]["status"].clone();
    let party = format!("/v1/waitees/{ben}");
    until(&server, &token, &parties, |board| status(&board["items"][0], 0) == "sent").await;

    assert_eq!(place.run(&["clock", "advance", "6m"]).await.code, Some(0));
    outbox(&place, "reminder", 1).await;
    let shown = until(&server, &token, &party, |shown| status(shown, 1) == "sent").await;
    assert_eq!(shown["state"], "called", "{shown}");
    assert_eq!(place.run(&["clock", "advance", "4m"]).await.code, Some(0));
    until(&server, &token, &party, |shown| shown["state"] == "no-show").await;
    for (kind, count) in [("welcome", 1), ("password-reset", 1), ("table-ready", 1), ("reminder", 1)] {
        assert_eq!(outbox(&place, kind, count).await.len(), count, "{kind}");
    }
    let lines = place.run(&["outbox"]).await.out;
    assert!(
        lines.lines().count() == 4
            && lines.contains("  table-ready  sms  +14155552671  Main room: your table is ready"),
        "{lines}"
    );
    assert_eq!(server.interrupt().await, Some(0));
}

#[tokio::test]
async fn without_ticks_of_the_server_an_operator_can_run_one() {
    let place = Place::new();
    let server = place.serve_with(&["--manual-clock", "--no-tick"], &[]).await;
    let token = server.token(schema::UserId(uuid::Uuid::from_u128(7)));
    let post = async |path: &str, body: Value| {
        server.send(Some(&token), "POST", path, Some(&body), &[]).await.unwrap()
    };
    let list =
        json!({ "name": "Main room", "time_zone": "America/Los_Angeles", "region": "US", "hold_minutes": 5 });
    let parties = format!("/v1/waitlists/{}/waitees", post("/v1/waitlists", list).await.id());
    let ben = post(&parties, json!({ "name": "Ben", "party_size": 2 })).await.id();
    assert_eq!(post(&format!("/v1/waitees/{ben}/call"), json!({})).await.status, 202);
    let party = format!("/v1/waitees/{ben}");
    until(&server, &token, &party, |shown| shown["notifications"][0]["status"] == "skipped").await;
    assert_eq!(place.run(&["clock", "advance", "7m"]).await.code, Some(0));
    let ran = place.run(&["tick", "--json"]).await;
    assert_eq!((ran.code, ran.out.as_str()), (Some(0), "{\"cut_short\":false,\"queued\":1}\n"), "{ran:?}");
    until(&server, &token, &party, |shown| shown["state"] == "no-show").await;
    assert_eq!(place.run(&["tick"]).await.out, "nothing is due\n");
    assert_eq!(server.interrupt().await, Some(0));
}
