//! HEAD on every route that can be read: the answer to GET without its body.

use schema::{
    openapi::DOCUMENT,
    route::{Access, ROUTES, Reads, Route},
};
use serde_json::{Value, json};
use waitlist_tests::stage::{Stage, send};

use crate::place::Place;

#[tokio::test]
async fn head_is_answered_like_get_without_the_body_on_every_route() {
    let stage = Stage::new().await;
    let owner = stage.owner();
    owner.registered("Ana", "ana@example.com").await;
    let list = owner.list("Main room").await;
    let party = owner.join(&list, "Ana").await;
    let token = stage.links().visit_token(party.parse().unwrap());
    // Those of operators are tested in `authorization::operators`.
    let routes = ROUTES.iter().filter(|entry| entry.access != Access::Operator);
    for entry in routes.filter(|entry| entry.method == "GET") {
        let id = if entry.path.starts_with("/v1/waitees") { &party } else { &list };
        let path = entry.path.replace("{id}", id).replace("{token}", &token);
        let (got, asked) = (owner.get(&path).await, owner.send("HEAD", &path, None, &[]).await);
        assert_eq!((asked.status, &asked.body), (200, &Value::Null), "{path}: {asked:?}");
        for name in ["etag", "content-type", "cache-control"] {
            assert_eq!(asked.header(name), got.header(name), "{name} of {path}");
        }
        let length = match (entry.route, &got.body) {
            (Route::Reads(Reads::OpenApi), _) => DOCUMENT.len(),
            (_, Value::String(file)) => file.len(),
            (_, body) => body.to_string().len(),
        };
        let length = if length == 0 { String::new() } else { length.to_string() };
        assert_eq!(asked.header("content-length"), length, "{path}");
        if entry.access == Access::Owner {
            let stranger = send(&stage.backend, None, "HEAD", &path, None, &[]).await;
            assert_eq!((stranger.status, stranger.body), (401, Value::Null), "{path}");
        }
    }
    let absent = owner.send("HEAD", "/v1/nothing", None, &[]).await;
    assert_eq!((absent.status, absent.body), (404, Value::Null));
}

#[tokio::test]
async fn the_running_server_answers_head_and_preflight_requests() {
    let place = Place::new();
    let server = place.serve(&[("WAITLIST_CORS_ORIGINS", "https://Host.example:443")]).await;
    let http = reqwest::Client::new();
    for path in ["/healthz", "/.well-known/jwks.json"] {
        let got = http.get(format!("{}{path}", server.url)).send().await.unwrap();
        let length = got.headers()["content-length"].clone();
        let asked = http.head(format!("{}{path}", server.url)).send().await.unwrap();
        assert_eq!((asked.status().as_u16(), &asked.headers()["content-length"]), (200, &length), "{path}");
        assert!(asked.bytes().await.unwrap().is_empty());
    }
    let preflight = http
        .request(reqwest::Method::OPTIONS, format!("{}/v1/waitlists", server.url))
        .header("origin", "https://host.example")
        .header("access-control-request-method", "POST")
        .send()
        .await
        .unwrap();
    let header = |name: &str| preflight.headers().get(name).and_then(|value| value.to_str().ok());
    assert_eq!(header("access-control-allow-origin"), Some("https://host.example"));
    assert_eq!(header("access-control-max-age"), Some("7200"));
    let json = json!({ "name": "Main room" });
    let refused = server.send(Some("garbled"), "POST", "/v1/waitlists", Some(&json), &[]).await.unwrap();
    assert_eq!(refused.header("www-authenticate"), "Bearer error=\"invalid_token\"");
}
