//! Compares the answers that tests get with the OpenAPI document.

use std::{collections::HashMap, sync::LazyLock};

use boon::{Compiler, SchemaIndex, Schemas};
use schema::{openapi::DOCUMENT, route};
use serde_json::{Map, Value, json};

/// The headers that stand in an answer if and only if the document declares them.
const HEADERS: [&str; 6] =
    ["ETag", "Sync-Token", "Location", "WWW-Authenticate", "X-Request-Id", "Content-Disposition"];

/// A name for the schemas in messages of the validator.
const ROOT: &str = "https://waitlist.example/openapi.json";

static DECLARED: LazyLock<Declared> = LazyLock::new(Declared::read);

/// The answers of the document, by operation and status.
struct Declared {
    answers: HashMap<String, Declaration>,
    /// The schemas of values and bodies, by name.
    named: HashMap<String, SchemaIndex>,
    schemas: Schemas,
}

struct Declaration {
    response: Value,
    /// The schema of the body; `None` without a body.
    schema: Option<SchemaIndex>,
}

/// Asserts that the document declares an answer: its status, its problem, its headers and the fields of its
/// body.
pub fn assert_declared(
    method: &str,
    path: &str,
    status: u16,
    header: impl Fn(&str) -> Option<String>,
    body: &Value,
) {
    let Ok((entry, _)) = route::find(method, path) else { return };
    let asked = format!("{} {} {status}", entry.method, entry.path);
    let Some(Declaration { response, schema }) = DECLARED.answers.get(&asked) else {
        panic!("schema/openapi.json does not declare the answer {asked}: {body}");
    };
    for name in HEADERS {
        let is_declared = response["headers"].get(name).is_some();
        let found = header(name);
        assert_eq!(found.is_some(), is_declared, "{name} in the answer {asked}: {found:?}");
    }
    assert!(
        header("Link").is_none() || response["headers"].get("Link").is_some(),
        "Link in the answer {asked}"
    );
    if matches!(status, 429 | 503) {
        assert!(header("Retry-After").is_some(), "{asked} has no Retry-After");
    }
    if method == "HEAD" {
        return;
    }
    let Some(schema) = schema else {
        assert_eq!(body, &Value::Null, "{asked}");
        return;
    };
    let media_type = header("Content-Type").unwrap_or_default();
    let media_type = media_type.split(';').next().unwrap_or_default();
    assert!(response["content"].get(media_type).is_some(), "{media_type:?} in the answer {asked}");
    if status >= 400 {
        let examples = response["content"]["application/problem+json"]["examples"].as_object();
        let mut types = examples.into_iter().flat_map(Map::values).map(|example| &example["value"]["type"]);
        assert!(
            types.any(|uri| uri == &body["type"]),
            "schema/openapi.json does not declare this problem for {asked}: {body}"
        );
    }
    if let Err(error) = DECLARED.schemas.validate(body, *schema) {
        panic!("the answer {asked} does not fit its schema: {error:#}\n{body}");
    }
}

impl Declared {
    fn read() -> Self {
        let document: Value = serde_json::from_str(DOCUMENT).unwrap();
        let mut found = Vec::new();
        for (path, operations) in document["paths"].as_object().unwrap() {
            for (method, operation) in operations.as_object().unwrap() {
                for (status, response) in operation["responses"].as_object().unwrap() {
                    let asked = format!("{} {path} {status}", method.to_uppercase());
                    found.push((asked, resolved(&document, response).clone()));
                }
            }
        }
        // The schemas stand in one JSON Schema, whose references lead to the components.
        let definitions: Map<String, Value> = found
            .iter()
            .enumerate()
            .filter_map(|(number, (_, response))| {
                let media = response["content"].as_object()?.values().next()?;
                Some((number.to_string(), media["schema"].clone()))
            })
            .collect();
        let mut components = document["components"].clone();
        for (name, schema) in components["schemas"].as_object_mut().unwrap() {
            close(name, schema);
        }
        let names: Vec<String> = components["schemas"].as_object().unwrap().keys().cloned().collect();
        let (mut compiler, mut schemas) = (Compiler::new(), Schemas::new());
        compiler.enable_format_assertions();
        compiler.add_resource(ROOT, json!({ "components": components, "$defs": definitions })).unwrap();
        let mut compile = |at: String| compiler.compile(&format!("{ROOT}#/{at}"), &mut schemas).unwrap();
        let named =
            names.into_iter().map(|name| (name.clone(), compile(format!("components/schemas/{name}"))));
        let named = named.collect();
        let answers = found.into_iter().enumerate().map(|(number, (asked, response))| {
            let schema =
                definitions.contains_key(&number.to_string()).then(|| compile(format!("$defs/{number}")));
            (asked, Declaration { response, schema })
        });
        let answers = answers.collect();
        Self { answers, named, schemas }
    }
}

/// Refuses fields that the schema does not name. Clients must ignore such fields, but tests must find them.
fn close(name: &str, schema: &mut Value) {
    if name != "Problem" && schema.get("properties").is_some() {
        schema["unevaluatedProperties"] = json!(false);
    }
}

/// Whether a value fits the schema of this name.
#[must_use]
pub fn fits(name: &str, value: &Value) -> bool {
    DECLARED.schemas.validate(value, DECLARED.named[name]).is_ok()
}

fn resolved<'d>(document: &'d Value, part: &'d Value) -> &'d Value {
    match part["$ref"].as_str().and_then(|reference| reference.strip_prefix('#')) {
        Some(pointer) => document.pointer(pointer).unwrap(),
        None => part,
    }
}

#[cfg(test)]
mod tests;
