//! The OpenAPI document as clients get it. Every answer to any test is compared with it
//! (`tests/src/declared.rs`).

use schema::openapi::DOCUMENT;
use serde_json::Value;
use waitlist_tests::stage::{Stage, send};

use crate::{bad_input::assert_is_problem, place::Place};

const PATH: &str = "/v1/openapi.json";

#[tokio::test]
async fn the_document_is_served_without_a_token_and_only_once() {
    let stage = Stage::new().await;
    let served = send(&stage.backend, None, "GET", PATH, None, &[]).await;
    assert_eq!((served.status, served.header("content-type")), (200, "application/json"));
    assert_eq!(served.body, serde_json::from_str::<Value>(DOCUMENT).unwrap());
    let known = [("If-None-Match", served.header("etag"))];
    let again = send(&stage.backend, None, "GET", PATH, None, &known).await;
    assert_eq!((again.status, again.header("etag")), (304, served.header("etag")));
    let refused = send(&stage.backend, None, "GET", "/v1/openapi.json?pretty=1", None, &[]).await;
    assert_is_problem(&refused, 400, "invalid-parameter", PATH);
}

#[tokio::test]
async fn the_running_server_serves_the_text_that_the_command_line_prints() {
    let place = Place::new();
    let server = place.serve(&[]).await;
    let served = reqwest::get(format!("{}{PATH}", server.url)).await.unwrap();
    assert_eq!(served.text().await.unwrap(), DOCUMENT);
    for args in [&["openapi"] as &[&str], &["openapi", "--json"], &["openapi", "--aws"]] {
        let ran = place.run(args).await;
        assert_eq!((ran.code, ran.out.as_str(), ran.err.as_str()), (Some(0), DOCUMENT, ""), "{args:?}");
    }
}
