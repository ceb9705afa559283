//! The API as an OpenAPI 3.1 document, from the table of routes and the types of bodies.
//!
//! `schema/openapi.json` is the document that is served; a test compares it with the code. To write it anew:
//! `UPDATE_OPENAPI=1 cargo test --lib openapi`.

mod accounts;
mod examples;
mod exports;
mod guests;
mod headers;
mod hosts;
mod operation;
mod operations;
mod problems;
mod query;
mod reads;
mod tidy;

use schemars::{SchemaGenerator, generate::SchemaSettings};
use serde_json::{Map, Value, json};

use self::{
    operation::{Body, Header, Operation},
    problems::Problems,
};
use crate::route::{Access, Entry, ROUTES, Route};

/// The document as it is served.
pub const DOCUMENT: &str = include_str!("../openapi.json");

/// The name of the security scheme.
const ACCESS_TOKEN: &str = "accessToken";

/// Generates the document.
#[must_use]
pub fn document() -> Value {
    let settings = SchemaSettings::draft2020_12().with(|settings| {
        settings.definitions_path = "/components/schemas".into();
        settings.meta_schema = None;
    });
    let settings = settings.with_transform(tidy::tidy);
    let mut shared = Shared {
        requests: settings.clone().for_deserialize().into_generator(),
        answers: settings.for_serialize().into_generator(),
        problems: Problems::default(),
    };
    let mut paths: Map<String, Value> = Map::new();
    for entry in ROUTES {
        let path = paths.entry(entry.path).or_insert_with(|| json!({}));
        path[entry.method.to_lowercase()] = declare(entry, &operation(entry.route), &mut shared);
    }
    json!({
        "openapi": "3.1.1",
        "info": {
            "title": "Waitlist",
            "summary": "The waiting list of a full restaurant.",
            "description": ABOUT,
            "version": env!("CARGO_PKG_VERSION"),
            "license": { "name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0" },
        },
        "servers": [{ "url": "/", "description": "The server that this document comes from." }],
        "tags": TAGS.map(|(name, about)| json!({ "name": name, "description": about })),
        "paths": paths,
        "components": shared.components(),
    })
}

const ABOUT: &str = "Refused and failed requests are answered with problem documents (RFC 9457); `type` tells the \
    kind of problem. HEAD is answered wherever GET is. Another method is answered with 405 and `Allow`. Behind API \
    Gateway, some errors have the gateway's own body: a missing token (401), too many requests (429), too large a \
    request (413) and a failing function (500, 503).";

/// The groups of operations.
const TAGS: [(&str, &str); 8] = [
    ("accounts", "The account of a restaurant's owner."),
    ("sessions", "Signing in and out."),
    ("waitlists", "A host's lists."),
    ("waitees", "The parties on a host's lists."),
    ("guests", "Joining a list and following a visit, without an account."),
    ("audit", "The history of an account, and its verification."),
    ("operations", "Rebuilds of read models, and work that failed: for operators."),
    ("system", "The service itself."),
];

struct Shared {
    requests: SchemaGenerator,
    answers: SchemaGenerator,
    problems: Problems,
}

impl Shared {
    fn components(mut self) -> Value {
        let problems = self.problems.schemas(&mut self.answers);
        let mut schemas = self.requests.take_definitions(true);
        // Bodies are either sent or answered; values have one schema for both.
        schemas.extend(self.answers.take_definitions(true));
        schemas.extend(problems);
        json!({
            "schemas": schemas,
            "responses": self.problems.responses(),
            "parameters": headers::parameters(),
            "headers": headers::headers(),
            "securitySchemes": {
                ACCESS_TOKEN: {
                    "type": "http",
                    "scheme": "bearer",
                    "bearerFormat": "JWT",
                    "description": "The `access_token` from signing in, valid for 15 minutes.",
                },
            },
        })
    }
}

fn operation(route: Route) -> Operation {
    match route {
        Route::Accounts(route) => accounts::operation(route),
        Route::Hosts(route) => hosts::operation(route),
        Route::Guests(route) => guests::operation(route),
        Route::Reads(route) => reads::operation(route),
        Route::Exports(route) => exports::operation(route),
        Route::Operations(route) => operations::operation(route),
    }
}

fn declare(entry: &Entry, operation: &Operation, shared: &mut Shared) -> Value {
    let mut responses = shared.problems.responses_of(entry, operation);
    responses.insert(entry.success.to_string(), success(entry, operation, &mut shared.answers));
    if let Some(body) = &operation.instead {
        let headers = headers::headers_of([Header::RequestId]);
        let content = content(body, &mut shared.answers);
        let answer = json!({ "description": "OK", "headers": headers, "content": content });
        responses.insert("200".to_owned(), answer);
    }
    if operation.has_etag() && entry.method == "GET" {
        let headers = headers::headers_of([Header::ETag, Header::RequestId]);
        responses.insert("304".to_owned(), json!({ "description": "Not modified", "headers": headers }));
    }
    let security = match entry.access {
        Access::Public => json!([]),
        Access::Owner | Access::Operator => json!([{ ACCESS_TOKEN: [] }]),
    };
    let mut declared = json!({
        "operationId": operation.id,
        "summary": operation.summary,
        "tags": [tag(entry.path)],
        "security": security,
        "responses": responses,
    });
    if !operation.about.is_empty() {
        declared["description"] = operation.about.into();
    }
    let parameters = headers::parameters_of(entry, operation);
    if !parameters.is_empty() {
        declared["parameters"] = parameters.into();
    }
    if let Some(body) = &operation.request {
        declared["requestBody"] = request(entry, body, &mut shared.requests);
    }
    declared
}

fn request(entry: &Entry, body: &Body, generator: &mut SchemaGenerator) -> Value {
    let schema = (body.schema)(generator);
    let name = schema.get("$ref").and_then(Value::as_str).and_then(|reference| reference.rsplit('/').next());
    let definition = name.and_then(|name| generator.definitions().get(name));
    // An empty body reads as `{}`.
    let required = definition.is_some_and(|schema| schema.get("required").or(schema.get("anyOf")).is_some());
    let media = json!({ "schema": schema, "example": body.example });
    let mut content = json!({ "application/json": media });
    if entry.method == "PATCH" {
        content["application/merge-patch+json"] = media;
    }
    json!({ "required": required, "content": content })
}

fn success(entry: &Entry, operation: &Operation, generator: &mut SchemaGenerator) -> Value {
    let description = match entry.success {
        201 => "Created",
        202 => "Accepted",
        204 => "Done",
        _ => "OK",
    };
    let headers = operation.answer.headers.iter().copied().chain([Header::RequestId]);
    let mut response = json!({ "description": description, "headers": headers::headers_of(headers) });
    if let Some(body) = &operation.answer.body {
        response["content"] = content(body, generator);
    }
    for (media_type, example) in operation.answer.files {
        response["content"][*media_type] = json!({ "schema": { "type": "string" }, "example": example });
    }
    response
}

fn content(body: &Body, generator: &mut SchemaGenerator) -> Value {
    let mut schema = (body.schema)(generator);
    if !body.also_required.is_empty() {
        schema.insert("required".to_owned(), json!(body.also_required));
    }
    json!({ "application/json": { "schema": schema, "example": body.example } })
}

/// The group of a path.
fn tag(path: &str) -> &'static str {
    let is_under = |start: &str| path.starts_with(start);
    if is_under("/v1/public/") {
        "guests"
    } else if is_under("/v1/sessions") {
        "sessions"
    } else if is_under("/v1/users") || is_under("/v1/me") || is_under("/v1/password-resets") {
        "accounts"
    } else if path.contains("/waitees") {
        "waitees"
    } else if is_under("/v1/waitlists") {
        "waitlists"
    } else if is_under("/v1/audit") {
        "audit"
    } else if is_under("/v1/projections") || is_under("/v1/dead-letters") {
        "operations"
    } else {
        "system"
    }
}

/// A reference to a shared part of the document.
fn reference(kind: &str, name: &str) -> Value {
    json!({ "$ref": format!("#/components/{kind}/{name}") })
}

#[cfg(test)]
mod tests;
