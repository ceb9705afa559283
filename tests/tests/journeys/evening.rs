//! A host's evening and a guest's visit, over HTTP against the running server.

use infra::{
    Clock,
    secret::{Links, Mailed},
};
use schema::UserId;
use serde_json::{Value, json};
use waitlist_tests::account::PASSWORD;

use crate::place::Place;

#[tokio::test]
async fn a_host_creates_a_list_adds_calls_and_seats_parties_and_reads_the_board() {
    let place = Place::new();
    let server = place.serve(&[]).await;
    let token = server.token(UserId(uuid::Uuid::from_u128(7)));
    let send = async |method: &str, path: &str, body: Option<serde_json::Value>, sync: &str| {
        let headers: Vec<(&str, &str)> = if sync.is_empty() { vec![] } else { vec![("Sync-Token", sync)] };
        server.send(Some(&token), method, path, body.as_ref(), &headers).await.unwrap()
    };

    let list = send(
        "POST",
        "/v1/waitlists",
        Some(json!({ "name": "Main room", "time_zone": "America/Los_Angeles", "region": "US" })),
        "",
    )
    .await;
    assert_eq!(list.status, 201, "{list:?}");
    assert_eq!(list.header("location"), format!("/v1/waitlists/{}", list.id()));
    let parties = format!("/v1/waitlists/{}/waitees", list.id());
    let ana = send(
        "POST",
        &parties,
        Some(json!({ "name": "Ana", "party_size": 4, "phone": "(415) 555-2671" })),
        "",
    )
    .await;
    let ben = send("POST", &parties, Some(json!({ "name": "Ben", "party_size": 2 })), "").await;
    assert_eq!((ana.status, ben.status), (201, 201), "{ana:?} {ben:?}");

    let called = send("POST", &format!("/v1/waitees/{}/call", ana.id()), None, "").await;
    assert_eq!((called.status, &called.body["state"]), (202, &json!("called")));
    let sync = [ana.header("sync-token"), ben.header("sync-token"), called.header("sync-token")].join(", ");
    let board = send("GET", &parties, None, &sync).await;
    let shown: Vec<_> = board.body["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|party| (&party["name"], &party["state"], &party["position"]))
        .collect();
    assert_eq!(
        shown,
        [(&json!("Ana"), &json!("called"), &json!(1)), (&json!("Ben"), &json!("waiting"), &json!(2))]
    );

    let seated = send("POST", &format!("/v1/waitees/{}/seat", ana.id()), None, "").await;
    let board = send("GET", &parties, None, &[&sync, seated.header("sync-token")].join(", ")).await;
    assert_eq!(board.body["items"].as_array().unwrap().len(), 1, "{board:?}");
    assert_eq!(server.interrupt().await, Some(0));
}

/// From registration to signing out, with a guest who joins by themselves in between.
#[tokio::test]
async fn an_owner_registers_a_guest_joins_and_is_seated_and_the_owner_signs_out() {
    let place = Place::new();
    let server = place.serve(&[]).await;
    let anyone = async |method: &str, path: &str, body: Value| {
        server.send(None, method, path, Some(&body), &[]).await.unwrap()
    };

    let ana = anyone(
        "POST",
        "/v1/users",
        json!({ "email": "ana@example.com", "password": PASSWORD, "name": "Ana" }),
    )
    .await;
    assert_eq!(ana.status, 201, "{ana:?}");
    let link = Links::load_or_create(&place.path().join("keys")).unwrap().mailed_token(
        Mailed::Confirmation,
        UserId(ana.id().parse().unwrap()),
        Clock::system().now().plus_millis(60_000),
        1,
    );
    assert_eq!(anyone("POST", "/v1/users/confirm", json!({ "token": link })).await.status, 204);
    let tokens =
        anyone("POST", "/v1/sessions", json!({ "email": "ana@example.com", "password": PASSWORD })).await;
    assert_eq!((tokens.status, tokens.header("cache-control")), (201, "no-store"), "{tokens:?}");
    let access = tokens.body["access_token"].as_str().unwrap();
    let owner = async |method: &str, path: &str, body: Option<Value>, sync: &str| {
        let headers: Vec<(&str, &str)> = if sync.is_empty() { vec![] } else { vec![("Sync-Token", sync)] };
        server.send(Some(access), method, path, body.as_ref(), &headers).await.unwrap()
    };
    let me = owner("GET", "/v1/me", None, &format!("user-{}@2", ana.id())).await;
    assert_eq!(
        (me.status, &me.body["email"], &me.body["email_confirmed"]),
        (200, &json!("ana@example.com"), &json!(true)),
        "{me:?}"
    );

    let list = json!({ "name": "Main room", "time_zone": "America/Los_Angeles", "region": "US", "quote_minutes": 5 });
    let list = owner("POST", "/v1/waitlists", Some(list), "").await;
    let page = format!("/v1/public/waitlists/{}", list.id());
    let sync = [("Sync-Token", list.header("sync-token"))];
    let seen = server.send(None, "GET", &page, None, &sync).await.unwrap();
    assert_eq!(
        (seen.status, &seen.body["name"], &seen.body["open"]),
        (200, &json!("Main room"), &json!(true)),
        "{seen:?}"
    );
    let ben = anyone("POST", &format!("{page}/waitees"), json!({ "name": "Ben", "party_size": 2 })).await;
    assert_eq!(ben.status, 201, "{ben:?}");
    let visit = format!("/v1/public/visits/{}", ben.body["visit_token"].as_str().unwrap());

    let called = owner("POST", &format!("/v1/waitees/{}/call", ben.id()), None, "").await;
    assert_eq!(called.status, 202, "{called:?}");
    let sync = [("Sync-Token", called.header("sync-token"))];
    let place = server.send(None, "GET", &visit, None, &sync).await.unwrap();
    assert_eq!(
        (place.status, &place.body["state"], &place.body["ahead"]),
        (200, &json!("called"), &json!(0)),
        "{place:?}"
    );
    let confirmed = anyone("POST", &format!("{visit}/confirm"), json!({})).await;
    assert_eq!((confirmed.status, &confirmed.body["state"]), (200, &json!("confirmed")), "{confirmed:?}");
    let seated = owner("POST", &format!("/v1/waitees/{}/seat", ben.id()), None, "").await;
    assert_eq!((seated.status, &seated.body["state"]), (200, &json!("seated")), "{seated:?}");
    let history = owner("GET", &format!("/v1/waitees/{}/history", ben.id()), None, "").await;
    let mut actors: Vec<_> = history.body["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|event| event["actor"].as_str().unwrap())
        .collect();
    actors.retain(|actor| *actor != "system:delivery"); // the message to the guest may be in any state
    let (host, guest) = (format!("user:{}", ana.id()), format!("guest:{}", ben.id()));
    assert_eq!(actors, [guest.as_str(), &host, &guest, &host]);

    assert_eq!(owner("DELETE", "/v1/sessions/current", None, "").await.status, 204);
    let refresh = json!({ "refresh_token": tokens.body["refresh_token"] });
    assert_eq!(anyone("POST", "/v1/sessions/refresh", refresh).await.status, 401);
    assert_eq!(server.interrupt().await, Some(0));
}
