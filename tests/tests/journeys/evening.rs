//! A host's evening, told over HTTP against the running server.

use schema::UserId;
use serde_json::json;
use waitlist_tests::process::Server;

#[tokio::test]
async fn a_host_makes_a_list_adds_parties_calls_and_seats_them_and_reads_the_board() {
    let directory = tempfile::tempdir().unwrap();
    let server = Server::start(directory.path(), &[]).await;
    let token = server.token(UserId(uuid::Uuid::from_u128(7)));
    let send = async |method: &str, path: &str, body: Option<serde_json::Value>, sync: &str| {
        let headers: Vec<(&str, &str)> = if sync.is_empty() { vec![] } else { vec![("Sync-Token", sync)] };
        server.send(Some(&token), method, path, body.as_ref(), &headers).await.unwrap()
    };

    let list =
        send("POST", "/v1/waitlists", Some(json!({ "name": "Main room", "time_zone": "America/Los_Angeles", "region": "US" })), "").await;
    assert_eq!(list.status, 201, "{list:?}");
    assert_eq!(list.header("location"), format!("/v1/waitlists/{}", list.id()));
    let parties = format!("/v1/waitlists/{}/waitees", list.id());
    let ana = send("POST", &parties, Some(json!({ "name": "Ana", "party_size": 4, "phone": "(415) 555-2671" })), "").await;
    let ben = send("POST", &parties, Some(json!({ "name": "Ben", "party_size": 2 })), "").await;
    assert_eq!((ana.status, ben.status), (201, 201), "{ana:?} {ben:?}");

    let called = send("POST", &format!("/v1/waitees/{}/call", ana.id()), None, "").await;
    assert_eq!((called.status, &called.body["state"]), (202, &json!("called")));
    let sync = [ana.header("sync-token"), ben.header("sync-token"), called.header("sync-token")].join(", ");
    let board = send("GET", &parties, None, &sync).await;
    let shown: Vec<_> =
        board.body["items"].as_array().unwrap().iter().map(|party| (&party["name"], &party["state"], &party["position"])).collect();
    assert_eq!(shown, [(&json!("Ana"), &json!("called"), &json!(1)), (&json!("Ben"), &json!("waiting"), &json!(2))]);

    let seated = send("POST", &format!("/v1/waitees/{}/seat", ana.id()), None, "").await;
    let board = send("GET", &parties, None, &[&sync, seated.header("sync-token")].join(", ")).await;
    assert_eq!(board.body["items"].as_array().unwrap().len(), 1, "{board:?}");
    assert_eq!(server.interrupt().await, Some(0));
}
