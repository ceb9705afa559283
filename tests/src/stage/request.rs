//! Requests to the handlers.

use bytes::Bytes;
use infra::{
    Backend,
    http::{Principal, Request},
};
use schema::route::{self, Role};
use serde_json::Value;

use crate::declared::assert_declared;

/// The answer to a request.
#[derive(Clone, Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: http::HeaderMap,
    /// The JSON body, or a file as text; null without a body.
    pub body: Value,
}

impl Answer {
    /// Reads the body of the answer to a request with this method as its content type says.
    pub(crate) fn read(method: &str, status: u16, headers: http::HeaderMap, bytes: &[u8]) -> Self {
        let media_type = headers.get(http::header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let body = match media_type {
            Some(media_type) if method != "HEAD" => body(media_type, std::str::from_utf8(bytes).unwrap()),
            Some(_) | None => Value::Null,
        };
        assert!(body != Value::Null || bytes.is_empty(), "{bytes:?}");
        Self { status, headers, body }
    }

    /// Returns a header's text, or an empty text.
    #[must_use]
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// Asserts that the OpenAPI document declares this answer to a request.
    pub(crate) fn assert_declared(&self, method: &str, path: &str) {
        let path = path.split_once('?').map_or(path, |(path, _)| path);
        let header = |name: &str| Some(self.header(name).to_owned()).filter(|text| !text.is_empty());
        assert_declared(method, path, self.status, header, &self.body);
    }

    /// The `id` of the body.
    #[must_use]
    pub fn id(&self) -> String {
        self.body["id"].as_str().unwrap_or_else(|| panic!("no id in {self:?}")).to_owned()
    }
}

/// Reads a body of this media type: JSON, or a file as text.
#[must_use]
pub fn body(media_type: &str, text: &str) -> Value {
    match media_type {
        "application/json" | "application/problem+json" => serde_json::from_str(text).unwrap(),
        _ => Value::from(text),
    }
}

/// Sends a request to the handler of its route. `path` may contain a query.
pub async fn send(
    backend: &Backend,
    principal: Option<Principal>,
    method: &str,
    path: &str,
    body: Option<&Value>,
    headers: &[(&str, &str)],
) -> Answer {
    let headers = [&[("content-type", "application/json")], headers].concat();
    let bytes = body.map(|body| body.to_string().into()).unwrap_or_default();
    send_bytes(backend, principal, method, path, bytes, &headers).await
}

/// Sends a request with exactly these body bytes and headers.
pub async fn send_bytes(
    backend: &Backend,
    principal: Option<Principal>,
    method: &str,
    path: &str,
    body: Bytes,
    headers: &[(&str, &str)],
) -> Answer {
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let mut map = http::HeaderMap::new();
    for (name, value) in headers {
        map.append(
            http::HeaderName::from_bytes(name.as_bytes()).unwrap(),
            http::HeaderValue::from_bytes(value.as_bytes()).unwrap(),
        );
    }
    let request = Request {
        method: method.to_owned(),
        path: path.to_owned(),
        query: query.to_owned(),
        headers: map,
        body,
        request_id: backend.clock.id(backend.clock.now()).to_string(),
        address: None,
        principal,
    };
    let response = match route::find(method, path).map(|(entry, _)| entry.role()) {
        Ok(Role::Accounts) => commands::accounts::handle(backend, request).await,
        Ok(Role::Hosts) => commands::hosts::handle(backend, request).await,
        Ok(Role::Guests) => commands::guests::handle(backend, request).await,
        Ok(Role::Exports) => projections::exports::handle(backend, request).await,
        Ok(Role::Operations) => projections::operations::handle(backend, request).await,
        Ok(Role::Reads) | Err(_) => projections::handler::handle(backend, request).await,
    };
    let (parts, bytes) = response.into_parts();
    let answer = Answer::read(method, parts.status.as_u16(), parts.headers, &bytes);
    answer.assert_declared(method, path);
    answer
}
