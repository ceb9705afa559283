//! The engine's port, for commands in other processes. It accepts only requests with the access key id
//! created at the start.
//!
//! The id is a random secret of 128 bits in `server.json`, which only the owner of the files can read. The
//! port does not check signatures: a signature would protect the secret in transit, but the requests stay on
//! the loopback interface, and a system administrator who can listen there can also read the file. A web page
//! cannot send the header; requests with an `Origin` are refused anyway.

use std::{io, net::SocketAddr};

use axum::{
    Router,
    body::Bytes,
    extract::{DefaultBodyLimit, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use infra::{
    aws::{Answer, Call},
    clock::random,
};
use schema::commit::Tag;
use tokio::{net::TcpListener, sync::watch};

use super::calls::Calls;

/// DynamoDB's own bound on a request: a batch of 25 items of 400 KB, and their encoding.
const BODY_BYTES_MAX: usize = 16 * 1024 * 1024;

#[derive(Clone)]
struct Port {
    calls: Calls,
    access_key: String,
}

/// Makes a new access key id.
pub(super) fn access_key() -> String {
    data_encoding::HEXUPPER.encode(&random::<16>())
}

pub(super) fn bind() -> io::Result<(TcpListener, SocketAddr)> {
    let runtime = tokio::runtime::Handle::try_current().map_err(io::Error::other)?;
    let _inside = runtime.enter();
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0))?;
    listener.set_nonblocking(true)?;
    let address = listener.local_addr()?;
    Ok((TcpListener::from_std(listener)?, address))
}

/// Serves until `stopping` is set and the running requests are answered.
pub(super) async fn serve(
    listener: TcpListener,
    calls: Calls,
    access_key: String,
    mut stopping: watch::Receiver<bool>,
) -> io::Result<()> {
    let router = Router::new()
        .fallback(handle)
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .with_state(Port { calls, access_key });
    let until_stopping = async move {
        let _sender_gone = stopping.wait_for(|stop| *stop).await;
    };
    axum::serve(listener, router).with_graceful_shutdown(until_stopping).await
}

async fn handle(State(port): State<Port>, headers: HeaderMap, body: Bytes) -> Response {
    if headers.contains_key(header::ORIGIN) || !port.has_access_key(&headers) {
        return refused();
    }
    let target = headers.get("x-amz-target").and_then(|target| target.to_str().ok()).unwrap_or_default();
    let Answer { status, body } = port.calls.answer(Call { target: target.to_owned(), body }).await;
    answer(StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR), body)
}

impl Port {
    /// Compares hashes, so that the time the comparison takes reveals nothing about the key.
    fn has_access_key(&self, headers: &HeaderMap) -> bool {
        let given = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        given
            .and_then(access_key_of)
            .is_some_and(|given| Tag::of(&[given.as_bytes()]) == Tag::of(&[self.access_key.as_bytes()]))
    }
}

/// Returns the access key id in a signature of version 4: `AWS4-HMAC-SHA256
/// Credential=<id>/<date>/<region>/...`.
fn access_key_of(authorization: &str) -> Option<&str> {
    let (_, credential) = authorization.split_once("Credential=")?;
    credential.split_once('/').map(|(id, _)| id)
}

fn refused() -> Response {
    let message = "sign requests with the access key id in server.json; web pages are refused";
    let body = serde_json::json!({
        "__type": "com.amazon.coral.service#UnrecognizedClientException", "message": message,
    });
    answer(StatusCode::FORBIDDEN, body.to_string())
}

fn answer(status: StatusCode, body: String) -> Response {
    let json = HeaderValue::from_static("application/x-amz-json-1.0");
    (status, [(header::CONTENT_TYPE, json)], body).into_response()
}
