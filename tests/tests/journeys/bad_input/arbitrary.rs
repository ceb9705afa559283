//! Generated requests to every route that writes: none causes a server error, and a refused one stores
//! nothing.

use infra::http::Principal;
use proptest::{
    collection::{btree_map, vec},
    prelude::*,
    sample::{Index, select},
    test_runner::{TestCaseError, TestRunner},
};
use schema::route::{Access, ROUTES, Role};
use serde_json::{Map, Value, json};
use waitlist_tests::account::PASSWORD;
use waitlist_tests::cases::{cases, runtime};
use waitlist_tests::stage::{Answer, Stage, send_bytes};

use super::JSON;
use crate::raw::census;

const CASES: u32 = 64;

const FIELDS: &[&str] = &[
    "name",
    "party_size",
    "phone",
    "email",
    "note",
    "quoted_minutes",
    "language",
    "time_zone",
    "region",
    "capacity",
    "hold_minutes",
    "remind_minutes",
    "quote_minutes",
    "day_starts",
    "reason",
    "before",
    "after",
];

const TEXTS: &[&str] = &[
    "US",
    "DE",
    "America/Los_Angeles",
    "en",
    "\u{0}",
    "\u{202e}",
    "\u{1f468}\u{200d}\u{1f469}",
    "%s",
    "$ne",
    "04:00",
];

fn runner() -> TestRunner {
    TestRunner::new(cases(CASES))
}

/// Text as people, programs and attackers send it.
fn texts() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        "[+0-9() .-]{0,70}",
        "\\+[0-9;=a-z]{1,30}",
        "[a-z]{0,8}@[a-z.@-]{0,12}",
        "[0-9]{1,2}:[0-9]{1,2}",
        select(TEXTS).prop_map(str::to_owned),
    ]
}

fn values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (-2_i64..500).prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        texts().prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 24, 6, |inner| {
        let keys = prop_oneof![select(FIELDS).prop_map(str::to_owned), any::<String>()];
        prop_oneof![
            vec(inner.clone(), 0..6).prop_map(Value::from),
            btree_map(keys, inner, 0..6).prop_map(|map| json!(map))
        ]
    })
}

/// A change to a valid body.
#[derive(Clone, Debug)]
enum Mutation {
    Replace(Index, Value),
    Remove(Index),
    Add(String, Value),
    Double(Index),
    Cut(Index),
    Flip(Index, u8),
}

#[derive(Clone, Debug)]
enum Body {
    Bytes(Vec<u8>),
    Json(Value),
    Mutated(Vec<Mutation>),
}

fn bodies() -> impl Strategy<Value = Body> {
    let mutation = prop_oneof![
        4 => (any::<Index>(), values()).prop_map(|(field, value)| Mutation::Replace(field, value)),
        4 => (any::<Index>(), texts()).prop_map(|(field, text)| Mutation::Replace(field, text.into())),
        1 => any::<Index>().prop_map(Mutation::Remove),
        1 => (select(FIELDS), values()).prop_map(|(field, value)| Mutation::Add(field.to_owned(), value)),
        1 => any::<Index>().prop_map(Mutation::Double),
        1 => any::<Index>().prop_map(Mutation::Cut),
        1 => (any::<Index>(), any::<u8>()).prop_map(|(at, bits)| Mutation::Flip(at, bits)),
    ];
    prop_oneof![
        1 => vec(any::<u8>(), 0..300).prop_map(Body::Bytes),
        1 => values().prop_map(Body::Json),
        4 => vec(mutation, 1..4).prop_map(Body::Mutated),
    ]
}

/// Returns a valid body for a route, with every field set.
fn valid(path: &str, other: &str) -> Map<String, Value> {
    let body = match path {
        "/v1/waitlists" | "/v1/waitlists/{id}" => json!({
            "name": "Terrace", "time_zone": "America/Los_Angeles", "region": "US", "capacity": 50, "hold_minutes": 10,
            "remind_minutes": 5, "quote_minutes": 5, "language": "en", "day_starts": "04:00",
        }),
        "/v1/waitlists/{id}/waitees" | "/v1/waitees/{id}" => json!({
            "name": "Cleo", "party_size": 2, "phone": "(415) 555-2671", "email": "cleo@example.com", "note": "window",
            "quoted_minutes": 15, "language": "es",
        }),
        "/v1/users" | "/v1/sessions" => {
            json!({ "email": "cleo@example.com", "password": PASSWORD, "name": "Cleo" })
        }
        "/v1/users/confirm" | "/v1/password-resets/confirm" => {
            json!({ "token": "AAAA", "new_password": PASSWORD })
        }
        "/v1/password-resets" => json!({ "email": "cleo@example.com" }),
        "/v1/sessions/refresh" => json!({ "refresh_token": "AAAA" }),
        "/v1/me" => json!({ "name": "Cleo" }),
        "/v1/me/password" | "/v1/me/erase" => {
            json!({ "current_password": PASSWORD, "new_password": PASSWORD })
        }
        "/v1/public/waitlists/{id}/waitees" => json!({
            "name": "Cleo", "party_size": 2, "phone": "(415) 555-2671", "email": "cleo@example.com", "note": "window", "language": "es",
        }),
        "/v1/public/visits/{token}/confirm" | "/v1/public/visits/{token}/leave" => json!({}),
        "/v1/waitees/{id}/move" => json!({ "after": other, "reason": "asked" }),
        "/v1/projections/{name}/rebuilds" => {
            json!({ "promote": "manual", "write_units_per_second": 100, "reason": "asked" })
        }
        _ => json!({ "reason": "asked" }),
    };
    body.as_object().cloned().unwrap_or_default()
}

fn render(body: &Body, valid: &Map<String, Value>) -> Vec<u8> {
    let mutations = match body {
        Body::Bytes(bytes) => return bytes.clone(),
        Body::Json(value) => return value.to_string().into_bytes(),
        Body::Mutated(mutations) => mutations,
    };
    let mut fields: Vec<(String, Value)> = valid.clone().into_iter().collect();
    for mutation in mutations {
        match mutation {
            Mutation::Add(field, value) => fields.push((field.clone(), value.clone())),
            _ if fields.is_empty() => {}
            Mutation::Replace(at, value) => at.get_mut(&mut fields).1 = value.clone(),
            Mutation::Remove(at) => drop(fields.remove(at.index(fields.len()))),
            Mutation::Double(at) => fields.push(at.get(&fields).clone()),
            Mutation::Cut(_) | Mutation::Flip(..) => {}
        }
    }
    let fields: Vec<String> =
        fields.iter().map(|(name, value)| format!("{}:{value}", Value::from(name.as_str()))).collect();
    let mut text = format!("{{{}}}", fields.join(",")).into_bytes();
    for mutation in mutations {
        match mutation {
            Mutation::Cut(at) if !text.is_empty() => text.truncate(at.index(text.len())),
            Mutation::Flip(at, bits) if !text.is_empty() => *at.get_mut(&mut text) ^= bits,
            _ => {}
        }
    }
    text
}

#[test]
fn any_request_to_a_route_that_writes_causes_no_server_error_and_stores_nothing_when_refused() {
    let routes: Vec<_> =
        ROUTES.iter().filter(|entry| !matches!(entry.role(), Role::Reads | Role::Exports)).collect();
    let runtime = runtime();
    let stage = runtime.block_on(Stage::new());
    let outcome = runner().run(&(select(routes), bodies()), |(entry, body)| {
        runtime.block_on(async {
            let owner = if entry.role() == Role::Accounts { stage.registered().await } else { stage.owner() };
            stage.backend.clock.advance_millis(3_600_000); // so that no bound on attempts is reached
            let list = owner.list("Main room").await;
            let (ana, ben) = (owner.join(&list, "Ana").await, owner.join(&list, "Ben").await);
            let id = if entry.path.starts_with("/v1/waitees") { &ana } else { &list };
            let token = stage.links().visit_token(ana.parse().unwrap());
            let path = entry.path.replace("{id}", id).replace("{token}", &token);
            let path = path.replace("{name}", "waitees");
            let bytes = render(&body, &valid(entry.path, &ben));
            let before = census(&stage.dynamodb, &stage.prefix).await;
            let exp = stage.backend.clock.now().millis() / 1000 + 900;
            let operator = entry.access == Access::Operator;
            let principal = Some(Principal::User { id: owner.id, exp, session: None, operator });
            let answer =
                send_bytes(&stage.backend, principal, entry.method, &path, bytes.into(), &[JSON]).await;
            let after = census(&stage.dynamodb, &stage.prefix).await;
            judge(&answer, before == after)
        })
    });
    outcome.unwrap();
}

fn judge(answer: &Answer, untouched: bool) -> Result<(), TestCaseError> {
    prop_assert!(answer.status < 500, "{:?}", answer);
    prop_assert!(
        answer.status < 400 || untouched,
        "something was stored although the request was refused: {:?}",
        answer
    );
    prop_assert_eq!(
        answer.status >= 400,
        answer.header("content-type") == "application/problem+json",
        "{:?}",
        answer
    );
    Ok(())
}
