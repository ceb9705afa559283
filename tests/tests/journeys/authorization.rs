//! Authorization of every route. The table of routes is the list of cases.

mod operators;

use data_encoding::BASE64URL_NOPAD;
use infra::{Clock, http::Principal, token::TokenKey};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use schema::{
    UserId,
    route::{Access, Entry, ROUTES},
};
use serde_json::{Value, json};
use uuid::Uuid;
use waitlist_tests::{
    account::PASSWORD,
    stage::{Owner, Stage, send},
};

use crate::{bad_input::assert_is_problem, place::Place, raw::census};

/// Returns the routes that need an access token.
fn guarded() -> impl Iterator<Item = &'static Entry> {
    ROUTES.iter().filter(|entry| entry.access != Access::Public)
}

/// Returns a valid request of the list's owner to a route; `None` for a route without a case here.
fn request(entry: &Entry, list: &str, party: &str, other: &str) -> Option<(String, Option<Value>)> {
    let body = match (entry.method, entry.path) {
        (
            "GET",
            "/v1/waitlists"
            | "/v1/waitlists/{id}"
            | "/v1/waitlists/{id}/history"
            | "/v1/waitlists/{id}/waitees",
        )
        | ("GET", "/v1/waitees/{id}" | "/v1/waitees/{id}/history")
        | ("GET", "/v1/me" | "/v1/me/history" | "/v1/audit" | "/v1/audit/export" | "/v1/audit/verify")
        | ("DELETE", "/v1/waitlists/{id}" | "/v1/sessions/current")
        | ("POST", "/v1/me/confirmation" | "/v1/waitees/{id}/erase") => None,
        ("PATCH", "/v1/me") => Some(json!({ "name": "Ben" })),
        ("PUT", "/v1/me/password") => {
            Some(json!({ "current_password": PASSWORD, "new_password": "quite another long passphrase" }))
        }
        ("POST", "/v1/me/erase") => Some(json!({ "current_password": PASSWORD })),
        ("POST", "/v1/waitlists") => {
            Some(json!({ "name": "Bar", "time_zone": "America/Los_Angeles", "region": "US" }))
        }
        ("PATCH", "/v1/waitlists/{id}") => Some(json!({ "name": "Terrace" })),
        ("POST", "/v1/waitlists/{id}/waitees") => Some(json!({ "name": "Cleo", "party_size": 2 })),
        ("PATCH", "/v1/waitees/{id}") => Some(json!({ "party_size": 5 })),
        ("POST", "/v1/waitees/{id}/move") => Some(json!({ "after": other })),
        (
            "POST",
            "/v1/waitlists/{id}/open"
            | "/v1/waitlists/{id}/close"
            | "/v1/waitees/{id}/call"
            | "/v1/waitees/{id}/confirm"
            | "/v1/waitees/{id}/seat"
            | "/v1/waitees/{id}/no-show"
            | "/v1/waitees/{id}/leave"
            | "/v1/waitees/{id}/remove"
            | "/v1/waitees/{id}/restore",
        ) => None,
        _ => return operators::request(entry).map(|path| (path, None)),
    };
    let id = if entry.path.starts_with("/v1/waitees") { party } else { list };
    Some((entry.path.replace("{id}", id), body))
}

/// Brings the list and the party into a state in which the owner's request succeeds.
async fn make_ready(owner: &Owner<'_>, entry: &Entry, list: &str, party: &str) {
    let first = match entry.path {
        "/v1/waitlists/{id}" if entry.method == "DELETE" => format!("/v1/waitlists/{list}/close"),
        "/v1/waitees/{id}/confirm" => format!("/v1/waitees/{party}/call"),
        "/v1/waitees/{id}/restore" => format!("/v1/waitees/{party}/seat"),
        _ => return,
    };
    let answer = owner.post(&first, json!({})).await;
    assert!(answer.status < 300, "{first}: {answer:?}");
}

#[test]
fn every_guarded_route_has_a_case() {
    let without: Vec<_> = guarded()
        .filter(|entry| request(entry, "l", "p", "o").is_none())
        .map(|entry| (entry.method, entry.path))
        .collect();
    assert!(without.is_empty(), "add the requests of {without:?} to `request`");
}

#[tokio::test]
async fn another_accounts_id_is_404_on_every_route_while_its_owner_is_served() {
    let stage = Stage::new().await;
    for entry in guarded().filter(|entry| entry.access == Access::Owner) {
        let owner = stage.registered().await;
        let list = owner.list("Main room").await;
        let (party, other) = (owner.join(&list, "Ana").await, owner.join(&list, "Ben").await);
        make_ready(&owner, entry, &list, &party).await;
        let (path, body) = request(entry, &list, &party, &other).unwrap();
        let asked = format!("{} {path}", entry.method);
        if entry.path.contains("{id}") {
            let stranger = stage.owner();
            stranger.list("Elsewhere").await; // so that the stranger has a key, which does not open the owner's data
            let before = census(&stage.dynamodb, &stage.prefix).await;
            for headers in [vec![], vec![("Idempotency-Key", "a-key")], vec![("If-Match", "\"1\"")]] {
                let refused = stranger.send(entry.method, &path, body.as_ref(), &headers).await;
                assert_is_problem(&refused, 404, "not-found", &asked);
                let detail = refused.body["detail"].clone();
                let nowhere = path
                    .replace(&party, &Uuid::from_u128(7).to_string())
                    .replace(&list, &Uuid::from_u128(7).to_string());
                let absent = stranger.send(entry.method, &nowhere, body.as_ref(), &headers).await;
                assert_is_problem(&absent, 404, "not-found", &asked);
                assert_eq!(
                    absent.body["detail"], detail,
                    "{asked}: another account's id is told from an unknown one"
                );
            }
            assert_eq!(census(&stage.dynamodb, &stage.prefix).await, before, "{asked} left something behind");
        }
        let served = owner.send(entry.method, &path, body.as_ref(), &[]).await;
        assert_eq!(served.status, entry.success, "{asked}: {served:?}");
    }
}

/// API Gateway caches the authorizer's answer, so each handler checks the expiry.
#[tokio::test]
async fn an_expired_principal_is_401_on_every_route() {
    let stage = Stage::new().await;
    let owner = stage.owner();
    let list = owner.list("Main room").await;
    let (party, other) = (owner.join(&list, "Ana").await, owner.join(&list, "Ben").await);
    let now_s = stage.backend.clock.now().millis() / 1000;
    let before = census(&stage.dynamodb, &stage.prefix).await;
    for entry in guarded() {
        let (path, body) = request(entry, &list, &party, &other).unwrap();
        for principal in [
            None,
            Some(Principal::Anonymous),
            Some(Principal::account(owner.id, now_s)),
            Some(Principal::account(owner.id, now_s - 3_600)),
            Some(Principal::account(owner.id, i64::MIN)),
        ] {
            let refused =
                send(&stage.backend, principal.clone(), entry.method, &path, body.as_ref(), &[]).await;
            let asked = format!("{} {path} as {principal:?}", entry.method);
            assert_is_problem(&refused, 401, "unauthorized", &asked);
            assert_eq!(refused.header("www-authenticate"), "Bearer", "{asked}");
        }
    }
    assert_eq!(census(&stage.dynamodb, &stage.prefix).await, before);
}

/// Builds a JWT from its parts.
fn jwt(header: &Value, claims: &Value, signature: &[u8]) -> String {
    let part = |value: &Value| BASE64URL_NOPAD.encode(value.to_string().as_bytes());
    format!("{}.{}.{}", part(header), part(claims), BASE64URL_NOPAD.encode(signature))
}

/// Returns values of the header Authorization that must be refused, each with its fault.
fn bad_authorizations(
    owner: UserId,
    valid: &str,
    keys: &std::path::Path,
) -> Vec<(&'static str, Option<String>)> {
    let now = Clock::system().now();
    let now_s = now.millis() / 1000;
    let server_key = TokenKey::load_or_create(keys).unwrap();
    let expired = server_key.mint(owner, now.plus_millis(-7_200_000), 3_600).unwrap();
    let elsewhere = tempfile::tempdir().unwrap();
    let forged = TokenKey::load_or_create(elsewhere.path()).unwrap().mint(owner, now, 3_600).unwrap();
    let claims = json!({ "iss": "waitlist", "sub": owner.to_string(), "iat": now_s, "exp": now_s + 3_600 });
    let signing = EncodingKey::from_ed_der(&std::fs::read(keys.join("token-local")).unwrap());
    let signed = |changes: Value| {
        let mut claims = claims.clone();
        claims.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        claims.as_object_mut().unwrap().retain(|_, value| !value.is_null());
        let header =
            Header { kid: jsonwebtoken::decode_header(valid).unwrap().kid, ..Header::new(Algorithm::EdDSA) };
        Some(format!("Bearer {}", jsonwebtoken::encode(&header, &claims, &signing).unwrap()))
    };
    let nameless = jsonwebtoken::encode(&Header::new(Algorithm::EdDSA), &claims, &signing).unwrap();
    let public =
        jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &EncodingKey::from_secret(b"waitlist"))
            .unwrap();
    let (head, rest) = valid.split_once('.').unwrap();
    let (_, signature) = rest.split_once('.').unwrap();
    let promoted =
        json!({ "iss": "waitlist", "sub": Uuid::from_u128(8), "iat": now_s, "exp": now_s + 3_600 });
    let swapped = format!("{head}.{}.{signature}", BASE64URL_NOPAD.encode(promoted.to_string().as_bytes()));
    vec![
        ("no token", None),
        ("an empty header", Some(String::new())),
        ("the scheme alone", Some("Bearer".into())),
        ("another scheme", Some(format!("Basic {valid}"))),
        ("a token without a scheme", Some(valid.to_owned())),
        ("garbage", Some("Bearer garbage".into())),
        ("garbage in three parts", Some("Bearer a.b.c".into())),
        ("an expired token", Some(format!("Bearer {expired}"))),
        ("a token signed by another key", Some(format!("Bearer {forged}"))),
        (
            "no algorithm",
            Some(format!("Bearer {}", jwt(&json!({ "alg": "none", "typ": "JWT" }), &claims, b""))),
        ),
        ("a symmetric algorithm", Some(format!("Bearer {public}"))),
        ("no signature", Some(format!("Bearer {}", valid.rsplit_once('.').unwrap().0))),
        ("other claims with a valid signature", Some(format!("Bearer {swapped}"))),
        ("no key id", Some(format!("Bearer {nameless}"))),
        ("an unknown session", signed(json!({ "sid": Uuid::from_u128(9) }))),
        ("a session that is not an id", signed(json!({ "sid": "root" }))),
        ("another issuer", signed(json!({ "iss": "someone-else" }))),
        ("no issuer", signed(json!({ "iss": null }))),
        ("no subject", signed(json!({ "sub": null }))),
        ("a subject that is not an account", signed(json!({ "sub": "root" }))),
        ("no expiry", signed(json!({ "exp": null }))),
    ]
}

#[tokio::test]
async fn an_invalid_token_is_401_on_every_route_of_the_running_server() {
    let place = Place::new();
    let server = place.serve(&[]).await;
    let owner = UserId(Uuid::from_u128(7));
    let token = server.token(owner);
    let list = json!({ "name": "Main room", "time_zone": "America/Los_Angeles", "region": "US" });
    let list = server.send(Some(&token), "POST", "/v1/waitlists", Some(&list), &[]).await.unwrap().id();
    let parties = format!("/v1/waitlists/{list}/waitees");
    let join = json!({ "name": "Ana", "party_size": 2 });
    let party = server.send(Some(&token), "POST", &parties, Some(&join), &[]).await.unwrap().id();
    place.settled(&server).await;
    let dynamodb = place.dynamodb().await;
    let before = census(&dynamodb, &place.prefix).await;

    let bad = bad_authorizations(owner, &token, &place.path().join("keys"));
    for entry in guarded() {
        let (path, body) = request(entry, &list, &party, &party).unwrap();
        for (what, authorization) in &bad {
            let headers: Vec<_> =
                authorization.iter().map(|value| ("authorization", value.as_str())).collect();
            let refused = server.send(None, entry.method, &path, body.as_ref(), &headers).await.unwrap();
            let asked = format!("{} {path} with {what}", entry.method);
            assert_is_problem(&refused, 401, "unauthorized", &asked);
            let is_bearer = authorization
                .as_ref()
                .is_some_and(|value| value.to_lowercase().trim().starts_with("bearer "));
            let challenge = if is_bearer { "Bearer error=\"invalid_token\"" } else { "Bearer" };
            assert_eq!(refused.header("www-authenticate"), challenge, "{asked}");
        }
    }
    assert_eq!(census(&dynamodb, &place.prefix).await, before);
    for entry in ROUTES
        .iter()
        .filter(|entry| entry.access == Access::Public && !entry.path.contains('{') && entry.method == "GET")
    {
        let served = server.send(None, entry.method, entry.path, None, &[]).await.unwrap();
        assert_eq!(served.status, entry.success, "{}: {served:?}", entry.path);
    }
    let lower_case = [("authorization", format!("bearer {token}"))];
    let headers: Vec<_> = lower_case.iter().map(|(name, value)| (*name, value.as_str())).collect();
    assert_eq!(server.send(None, "GET", "/v1/waitlists", None, &headers).await.unwrap().status, 200);
}
