//! Invalid bodies of requests about accounts and sessions.

use serde_json::{Value, json};
use waitlist_tests::{account::PASSWORD, stage::Stage};

use super::{JSON, Scene};

/// Routes with a valid body each.
fn valid() -> [(&'static str, &'static str, Value); 9] {
    [
        ("POST", "/v1/users", json!({ "email": "ana@example.com", "password": PASSWORD, "name": "Ana" })),
        ("POST", "/v1/users/confirm", json!({ "token": "x" })),
        ("POST", "/v1/password-resets", json!({ "email": "ana@example.com" })),
        ("POST", "/v1/password-resets/confirm", json!({ "token": "x", "new_password": PASSWORD })),
        ("PATCH", "/v1/me", json!({ "name": "Ana" })),
        ("PUT", "/v1/me/password", json!({ "current_password": PASSWORD, "new_password": PASSWORD })),
        ("POST", "/v1/me/erase", json!({ "current_password": PASSWORD })),
        ("POST", "/v1/sessions", json!({ "email": "ana@example.com", "password": PASSWORD })),
        ("POST", "/v1/sessions/refresh", json!({ "refresh_token": "x" })),
    ]
}

#[tokio::test]
async fn an_account_body_of_wrong_shape_is_refused_with_its_place() {
    let stage = Stage::new().await;
    let scene = Scene::new(&stage).await;
    for (method, path, body) in valid() {
        for broken in ["{", "[]", "null", "7", "\u{feff}\u{feff}{}"] {
            scene.refuses_body(method, path, broken, (400, "malformed-body", "")).await;
        }
        let mut unknown = body.clone();
        unknown["colour"] = json!(1);
        scene
            .refuses_body(method, path, &unknown.to_string(), (400, "malformed-body", "pointer:/colour"))
            .await;
        for field in body.as_object().unwrap().keys() {
            let mut wrong = body.clone();
            wrong[field] = json!(7);
            scene
                .refuses_body(
                    method,
                    path,
                    &wrong.to_string(),
                    (400, "malformed-body", &format!("pointer:/{field}")),
                )
                .await;
            let mut missing = body.clone();
            missing.as_object_mut().unwrap().remove(field);
            if path != "/v1/me" {
                scene
                    .refuses_body(method, path, &missing.to_string(), (400, "malformed-body", "pointer:"))
                    .await;
            }
            let text = body.to_string();
            let doubled = format!("{},\"{field}\":{}}}", &text[..text.len() - 1], body[field]);
            scene.refuses_body(method, path, &doubled, (400, "malformed-body", "pointer:")).await;
        }
        scene
            .refuses(
                method,
                path,
                &body.to_string(),
                &[("content-type", "text/plain")],
                (415, "unsupported-media-type", ""),
            )
            .await;
        scene.refuses(method, path, &" ".repeat(65 * 1024), &[JSON], (413, "body-too-large", "")).await;
    }
}

#[tokio::test]
async fn an_invalid_account_value_is_refused_with_its_place() {
    let stage = Stage::new().await;
    let scene = Scene::new(&stage).await;
    let long = "x".repeat(60_000);
    let no_addresses = [
        "",
        "ana",
        "@example.com",
        "..@example.com",
        "añа@example.com",
        "ana@example",
        "a na@example.com",
        "ana@ex\u{0}ample.com",
        &long,
    ];
    let no_names = ["", "  ", "\u{7}", "two\nlines", &long];
    let no_passwords = ["", "seven77", &long];
    for (method, path, body) in valid() {
        for field in body.as_object().unwrap().keys() {
            let values: &[&str] = match field.as_str() {
                "email" => &no_addresses,
                "name" => &no_names,
                "password" | "new_password" | "current_password" => &no_passwords,
                _ => &[],
            };
            for value in values {
                let mut wrong = body.clone();
                wrong[field] = json!(value);
                scene
                    .refuses_body(
                        method,
                        path,
                        &wrong.to_string(),
                        (422, "invalid-value", &format!("pointer:/{field}")),
                    )
                    .await;
            }
        }
    }
}
