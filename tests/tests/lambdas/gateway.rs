//! The forms of API Gateway's requests and answers.

use data_encoding::BASE64;
use schema::reading::stream_of;
use serde_json::{Value, json};
use waitlist_tests::events::HttpRequest;

use super::deployment::{Deployment, main_room};

#[tokio::test]
async fn a_body_is_read_the_same_as_text_and_in_base64() {
    let deployment = Deployment::new().await;
    let host = deployment.host();
    let path = "/v1/waitlists";
    let create = || host.request("POST", path).header("Content-Type", "application/json");

    let text = deployment.send(create().text(&main_room().to_string())).await;
    let base64 = deployment.send(create().bytes(main_room().to_string().as_bytes())).await;
    assert_eq!((text.status, base64.status), (201, 201), "{text:?} {base64:?}");
    let name = "Größe 🍜".to_owned();
    let accents = deployment
        .send(
            create()
                .bytes(json!({ "name": name, "time_zone": "UTC", "region": "US" }).to_string().as_bytes()),
        )
        .await;
    let read = host.get(&format!("{path}/{}", accents.id()), accents.header("sync-token")).await;
    assert_eq!(read.body["name"], name);

    let patch = host
        .request("PATCH", &format!("{path}/{}", text.id()))
        .header("content-type", "application/merge-patch+json; charset=utf-8");
    assert_eq!(deployment.send(patch.bytes(br#"{"name":"Bar"}"#)).await.status, 200);

    for garbage in [b"".as_slice(), b"\xff\xfe", b"\0", b"{", b"[]", b"null", br#""text""#] {
        assert_eq!(
            deployment.send(create().bytes(garbage)).await.problem(400),
            "malformed-body",
            "{garbage:?}"
        );
    }
    let mut claims_base64 = host.request("POST", path).json(&main_room()).event();
    claims_base64["isBase64Encoded"] = json!(true);
    let principal =
        deployment.authorizer().await.invoke(create().authorizer_event()).await.unwrap()["context"].clone();
    claims_base64["requestContext"]["authorizer"] = json!({ "lambda": principal });
    assert_eq!(deployment.deliver(claims_base64.clone()).await.problem(400), "malformed-body");
    claims_base64["body"] = json!(format!("{}!", BASE64.encode(main_room().to_string().as_bytes())));
    assert_eq!(deployment.deliver(claims_base64).await.problem(400), "malformed-body");

    // A missing body: refused where one is required, accepted where it is not.
    assert_eq!(deployment.send(create()).await.problem(400), "malformed-body");
    assert_eq!(
        deployment.send(host.request("POST", &format!("{path}/{}/close", text.id()))).await.status,
        200
    );
    let closed = deployment.send(
        host.request("POST", path)
            .text("name=Main")
            .header("content-type", "application/x-www-form-urlencoded"),
    );
    assert_eq!(closed.await.problem(415), "unsupported-media-type");
    let large = json!({ "name": "x".repeat(64 * 1024) });
    assert_eq!(deployment.send(host.request("POST", path).json(&large)).await.problem(413), "body-too-large");
}

#[tokio::test]
async fn head_is_answered_like_get_without_a_body() {
    let deployment = Deployment::new().await;
    let host = deployment.host();
    for path in ["/v1/waitlists", "/healthz"] {
        let got = deployment.send(host.request("GET", path)).await;
        let asked = deployment.send(host.request("HEAD", path)).await;
        assert_eq!((asked.status, &asked.body), (200, &Value::Null), "{path}: {asked:?}");
        assert_eq!(asked.header("etag"), got.header("etag"), "{path}");
        assert_eq!(asked.header("content-length"), "", "{path}: API Gateway sets its own");
    }
}

#[tokio::test]
async fn an_export_is_answered_as_a_file_and_recorded_by_the_function_that_may() {
    let deployment = Deployment::new().await;
    let host = deployment.host();
    host.list().await;
    for (format, media_type) in
        [("ndjson", "application/x-ndjson"), ("csv", "text/csv; charset=utf-8; header=present")]
    {
        let part = deployment.send(host.request("GET", "/v1/audit/export").query("format", format)).await;
        assert_eq!((part.status, part.header("content-type")), (200, media_type), "{part:?}");
        assert!(part.header("content-disposition").ends_with(&format!(".{format}\"")), "{part:?}");
        assert!(part.body.is_string() || part.body.is_null(), "{part:?}");
    }
    assert_eq!(deployment.stage.commits(stream_of(host.id)).await.len(), 2);
    let misled = host.request("GET", "/v1/audit/export").event();
    let misled = deployment.reads().await.invoke(misled).await.unwrap();
    assert_eq!(super::deployment::accepted(&misled).problem(404), "not-found");
}

#[tokio::test]
async fn header_names_are_matched_in_any_case() {
    let deployment = Deployment::new().await;
    let host = deployment.host();
    let mut made = Vec::new();
    for written in ["idempotency-key", "Idempotency-Key", "IDEMPOTENCY-KEY"] {
        let request = host.request("POST", "/v1/waitlists").json(&main_room());
        let mut asked = request.authorizer_event();
        asked["headers"].as_object_mut().unwrap().remove("authorization");
        asked["headers"]["AUTHORIZATION"] = json!(format!("bearer {}", host.token));
        let said = deployment.authorizer().await.invoke(asked).await.unwrap();
        let mut event = request.authorized(said["context"].clone()).event();
        let content_type = event["headers"].as_object_mut().unwrap().remove("content-type").unwrap();
        event["headers"]["Content-Type"] = content_type;
        event["headers"][written] = json!("same");
        let answer = deployment.deliver(event).await;
        assert_eq!(answer.status, 201, "{answer:?}");
        made.push(answer.id().to_owned());
    }
    made.dedup();
    assert_eq!(made.len(), 1, "one key makes one list");
}

#[tokio::test]
async fn paths_and_queries_are_read_as_they_were_sent() {
    let deployment = Deployment::new().await;
    let host = deployment.host();
    let list = host.list().await;
    let path = format!("/v1/waitlists/{}", list.id());
    let sync = list.header("sync-token").to_owned();
    assert_eq!(host.get(&path, &sync).await.status, 200);
    let encoded_letter = format!("/v1/waitlists/%{:02x}{}", list.id().as_bytes()[0], &list.id()[1..]);
    let odd = [
        format!("{path}%2Fhistory"),
        format!("{path}%00"),
        format!("{path}%"),
        format!("{path}%zz"),
        format!("{path}/"),
        format!("/v1//waitlists/{}", list.id()),
        format!("/prod{path}"),
        "/v1/waitlists/..%2F..%2Fhealthz".into(),
        "/v1/waitlists/%E2%82%AC".into(),
        // Percent-encoding an id is valid but not supported: ids need no encoding.
        encoded_letter,
    ];
    for path in odd {
        assert_eq!(host.get(&path, &sync).await.problem(404), "not-found", "{path}");
    }

    for name in ["Ana", "Ben"] {
        assert_eq!(
            host.post(&format!("{path}/waitees"), &json!({ "name": name, "party_size": 2 })).await.status,
            201
        );
    }
    assert_eq!(
        deployment.projector().await.invoke(deployment.stream(3).await).await.unwrap(),
        json!({ "batchItemFailures": [] })
    );
    let board = |name: &'static str, value: String| {
        host.request("GET", &format!("{path}/waitees")).query(name, &value)
    };
    let first = deployment.send(board("limit", "1".into())).await;
    let cursor = first.body["next"].as_str().unwrap().to_owned();
    let second = deployment.send(board("cursor", cursor).query("limit", "1")).await;
    let names = [&first, &second].map(|page| page.body["items"][0]["name"].clone());
    assert_eq!((names, &second.body["next"]), ([json!("Ana"), json!("Ben")], &Value::Null));
    for (name, value) in [
        ("limit", "0"),
        ("limit", "ten"),
        ("limit", "1 "),
        ("colour", "red"),
        ("cursor", "a b/ö&limit=1"),
        ("", ""),
    ] {
        let refused =
            deployment.send(host.request("GET", &format!("{path}/waitees")).query(name, value)).await;
        assert_eq!(refused.problem(400), "invalid-parameter", "{name}={value}");
        assert_eq!(refused.body["errors"][0]["parameter"], name);
    }
    let doubled = deployment.send(board("limit", "1".into()).query("limit", "2")).await;
    assert_eq!(doubled.problem(400), "invalid-parameter");
}

#[tokio::test]
async fn answers_have_the_form_that_api_gateway_expects() {
    let deployment = Deployment::new().await;
    let host = deployment.host();
    let health = deployment.reads().await.invoke(HttpRequest::new("GET", "/healthz").event()).await.unwrap();
    assert_eq!((&health["statusCode"], &health["isBase64Encoded"]), (&json!(200), &json!(false)));
    assert_eq!(health["headers"]["content-type"], "application/json");
    assert_eq!(serde_json::from_str::<Value>(health["body"].as_str().unwrap()).unwrap()["status"], "ok");

    let list = host.list().await;
    let path = format!("/v1/waitlists/{}", list.id());
    let read = host.get(&path, list.header("sync-token")).await;
    let again = host
        .request("GET", &path)
        .header("Sync-Token", list.header("sync-token"))
        .header("If-None-Match", read.header("etag"));
    let unchanged = deployment.send(again).await;
    assert_eq!(
        (unchanged.status, &unchanged.body, unchanged.header("etag")),
        (304, &Value::Null, read.header("etag"))
    );
    assert_eq!(host.post(&format!("{path}/close"), &json!({})).await.status, 200);
    let deleted = deployment.send(host.request("DELETE", &path)).await;
    assert_eq!((deleted.status, deleted.body), (204, Value::Null));

    // `$default` leads to the function of reads, which answers for unknown routes.
    assert_eq!(
        deployment.deliver(HttpRequest::new("GET", "/nowhere").event()).await.problem(404),
        "not-found"
    );
    let unknown_method = deployment.deliver(HttpRequest::new("PUT", &path).event()).await;
    assert_eq!(
        (unknown_method.problem(405), unknown_method.header("allow")),
        ("method-not-allowed", "GET, HEAD, PATCH, DELETE")
    );
    // A function refuses routes of other functions, so that an error in the template shows.
    let misled = deployment.hosts().await.invoke(host.request("GET", &path).event()).await.unwrap();
    assert_eq!(super::deployment::accepted(&misled).problem(404), "not-found");
}

#[tokio::test]
async fn an_event_that_is_not_a_request_is_an_error_and_the_function_keeps_running() {
    let deployment = Deployment::new().await;
    for event in [json!([]), json!("text"), json!({ "headers": 7 }), Value::Null] {
        deployment.reads().await.invoke(event).await.unwrap_err();
    }
    assert_eq!(deployment.deliver(HttpRequest::new("GET", "/healthz").event()).await.status, 200);
}
