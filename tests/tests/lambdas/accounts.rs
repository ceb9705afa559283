//! An owner's journey from registration to signing out, through all its lambdas.

use infra::secret::{Links, Mailed};
use schema::UserId;
use serde_json::{Value, json};
use waitlist_tests::{account::PASSWORD, events::HttpRequest};

use super::deployment::{Answer, Deployment, main_room};

/// Sends a request without a token. API Gateway calls no authorizer for public routes.
async fn anyone(deployment: &Deployment, method: &str, path: &str, body: &Value) -> Answer {
    let request = HttpRequest::new(method, path);
    let request = if body.is_null() { request } else { request.json(body) };
    deployment.deliver(request.event()).await
}

#[tokio::test]
async fn an_owner_registers_a_guest_joins_and_is_seated_and_the_owner_signs_out() {
    let deployment = Deployment::new().await;
    let ana = anyone(
        &deployment,
        "POST",
        "/v1/users",
        &json!({ "email": "ana@example.com", "password": PASSWORD, "name": "Ana" }),
    )
    .await;
    assert_eq!(ana.status, 201, "{ana:?}");
    let ends_at = deployment.backend().clock.now().plus_millis(60_000);
    let secrets = Links::load_or_create(&deployment.stage.keys).unwrap();
    let link = secrets.mailed_token(Mailed::Confirmation, UserId(ana.id().parse().unwrap()), ends_at, 1);
    assert_eq!(anyone(&deployment, "POST", "/v1/users/confirm", &json!({ "token": link })).await.status, 204);
    let tokens = anyone(
        &deployment,
        "POST",
        "/v1/sessions",
        &json!({ "email": "ana@example.com", "password": PASSWORD }),
    )
    .await;
    assert_eq!(tokens.status, 201, "{tokens:?}");
    let bearer = format!("Bearer {}", tokens.body["access_token"].as_str().unwrap());
    let owner = async |method: &str, path: &str, body: &Value| {
        let request = HttpRequest::new(method, path).header("Authorization", &bearer);
        deployment.send(if body.is_null() { request } else { request.json(body) }).await
    };

    let list = owner("POST", "/v1/waitlists", &main_room()).await;
    assert_eq!(list.status, 201, "{list:?}");
    let public = format!("/v1/public/waitlists/{}", list.id());
    let ben =
        anyone(&deployment, "POST", &format!("{public}/waitees"), &json!({ "name": "Ben", "party_size": 2 }))
            .await;
    assert_eq!(ben.status, 201, "{ben:?}");
    let visit = format!("/v1/public/visits/{}", ben.body["visit_token"].as_str().unwrap());
    assert_eq!(owner("POST", &format!("/v1/waitees/{}/call", ben.id()), &Value::Null).await.status, 202);
    let confirmed = anyone(&deployment, "POST", &format!("{visit}/confirm"), &Value::Null).await;
    assert_eq!((confirmed.status, &confirmed.body["state"]), (200, &json!("confirmed")), "{confirmed:?}");
    let seated = owner("POST", &format!("/v1/waitees/{}/seat", ben.id()), &Value::Null).await;
    assert_eq!((seated.status, &seated.body["state"]), (200, &json!("seated")), "{seated:?}");

    // The registration, its welcome mail, the confirmation, a session, a list, and four commits of the visit.
    let event = deployment.stream(9).await;
    assert_eq!(deployment.projector().await.invoke(event).await.unwrap(), json!({ "batchItemFailures": [] }));
    let me = owner("GET", "/v1/me", &Value::Null).await;
    assert_eq!(
        (me.status, &me.body["name"], &me.body["email_confirmed"]),
        (200, &json!("Ana"), &json!(true)),
        "{me:?}"
    );
    let place = anyone(&deployment, "GET", &visit, &Value::Null).await;
    assert_eq!((place.status, &place.body["state"]), (200, &json!("seated")), "{place:?}");

    assert_eq!(owner("DELETE", "/v1/sessions/current", &Value::Null).await.status, 204);
    assert_eq!(owner("GET", "/v1/me", &Value::Null).await.problem(401), "unauthorized");
    let refresh = json!({ "refresh_token": tokens.body["refresh_token"] });
    assert_eq!(
        anyone(&deployment, "POST", "/v1/sessions/refresh", &refresh).await.problem(401),
        "invalid-token"
    );
    let logs = deployment.stop().await;
    for secret in [
        "ana@example.com",
        PASSWORD,
        "Ben",
        "argon2",
        bearer.trim_start_matches("Bearer "),
        visit.rsplit('/').next().unwrap(),
    ] {
        assert!(!logs.contains(secret), "the logs hold {secret}");
    }
}
