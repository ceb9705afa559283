//! Problem documents: which an operation may answer, and their schemas.

use std::collections::{BTreeMap, BTreeSet};

use schemars::SchemaGenerator;
use serde_json::{Map, Value, json};

use super::{
    headers::headers_of,
    operation::{Effect, Header, Operation},
    reference,
};
use crate::{
    problem::{Fault, Problem, Slug},
    route::{Access, Entry},
    value::PartySize,
    waitee::State,
};

/// The problems that the answers of the document use.
#[derive(Default)]
pub(super) struct Problems {
    slugs: BTreeSet<Slug>,
    responses: Map<String, Value>,
}

/// The problems that an operation may answer.
fn slugs(entry: &Entry, operation: &Operation) -> BTreeSet<Slug> {
    let mut slugs: BTreeSet<Slug> = operation.refusals.iter().copied().collect();
    slugs.extend([
        Slug::MalformedRequest,
        Slug::InvalidParameter,
        Slug::UriTooLong,
        Slug::HeadersTooLarge,
        Slug::Internal,
        Slug::Unavailable,
    ]);
    match entry.access {
        Access::Public => {}
        Access::Owner => slugs.extend([Slug::Unauthorized]),
        Access::Operator => slugs.extend([Slug::Unauthorized, Slug::Forbidden]),
    }
    if entry.path.contains('{') {
        slugs.insert(Slug::NotFound);
    }
    if entry.method != "GET" {
        slugs.extend([Slug::MalformedBody, Slug::BodyTooLarge, Slug::UnsupportedMediaType, Slug::Conflict]);
    }
    slugs.extend(match operation.effect {
        Effect::Reads => &[Slug::PreconditionFailed] as &[Slug],
        Effect::Commands => &[Slug::PreconditionFailed],
        Effect::Shows if operation.has_etag() => &[Slug::PreconditionFailed],
        Effect::Shows | Effect::Signs | Effect::Acts => &[],
        Effect::Writes => &[Slug::IdempotencyKeyReused],
        Effect::Changes | Effect::Creates => &[Slug::IdempotencyKeyReused, Slug::PreconditionFailed],
    });
    slugs
}

impl Problems {
    /// The refusals of an operation by status, as references to shared responses.
    pub(super) fn responses_of(&mut self, entry: &Entry, operation: &Operation) -> Map<String, Value> {
        let mut by_status: BTreeMap<u16, Vec<Slug>> = BTreeMap::new();
        for slug in slugs(entry, operation) {
            by_status.entry(slug.status()).or_default().push(slug);
            self.slugs.insert(slug);
        }
        let mut refer = |slugs: &[Slug]| {
            let name = slugs.iter().map(|slug| format!("{slug:?}")).collect::<Vec<_>>().join("Or");
            self.responses.entry(&name).or_insert_with(|| response(slugs));
            reference("responses", &name)
        };
        by_status.iter().map(|(status, slugs)| (status.to_string(), refer(slugs))).collect()
    }

    /// The shared responses, by the names of their problems.
    pub(super) fn responses(&self) -> Value {
        Value::Object(self.responses.clone())
    }

    /// The schemas of all problems.
    pub(super) fn schemas(&self, generator: &mut SchemaGenerator) -> Map<String, Value> {
        let base = json!({
            "description": "A refused or failed request (RFC 9457).",
            "type": "object",
            "properties": {
                "type": { "description": "Identifies the kind of problem; it never changes.", "type": "string", "format": "uri" },
                "title": { "type": "string" },
                "status": { "type": "integer", "minimum": 400, "maximum": 599 },
                "detail": { "description": "The cause, and what to send instead.", "type": "string" },
                "request_id": { "description": "Finds the request in the server's logs.", "type": "string" },
                "errors": { "description": "The wrong parts of the request.", "type": "array", "items": generator.subschema_for::<Fault>() },
                "state": generator.subschema_for::<State>(),
                "allowed": { "description": "The commands that the state allows.", "type": "array", "items": { "type": "string" } },
            },
            "required": ["type", "title", "status", "detail", "request_id"],
        });
        let each = self.slugs.iter().map(|slug| (name(*slug), schema(*slug)));
        std::iter::once(("Problem".to_owned(), base)).chain(each).collect()
    }
}

/// The name of a problem's schema.
fn name(slug: Slug) -> String {
    format!("{slug:?}Problem")
}

fn schema(slug: Slug) -> Value {
    let (_, status, title) = slug.describe();
    let mut schema = json!({
        "allOf": [reference("schemas", "Problem")],
        "type": "object",
        "properties": { "type": { "const": slug.uri() }, "title": { "const": title }, "status": { "const": status } },
    });
    let example = example(slug);
    if example.state.is_some() {
        schema["required"] = json!(["state", "allowed"]);
    } else if !example.errors.is_empty() {
        schema["required"] = json!(["errors"]);
    }
    schema
}

/// The answer with one of several problems of the same status.
fn response(slugs: &[Slug]) -> Value {
    let schemas: Vec<Value> = slugs.iter().map(|slug| reference("schemas", &name(*slug))).collect();
    let schema = match schemas.as_slice() {
        [only] => only.clone(),
        _ => {
            let mapping: Map<String, Value> = slugs
                .iter()
                .map(|slug| (slug.uri(), format!("#/components/schemas/{}", name(*slug)).into()))
                .collect();
            json!({ "oneOf": schemas, "discriminator": { "propertyName": "type", "mapping": mapping } })
        }
    };
    let examples: Map<String, Value> = slugs
        .iter()
        .map(|slug| (slug.describe().0.to_owned(), json!({ "value": example(*slug).to_json(REQUEST_ID) })))
        .collect();
    let titles: Vec<&str> = slugs.iter().map(|slug| slug.describe().2).collect();
    let mut headers = vec![Header::RequestId];
    if slugs.iter().any(|slug| slug.status() == 401) {
        headers.push(Header::WwwAuthenticate);
    }
    if slugs.iter().any(|slug| matches!(slug, Slug::TooManyRequests | Slug::Unavailable | Slug::Conflict)) {
        headers.push(Header::RetryAfter);
    }
    json!({
        "description": titles.join(" / "),
        "headers": headers_of(headers),
        "content": { "application/problem+json": { "schema": schema, "examples": examples } },
    })
}

const REQUEST_ID: &str = "01920000-0000-7000-8000-0000000000ff";

fn example(slug: Slug) -> Problem {
    let (_, _, title) = slug.describe();
    let seated = (State::Seated, vec!["restore"]);
    let size = PartySize::parse(0).err().map(|invalid| invalid.0).unwrap_or_default();
    let with_more = [
        Problem::not_found(),
        Problem::unauthorized(),
        Problem::forbidden(),
        Problem::erased(),
        Problem::wrong_password(),
        Problem::too_many(60),
        Problem::invalid_value("/party_size", size),
        Problem::invalid_parameter("limit", "must be a whole number from 1 to 200"),
        Problem {
            state: Some(seated),
            ..Problem::new(Slug::InvalidTransition, "In this state the visit allows: restore.")
        },
    ];
    let found = with_more.into_iter().find(|problem| problem.slug == slug);
    found.unwrap_or_else(|| Problem::new(slug, format!("{title}.")))
}
