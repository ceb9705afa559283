//! Paths, headers and query of requests, and headers of answers.

use serde_json::{Value, json};

use super::{
    operation::{Effect, Header, Operation},
    query, reference,
};
use crate::{
    check::IDEMPOTENCY_KEY_CHARS_MAX,
    described::{UUID, alternatives},
    id::Category,
    projection::Name,
    route::{Access, Entry},
    sync::SYNC_TOKENS_MAX,
};

/// The shared headers of answers, by name.
pub(super) fn headers() -> Value {
    Header::ALL.into_iter().map(|header| (header.name().to_owned(), declared(header))).collect()
}

fn declared(header: Header) -> Value {
    match header {
        Header::ETag => json!({
            "description": "The number of the subject's last event. In answers to reads a hash of the body follows.",
            "schema": { "type": "string", "pattern": "^\"[0-9]+(\\.[0-9a-f]{32})?\"$" },
            "example": "\"3\"",
        }),
        Header::SyncToken => json!({
            "description": "Sent back with a read, it makes the read show this write.",
            "schema": { "type": "string", "pattern": format!("^{}$", sync_token()) },
            "example": "waitee-01920000-0000-7000-8000-000000000002@3",
        }),
        Header::Location => json!({
            "description": "The path of what was created.",
            "schema": { "type": "string", "format": "uri-reference" },
            "example": "/v1/waitees/01920000-0000-7000-8000-000000000002",
        }),
        Header::RetryAfter => json!({
            "description": "The seconds after which a retry may succeed.",
            "schema": { "type": "integer", "minimum": 0 },
            "example": 1,
        }),
        Header::RequestId => json!({
            "description": "Identifies the request in the server's logs and in the events that it caused.",
            "schema": { "type": "string" },
            "example": "01920000-0000-7000-8000-0000000000ff",
        }),
        Header::WwwAuthenticate => json!({
            "description": "`Bearer`; with `error=\"invalid_token\"` if a bearer token was sent (RFC 6750).",
            "schema": { "type": "string" },
            "example": "Bearer",
        }),
        Header::Link => json!({
            "description": "The path of the next part, with `rel=\"next\"` (RFC 8288). The last part has none.",
            "schema": { "type": "string" },
            "example": "</v1/audit/export?format=csv&to=2026-11-21T08:00:00.000Z&cursor=YTAxOTIwMDAw>; rel=\"next\"",
        }),
        Header::ContentDisposition => json!({
            "description": "The name of the file (RFC 6266).",
            "schema": { "type": "string" },
            "example": "attachment; filename=\"history-20261120T080000.000Z-20261121T080000.000Z.csv\"",
        }),
    }
}

/// References to these headers, as the headers of an answer.
pub(super) fn headers_of(headers: impl IntoIterator<Item = Header>) -> Value {
    headers
        .into_iter()
        .map(|header| (header.name().to_owned(), reference("headers", header.name())))
        .collect()
}

/// The parameters of an operation, as references to the shared ones.
pub(super) fn parameters_of(entry: &Entry, operation: &Operation) -> Vec<Value> {
    let mut names: Vec<String> = Vec::new();
    if entry.path.contains("/waitlists/{id}") {
        names.push("WaitlistId".to_owned());
    }
    if entry.path.contains("/waitees/{id}") {
        names.push("WaiteeId".to_owned());
    }
    if entry.path.contains("{name}") {
        names.push("ProjectionName".to_owned());
    }
    if entry.path.contains("/rebuilds/{id}") {
        names.push("RebuildId".to_owned());
    }
    if entry.path.contains("/dead-letters/{id}") {
        names.push("DeadLetterId".to_owned());
    }
    if entry.path.contains("{token}") {
        names.push("VisitToken".to_owned());
    }
    let key = match entry.access {
        Access::Public => "PublicIdempotencyKey",
        Access::Owner | Access::Operator => "IdempotencyKey",
    };
    names.extend(operation.query.iter().map(|query| query.key()));
    let headers: &[&str] = match operation.effect {
        Effect::Reads => &["IfMatch", "IfNoneMatch", "SyncToken"],
        Effect::Shows if operation.has_etag() => &["IfMatch", "IfNoneMatch"],
        Effect::Shows | Effect::Signs | Effect::Acts => &[],
        Effect::Writes => &[key],
        Effect::Changes => &[key, "IfMatch"],
        Effect::Commands => &["IfMatch"],
        Effect::Creates => &[key, "IfNothing"],
    };
    names.extend(headers.iter().map(|name| (*name).to_owned()));
    names.iter().map(|name| reference("parameters", name)).collect()
}

/// The shared parameters, by name.
pub(super) fn parameters() -> Value {
    let uuid = json!({ "type": "string", "format": "uuid", "pattern": format!("^{UUID}$") });
    let id = |about: &str, example: &str| {
        let example = format!("01920000-0000-7000-8000-{example}");
        json!({ "name": "id", "in": "path", "required": true, "description": about, "schema": uuid, "example": example })
    };
    let header = |name: &str, about: &str, schema: Value, example: &str| json!({ "name": name, "in": "header", "description": about, "schema": schema, "example": example });
    let key = json!({ "type": "string", "minLength": 1, "maxLength": IDEMPOTENCY_KEY_CHARS_MAX, "pattern": "^[!-~]+$" });
    let about_key = "Makes a retry safe: a request with a key that was used before is answered as the first one was. Another \
                     request under the same key is refused.";
    let tags = json!({ "type": "string", "pattern": format!("^(\\*|{TAG}( *, *{TAG})*)$") });
    let tokens = json!({ "type": "string", "pattern": format!("^{0}( *, *{0}){{0,{1}}}$", sync_token(), SYNC_TOKENS_MAX - 1) });
    let visit_token = json!({ "type": "string", "pattern": "^[A-Za-z0-9_-]+$" });
    let name = json!({ "type": "string", "enum": Name::ALL });
    let mut parameters = json!({
        "WaitlistId": id("The id of the list.", "000000000001"),
        "WaiteeId": id("The id of the visit.", "000000000002"),
        "ProjectionName": {
            "name": "name", "in": "path", "required": true, "schema": name,
            "description": "The name of the projection.",
            "example": "waitees",
        },
        "RebuildId": id("The id of the rebuild.", "000000000004"),
        "DeadLetterId": id("The id of the dead letter.", "000000000005"),
        "VisitToken": {
            "name": "token", "in": "path", "required": true, "schema": visit_token,
            "description": "The visit token from the answer to the join.",
            "example": super::examples::VISIT_TOKEN,
        },
        "IdempotencyKey": header("Idempotency-Key", about_key, key, "call-table-7"),
        "PublicIdempotencyKey": header("Idempotency-Key", about_key, uuid.clone(), "01920000-0000-4000-8000-0000000000aa"),
        "IfMatch": header("If-Match", "Refuses the request with 412 unless the subject has one of these ETags.", tags.clone(), "\"3\""),
        "IfNoneMatch": header("If-None-Match", "Answers 304 if the body has one of these ETags. A malformed value is ignored.", json!({ "type": "string" }), "\"3\""),
        "IfNothing": header("If-None-Match", "`*` refuses the request with 412 if its Idempotency-Key has created something already.", tags, "*"),
        "SyncToken": header("Sync-Token", "The writes that the answer must show, comma-separated.", tokens, "waitee-01920000-0000-7000-8000-000000000002@3"),
    });
    for (key, declared) in query::parameters() {
        parameters[key] = declared;
    }
    parameters
}

/// The pattern of an ETag.
const TAG: &str = "(W/)?\"[!#-~]*\"";

/// The pattern of a Sync-Token.
fn sync_token() -> String {
    format!("({})-{UUID}@[1-9][0-9]*", alternatives(Category::ALL.map(Category::as_str)))
}
