//! The authorizer's answer to a token, and handlers that trust nothing but this answer.

use infra::Clock;
use serde_json::{Value, json};
use waitlist_tests::events::HttpRequest;

use super::deployment::{Deployment, main_room};

const QUARTER_HOUR_MS: i64 = 15 * 60 * 1_000;

#[tokio::test]
async fn the_authorizer_lets_every_request_pass_and_names_the_principal() {
    let deployment = Deployment::new().await;
    let host = deployment.host();
    let before = Clock::system().now().millis() / 1_000;
    let said = deployment
        .authorizer()
        .await
        .invoke(host.request("GET", "/v1/waitlists").authorizer_event())
        .await
        .unwrap();
    assert_eq!(said["isAuthorized"], true);
    // API Gateway passes on only texts, numbers and booleans, not nested.
    assert!(said["context"].as_object().unwrap().values().all(Value::is_string), "{said}");
    let principal: Value = serde_json::from_str(said["context"]["principal"].as_str().unwrap()).unwrap();
    assert_eq!((&principal["kind"], &principal["id"]), (&json!("user"), &json!(host.id)));
    let exp = principal["exp"].as_i64().unwrap();
    assert!((before + 890..=before + 910).contains(&exp), "{exp} against {before}");
}

#[tokio::test]
async fn a_refused_token_has_no_principal_and_is_answered_with_a_problem_document() {
    let deployment = Deployment::new().await;
    let elsewhere = Deployment::new().await;
    let host = deployment.host();
    let good = &host.token;
    let (head, mac) = good.rsplit_once('.').unwrap();
    let (header, claims) = head.split_once('.').unwrap();
    let unsigned = data_encoding::BASE64URL_NOPAD.encode(br#"{"alg":"none","typ":"JWT"}"#);
    let refused = [
        String::new(),
        "Bearer".into(),
        "Bearer ".into(),
        "Bearer garbled".into(),
        format!("Basic {good}"),
        good.clone(),
        format!("Bearer {head}"),
        format!("Bearer {head}."),
        format!("Bearer {unsigned}.{claims}."),
        format!("Bearer {header}.{}.{mac}", data_encoding::BASE64URL_NOPAD.encode(br#"{"iss":"waitlist"}"#)),
        format!("Bearer {}", elsewhere.token(host.id, Clock::system().now())),
        format!("Bearer {}", deployment.token(host.id, Clock::system().now().plus_millis(-QUARTER_HOUR_MS))),
    ];
    for header in refused {
        let request = |method, path| match header.as_str() {
            "" => HttpRequest::new(method, path),
            header => HttpRequest::new(method, path).header("Authorization", header),
        };
        let said = deployment
            .authorizer()
            .await
            .invoke(request("GET", "/v1/waitlists").authorizer_event())
            .await
            .unwrap();
        assert_eq!(
            said,
            json!({ "isAuthorized": true, "context": { "principal": r#"{"kind":"nobody"}"# } }),
            "{header}"
        );
        for request in [request("GET", "/v1/waitlists"), request("POST", "/v1/waitlists").json(&main_room())]
        {
            let answer = deployment.send(request).await;
            assert_eq!(answer.problem(401), "unauthorized", "{header}");
            let challenge =
                if header.starts_with("Bearer ") { "Bearer error=\"invalid_token\"" } else { "Bearer" };
            assert_eq!(answer.header("www-authenticate"), challenge, "{header}");
        }
    }
    deployment.stream(0).await;
}

#[tokio::test]
async fn handlers_refuse_a_context_of_any_other_form() {
    let deployment = Deployment::new().await;
    let id = deployment.host().id;
    let now = Clock::system().now().millis() / 1_000;
    let principal = |value: Value| json!({ "lambda": { "principal": value.to_string() } });
    let contexts = [
        Value::Null,
        json!({}),
        json!({ "lambda": null }),
        json!({ "lambda": {} }),
        json!({ "lambda": { "principal": null } }),
        json!({ "lambda": { "principal": "" } }),
        json!({ "lambda": { "principal": "user" } }),
        // The same content, but not as the text that the authorizer sends.
        json!({ "lambda": { "principal": { "kind": "user", "id": id, "exp": now + 900 } } }),
        // Other kinds of authorizers.
        json!({ "jwt": { "claims": { "sub": id, "exp": (now + 900).to_string() }, "scopes": null } }),
        json!({ "iam": { "userId": id } }),
        json!({ "principal": json!({ "kind": "user", "id": id, "exp": now + 900 }).to_string() }),
        principal(json!({ "kind": "nobody" })),
        principal(json!({ "kind": "root", "id": id, "exp": now + 900 })),
        principal(json!({ "kind": "user", "id": id })),
        principal(json!({ "kind": "user", "id": "me", "exp": now + 900 })),
        principal(json!({ "kind": "user", "id": id, "exp": (now + 900).to_string() })),
        principal(json!({ "kind": "user", "id": id, "exp": now - 1 })),
        principal(json!({ "kind": "user", "id": id, "exp": i64::MIN })),
    ];
    for context in contexts {
        for request in [
            HttpRequest::new("GET", "/v1/waitlists"),
            HttpRequest::new("POST", "/v1/waitlists").json(&main_room()),
        ] {
            let mut event = request.event();
            event["requestContext"]["authorizer"] = context.clone();
            assert_eq!(deployment.deliver(event).await.problem(401), "unauthorized", "{context}");
        }
    }
    // Forms that API Gateway never sends. It answers a function's error with a 500.
    for context in [
        json!({ "lambda": "user" }),
        json!({ "lambda": [{ "kind": "user", "id": id, "exp": now + 900 }] }),
        json!(true),
    ] {
        let mut event = HttpRequest::new("POST", "/v1/waitlists").json(&main_room()).event();
        event["requestContext"]["authorizer"] = context.clone();
        assert!(deployment.hosts().await.invoke(event).await.is_err(), "{context}");
    }
    deployment.stream(0).await;

    // The same request with a valid context is accepted.
    let mut event = HttpRequest::new("POST", "/v1/waitlists").json(&main_room()).event();
    event["requestContext"]["authorizer"] = principal(json!({ "kind": "user", "id": id, "exp": now + 900 }));
    assert_eq!(deployment.deliver(event).await.status, 201);
}
