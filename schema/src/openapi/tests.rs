use std::{collections::BTreeSet, env, fs};

use serde::de::DeserializeOwned;

use schemars::JsonSchema;

use super::{examples::Example, *};
use crate::{
    Problem,
    body::{
        AddWaitee, ChangeWaitee, ChangeWaitlist, CreateWaitlist, Empty, Move, Transition,
        account::{
            AskPasswordReset, ChangeMe, ChangePassword, ConfirmEmail, EraseMe, Refresh, Register,
            ResetPassword, SignIn,
        },
        guest::JoinWaitlist,
        projection::StartRebuild,
    },
    check,
};

const SNAPSHOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/openapi.json");

#[test]
fn the_served_document_is_the_generated_one() {
    let generated = format!("{:#}\n", document());
    if env::var_os("UPDATE_OPENAPI").is_some() {
        fs::write(SNAPSHOT, generated).unwrap();
        return;
    }
    let is_same = fs::read_to_string(SNAPSHOT).unwrap() == generated;
    assert!(is_same, "write schema/openapi.json anew: UPDATE_OPENAPI=1 cargo test --lib openapi");
}

/// Parses a body's example. Returns the name of its schema.
fn parsed<T: DeserializeOwned + Example + JsonSchema>(parse: impl Fn(T) -> Result<(), Problem>) -> String {
    let example = T::example();
    let body = check::json(example.to_string().as_bytes()).and_then(parse);
    assert!(body.is_ok(), "{example}: {body:?}");
    T::schema_name().into_owned()
}

#[test]
fn the_example_of_every_request_is_accepted() {
    let us = "US".parse().unwrap();
    let settings = || {
        let body: CreateWaitlist = serde_json::from_str(&CreateWaitlist::example().to_string()).unwrap();
        body.parse().unwrap()
    };
    let parsed = [
        parsed::<Register>(|body| body.parse().map(drop)),
        parsed::<ConfirmEmail>(|_| Ok(())),
        parsed::<AskPasswordReset>(|body| body.parse().map(drop)),
        parsed::<ResetPassword>(|body| body.parse().map(drop)),
        parsed::<ChangeMe>(|body| body.parse().map(drop)),
        parsed::<ChangePassword>(|body| body.parse().map(drop)),
        parsed::<EraseMe>(|body| body.parse().map(drop)),
        parsed::<SignIn>(|body| body.parse().map(drop)),
        parsed::<Refresh>(|_| Ok(())),
        parsed::<CreateWaitlist>(|body| body.parse().map(drop)),
        parsed::<ChangeWaitlist>(|body| body.apply(&settings()).map(drop)),
        parsed::<Empty>(|_| Ok(())),
        parsed::<AddWaitee>(|body| body.parse(us).map(drop)),
        parsed::<ChangeWaitee>(|body| body.parse(us).map(drop)),
        parsed::<Transition>(|body| body.parse().map(drop)),
        parsed::<Move>(|body| body.parse().map(drop)),
        parsed::<StartRebuild>(|body| body.parse().map(drop)),
        parsed::<JoinWaitlist>(|body| AddWaitee::from(body).parse(us).map(drop)),
    ];
    let declared: BTreeSet<String> = operations()
        .iter()
        .filter_map(|(_, operation)| {
            let schema = operation.pointer("/requestBody/content/application~1json/schema/$ref")?;
            schema.as_str()?.rsplit('/').next().map(str::to_owned)
        })
        .collect();
    assert_eq!(declared, parsed.into_iter().collect());
}

/// The operations of the document, with their paths.
fn operations() -> Vec<(String, Value)> {
    let document = document();
    let of_path = |(path, operations): (&String, &Value)| -> Vec<(String, Value)> {
        let operations = operations.as_object().unwrap().iter();
        operations.map(|(method, operation)| (format!("{method} {path}"), operation.clone())).collect()
    };
    document["paths"].as_object().unwrap().iter().flat_map(of_path).collect()
}

#[test]
fn every_route_is_an_operation_of_its_own_name() {
    let operations = operations();
    let ids: BTreeSet<&str> =
        operations.iter().map(|(_, operation)| operation["operationId"].as_str().unwrap()).collect();
    assert_eq!((operations.len(), ids.len()), (ROUTES.len(), ROUTES.len()));
}

#[test]
fn a_value_has_one_schema_in_requests_and_answers() {
    let document = document();
    let schemas = document["components"]["schemas"].as_object().unwrap();
    let numbered: Vec<_> =
        schemas.keys().filter(|name| name.ends_with(|c: char| c.is_ascii_digit())).collect();
    assert!(numbered.is_empty(), "two types have the same name: {numbered:?}");
}

#[test]
fn patterns_use_only_what_every_dialect_of_regular_expressions_has() {
    let text = document().to_string();
    for foreign in ["(?=", "(?!", "(?<", "\\\\p", "\\\\u{"] {
        assert!(!text.contains(foreign), "{foreign} is not in every dialect of regular expressions");
    }
}
