//! A host's evening and a guest's visit, through all their lambdas.

use serde_json::{Value, json};
use waitlist_tests::events::HttpRequest;

use super::deployment::{Deployment, PUBLIC_URL};

#[tokio::test]
async fn a_host_creates_a_list_seats_a_party_and_reads_the_projected_rows() {
    let deployment = Deployment::new().await;
    let host = deployment.host();
    let list = host.list().await;
    assert_eq!(list.header("location"), format!("/v1/waitlists/{}", list.id()));
    let parties = format!("/v1/waitlists/{}/waitees", list.id());
    let ana =
        host.post(&parties, &json!({ "name": "Ana", "party_size": 4, "phone": "(415) 555-2671" })).await;
    let ben = host.post(&parties, &json!({ "name": "Ben", "party_size": 2 })).await;
    assert_eq!((ana.status, ben.status), (201, 201), "{ana:?} {ben:?}");
    let visit = format!("/v1/waitees/{}", ana.id());
    let called = host.post(&format!("{visit}/call"), &json!({})).await;
    assert_eq!((called.status, &called.body["state"]), (202, &json!("called")));

    // Nothing is projected yet, but the Sync-Tokens show the host's writes.
    let wrote = [&list, &ana, &ben, &called].map(|answer| answer.header("sync-token")).join(", ");
    assert_eq!(named(&host.get(&parties, &wrote).await.body), [("Ana", "called", 1), ("Ben", "waiting", 2)]);

    let event = deployment.stream(4).await;
    assert_eq!(
        deployment.projector().await.invoke(event.clone()).await.unwrap(),
        json!({ "batchItemFailures": [] })
    );
    assert_eq!(named(&host.get(&parties, "").await.body), [("Ana", "called", 1), ("Ben", "waiting", 2)]);

    let seated = host.post(&format!("{visit}/seat"), &json!({ "reason": "window table" })).await;
    assert_eq!((seated.status, &seated.body["state"]), (200, &json!("seated")));
    // The whole stream once more, as after a failed batch.
    let event = deployment.stream(5).await;
    assert_eq!(deployment.projector().await.invoke(event).await.unwrap(), json!({ "batchItemFailures": [] }));
    assert_eq!(named(&host.get(&parties, "").await.body), [("Ben", "waiting", 1)]);

    let party = host.get(&visit, "").await;
    assert_eq!(
        (party.status, &party.body["state"], &party.body["position"]),
        (200, &json!("seated"), &Value::Null)
    );
    assert_eq!((&party.body["name"], &party.body["phone"]), (&json!("Ana"), &json!("+14155552671")));
    let history = host.get(&format!("{visit}/history"), "").await;
    let types: Vec<_> = history.body["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|event| event["type"].as_str().unwrap())
        .collect();
    assert_eq!(types, ["waitee.joined", "waitee.called", "waitee.seated"]);
    assert_eq!(history.body["verified"], json!({ "ok": true, "seq": null, "why": null }));
    assert_eq!(history.body["items"][0]["actor"], json!(format!("user:{}", host.id)));
    assert_eq!(host.get("/v1/waitlists", "").await.body["items"][0]["name"], "Main room");

    let stranger = deployment.host();
    for path in [&visit, &parties, &format!("{visit}/history")] {
        assert_eq!(stranger.get(path, "").await.problem(404), "not-found");
    }
}

#[tokio::test]
async fn a_repeated_write_with_one_key_takes_effect_once_and_is_answered_again() {
    let deployment = Deployment::new().await;
    let host = deployment.host();
    let list = host.list().await;
    let parties = format!("/v1/waitlists/{}/waitees", list.id());
    let body = json!({ "name": "Ana", "party_size": 4 });
    let join =
        |key: &str, body: &Value| host.request("POST", &parties).header("Idempotency-Key", key).json(body);

    let first = deployment.send(join("once", &body)).await;
    let again = deployment.send(join("once", &body)).await;
    assert_eq!((first.status, &first.body), (201, &again.body));
    for header in ["etag", "sync-token", "location", "content-type"] {
        assert_eq!(first.header(header), again.header(header), "{header}");
        assert_ne!(first.header(header), "", "{header}");
    }
    assert_ne!(first.header("x-request-id"), again.header("x-request-id"), "each request has its own id");
    let changed = deployment.send(join("once", &json!({ "name": "Ana", "party_size": 5 }))).await;
    assert_eq!(changed.problem(422), "idempotency-key-reused");
    let other = deployment.send(join("twice", &body)).await;
    assert_ne!(first.id(), other.id());
    deployment.stream(3).await;
}

#[tokio::test]
async fn a_guest_joins_follows_the_visit_and_leaves_without_the_authorizer() {
    let deployment = Deployment::new().await;
    let host = deployment.host();
    let list = host.list().await;
    let door = format!("/v1/public/waitlists/{}", list.id());
    let ask = async |request: HttpRequest| deployment.deliver(request.event()).await;
    let key = "0d1fb7a4-6c1c-4b57-9f1e-2f6ad2a0c004";
    let join = || {
        HttpRequest::new("POST", &format!("{door}/waitees"))
            .header("Idempotency-Key", key)
            .json(&json!({ "name": "Ana", "party_size": 4 }))
    };
    let (joined, again) = (ask(join()).await, ask(join()).await);
    assert_eq!((joined.status, &joined.body), (201, &again.body), "{joined:?}");
    let token = joined.body["visit_token"].as_str().unwrap();
    assert_eq!(joined.body["status_url"], format!("{PUBLIC_URL}/visit#{token}"));
    assert_eq!((joined.header("cache-control"), joined.header("location")), ("no-store", ""));

    let visit = format!("/v1/public/visits/{token}");
    let seen = ask(HttpRequest::new("GET", &visit).header("Sync-Token", joined.header("sync-token"))).await;
    assert_eq!(
        (seen.status, &seen.body["state"], &seen.body["position"]),
        (200, &json!("waiting"), &json!(1)),
        "{seen:?}"
    );
    let left = ask(HttpRequest::new("POST", &format!("{visit}/leave"))).await;
    assert_eq!((left.status, &left.body["state"]), (200, &json!("left")), "{left:?}");
    assert_eq!(ask(HttpRequest::new("GET", &door)).await.body["waiting"], 0);
    assert_eq!(ask(HttpRequest::new("POST", &format!("{visit}x/leave"))).await.problem(404), "not-found");

    let token = token.to_owned();
    let logs = deployment.stop().await;
    assert!(!logs.contains(&token) && !logs.contains("Ana"), "{logs}");
    assert!(logs.contains("/v1/public/visits/{token}/leave"), "the logs name the route: {logs}");
}

/// Returns name, state and position of each party on a board.
fn named(board: &Value) -> Vec<(&str, &str, u64)> {
    let items = board["items"].as_array().unwrap().iter();
    items
        .map(|party| {
            (
                party["name"].as_str().unwrap(),
                party["state"].as_str().unwrap(),
                party["position"].as_u64().unwrap(),
            )
        })
        .collect()
}
