//! Public routes: the answer without an access token, and the answer to invalid input. The table of routes is
//! the list of cases.

use schema::route::{Access, Entry, ROUTES, Role};
use serde_json::json;
use waitlist_tests::stage::{Stage, send_bytes};

use crate::bad_input::assert_is_problem;

/// A request without an access token, and the status and slug of its answer. The slug of a success is empty.
struct Case {
    path: String,
    body: String,
    answer: (u16, &'static str),
}

fn case(path: &str, body: &str, answer: (u16, &'static str)) -> Case {
    Case { path: path.to_owned(), body: body.to_owned(), answer }
}

/// Returns the cases of a route; `None` for a route without cases here.
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
        ("GET", "/.well-known/jwks.json" | "/healthz" | "/v1/openapi.json") => {
            vec![case(entry.path, "", served)]
        }
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
    assert!(without.is_empty(), "add the cases of {without:?} to `cases`");
}

async fn assert_cases(roles: &[Role]) {
    let stage = Stage::new().await;
    for entry in public().filter(|entry| roles.contains(&entry.role())) {
        let owner = stage.owner();
        let list = owner.list("Main room").await;
        let party = owner.join(&list, "Ana").await;
        owner.post(&format!("/v1/waitees/{party}/call"), json!({})).await;
        let token = stage.links().visit_token(party.parse().unwrap());
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
async fn routes_of_guests_need_no_access_token_and_an_invalid_visit_token_is_404() {
    assert_cases(&[Role::Guests, Role::Reads]).await;
}

#[tokio::test]
async fn routes_of_sign_in_need_no_access_token_and_a_malformed_body_is_400() {
    assert_cases(&[Role::Accounts, Role::Hosts]).await;
}
