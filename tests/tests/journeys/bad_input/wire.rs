//! Invalid requests to the running server, over HTTP.

use schema::UserId;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use waitlist_tests::stage::Answer;

use super::assert_is_problem;
use crate::{place::Place, raw::census};

const TEN_MEGABYTES: usize = 10 * 1024 * 1024;

async fn read(response: reqwest::Response) -> Answer {
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let bytes = response.bytes().await.unwrap();
    Answer { status, headers, body: serde_json::from_slice(&bytes).unwrap_or_default() }
}

#[tokio::test]
async fn the_server_answers_bad_requests_with_problems_and_stores_nothing() {
    let place = Place::new();
    let server = place.serve(&[]).await;
    let token = server.token(UserId(uuid::Uuid::from_u128(7)));
    let list = json!({ "name": "Main room", "time_zone": "America/Los_Angeles", "region": "US" });
    let made = server.send(Some(&token), "POST", "/v1/waitlists", Some(&list), &[]).await.unwrap();
    let parties = format!("/v1/waitlists/{}/waitees", made.id());
    let joined = server
        .send(Some(&token), "POST", &parties, Some(&json!({ "name": "Ana", "party_size": 2 })), &[])
        .await
        .unwrap();
    let ana = format!("/v1/waitees/{}", joined.id());
    place.settled(&server).await;
    let dynamodb = place.dynamodb().await;
    let before = census(&dynamodb, &place.prefix).await;

    let http = reqwest::Client::new();
    let ask = |method: &str, path: &str| {
        http.request(method.parse().unwrap(), format!("{}{path}", server.url)).bearer_auth(&token)
    };
    let json = |request: reqwest::RequestBuilder, body: Vec<u8>| {
        request.header("content-type", "application/json").body(body)
    };
    for (request, status, slug) in [
        (json(ask("POST", &parties), b"{\"name\": \"Ana\"".to_vec()), 400, "malformed-body"),
        (json(ask("POST", &parties), vec![0xff, 0xfe, 0]), 400, "malformed-body"),
        (
            json(ask("POST", &parties), br#"{"name": "Ana", "party_size": 2, "colour": 1}"#.to_vec()),
            400,
            "malformed-body",
        ),
        (json(ask("POST", &parties), br#"{"name": "Ana", "party_size": 0}"#.to_vec()), 422, "invalid-value"),
        (json(ask("POST", &parties), vec![b' '; TEN_MEGABYTES]), 413, "body-too-large"),
        (ask("POST", &parties).body("name=Ana&party_size=2"), 415, "unsupported-media-type"),
        (ask("GET", &format!("{parties}?limit=0")), 400, "invalid-parameter"),
        (ask("GET", &format!("{parties}?limit=1&limit=2")), 400, "invalid-parameter"),
        (ask("POST", &format!("{ana}/seat?now=1")), 400, "invalid-parameter"),
        (ask("POST", &format!("{ana}/seat")).header("if-match", "\"7\""), 412, "precondition-failed"),
        (ask("POST", &format!("{ana}/seat")).header("idempotency-key", ""), 400, "invalid-parameter"),
        (ask("GET", &ana).header("sync-token", "yesterday"), 400, "invalid-parameter"),
        (ask("PUT", &ana), 405, "method-not-allowed"),
        (ask("GET", "/v1/waitees/not-a-uuid"), 404, "not-found"),
        (ask("GET", "/v1/nothing"), 404, "not-found"),
    ] {
        let asked = format!("{:?}", request.try_clone().unwrap().build().unwrap().url());
        let answer = read(request.send().await.unwrap_or_else(|error| panic!("{asked}: {error:?}"))).await;
        assert_is_problem(&answer, status, slug, &asked);
    }
    assert_eq!(census(&dynamodb, &place.prefix).await, before);
}

#[tokio::test]
async fn a_request_that_cannot_be_parsed_is_answered_with_a_problem() {
    let place = Place::new();
    let server = place.serve(&[]).await;
    let address = server.url.strip_prefix("http://").unwrap();
    let long = format!("GET /{} HTTP/1.1\r\nhost: x\r\n\r\n", "x".repeat(66_000));
    let many = format!("GET /healthz HTTP/1.1\r\nhost: x\r\n{}\r\n", "x-y: z\r\n".repeat(200));
    for (sent, status, slug) in [
        ("GET /healthz\r\n\r\n", 400, "malformed-request"),
        ("GET /healthz HTTP/1.1\r\nno colon\r\n\r\n", 400, "malformed-request"),
        (long.as_str(), 414, "uri-too-long"),
        (many.as_str(), 431, "headers-too-large"),
    ] {
        let mut connection = tokio::net::TcpStream::connect(address).await.unwrap();
        connection.write_all(sent.as_bytes()).await.unwrap();
        let mut answer = String::new();
        connection.read_to_string(&mut answer).await.unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let mut headers = http::HeaderMap::new();
        for (name, value) in head.lines().filter_map(|line| line.split_once(": ")) {
            headers.insert(http::HeaderName::try_from(name).unwrap(), value.parse().unwrap());
        }
        assert!(head.starts_with(&format!("HTTP/1.1 {status} ")), "{head}");
        assert_eq!(headers["content-length"], body.len().to_string(), "{head}");
        let answer = Answer { status, headers, body: serde_json::from_str(body).unwrap() };
        assert_is_problem(&answer, status, slug, slug);
    }
    assert_eq!(server.send(None, "GET", "/healthz", None, &[]).await.unwrap().status, 200);
}

/// An incomplete request must not take effect. An empty body would otherwise read as `{}`.
#[tokio::test]
async fn a_request_whose_body_breaks_off_has_no_effect() {
    let place = Place::new();
    let server = place.serve(&[]).await;
    let token = server.token(UserId(uuid::Uuid::from_u128(7)));
    let list = json!({ "name": "Main room", "time_zone": "America/Los_Angeles", "region": "US" });
    let made = server.send(Some(&token), "POST", "/v1/waitlists", Some(&list), &[]).await.unwrap();
    let list = format!("/v1/waitlists/{}", made.id());
    let address = server.url.strip_prefix("http://").unwrap();
    for sent in ["", "{"] {
        let mut connection = tokio::net::TcpStream::connect(address).await.unwrap();
        let head =
            format!("POST {list}/close HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {token}\r\n");
        let request = format!("{head}content-type: application/json\r\ncontent-length: 2\r\n\r\n{sent}");
        connection.write_all(request.as_bytes()).await.unwrap();
        connection.shutdown().await.unwrap();
        let mut answer = Vec::new();
        // The server closes the connection in either case, with or without an answer.
        let _reset = connection.read_to_end(&mut answer).await;
        assert!(!answer.starts_with(b"HTTP/1.1 2"), "{}", String::from_utf8_lossy(&answer));
    }
    let history = server.send(Some(&token), "GET", &format!("{list}/history"), None, &[]).await.unwrap();
    assert_eq!(history.body["items"].as_array().unwrap().len(), 1, "{history:?}");
}
