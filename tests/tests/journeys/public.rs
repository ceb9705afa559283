//! What everyone may ask, for every such route that there is: which answer they get without any access token, and which when
//! what they send instead of one is bad.

use schema::route::{Access, Entry, ROUTES, Role};
use serde_json::json;
use waitlist_tests::stage::{Stage, send_bytes};

use crate::bad_input::assert_is_problem;

/// What somebody without an access token sends, and the status and slug of the answer; no slug when they are served.
struct Case {
    path: String,
    body: String,
    answer: (u16, &'static str),
}

fn case(path: &str, body: &str, answer: (u16, &'static str)) -> Case {
    Case { path: path.to_owned(), body: body.to_owned(), answer }
}

/// What is to happen on a route; nothing when nobody has thought of it yet.
fn cases(entry: &Entry, list: &str, token: &str) -> Option<Vec<Case>> {
    let absent = uuid::Uuid::from_u128(7).to_string();
    let (of_list, of_visit) = (entry.path.replace("{id}", list), entry.path.replace("{token}", token));
    let (no_list, no_visit) =
        (entry.path.replace("{id}", &absent), entry.path.replace("{token}", &token[1..]));
    let served = (entry.success, "");
    Some(match (entry.method, entry.path) {
        ("GET", "/v1/public/waitlists/{id}") => {
            vec![case(&of_list, "", served), case(&no_list, "", (404, "not-found"))]
        }
        ("POST", "/v1/public/waitlists/{id}/waitees") => {
            let party = json!({ "name": "Cleo", "party_size": 2 }).to_string();
            let quoted = json!({ "name": "Cleo", "party_size": 2, "quoted_minutes": 0 }).to_string();
            vec![
                case(&of_list, &party, served),
                case(&no_list, &party, (404, "not-found")),
                case(&of_list, &quoted, (400, "malformed-body")),
                case(&of_list, "{", (400, "malformed-body")),
            ]
        }
        ("GET", "/v1/public/visits/{token}") => {
            vec![case(&of_visit, "", served), case(&no_visit, "", (404, "not-found"))]
        }
        ("POST", "/v1/public/visits/{token}/confirm" | "/v1/public/visits/{token}/leave") => vec![
            case(&of_visit, "{", (400, "malformed-body")),
            case(&of_visit, "", served),
            case(&no_visit, "", (404, "not-found")),
            case(&no_visit, "{", (404, "not-found")),
        ],
        (
            "POST",
            "/v1/users"
            | "/v1/users/confirm"
            | "/v1/password-resets"
            | "/v1/password-resets/confirm"
            | "/v1/sessions"
            | "/v1/sessions/refresh",
        ) => ["{", "[]", "{}", r#"{"colour": 1}"#]
            .map(|body| case(entry.path, body, (400, "malformed-body")))
            .into(),
        ("GET", "/.well-known/jwks.json" | "/healthz") => vec![case(entry.path, "", served)],
        _ => return None,
    })
}

fn public() -> impl Iterator<Item = &'static Entry> {
    ROUTES.iter().filter(|entry| entry.access == Access::Public)
}

#[test]
fn every_public_route_has_a_case() {
    let without: Vec<_> = public()
        .filter(|entry| cases(entry, "l", "t").is_none())
        .map(|entry| (entry.method, entry.path))
        .collect();
    assert!(without.is_empty(), "say in `cases` what anyone gets who asks {without:?}");
}

async fn everyone_gets_what_is_said(roles: &[Role]) {
    let stage = Stage::new().await;
    for entry in public().filter(|entry| roles.contains(&entry.role())) {
        let owner = stage.owner();
        let list = owner.list("Main room").await;
        let party = owner.join(&list, "Ana").await;
        owner.post(&format!("/v1/waitees/{party}/call"), json!({})).await;
        let token = stage.backend.secrets.visit_token(party.parse().unwrap());
        for Case { path, body, answer: (status, slug) } in cases(entry, &list, &token).unwrap() {
            let asked = format!("{} {path} {body}", entry.method);
            let json = [("content-type", "application/json")];
            let answer = send_bytes(&stage.backend, None, entry.method, &path, body.into(), &json).await;
            match slug {
                "" => assert_eq!(answer.status, status, "{asked}: {answer:?}"),
                slug => assert_is_problem(&answer, status, slug, &asked),
            }
        }
    }
}

#[tokio::test]
async fn guests_need_no_access_token_and_a_bad_token_of_a_visit_names_nothing() {
    everyone_gets_what_is_said(&[Role::Guests, Role::Reads]).await;
}

#[tokio::test]
async fn accounts_begin_without_an_access_token_and_a_body_that_is_not_understood_is_400() {
    everyone_gets_what_is_said(&[Role::Accounts, Role::Hosts]).await;
}
