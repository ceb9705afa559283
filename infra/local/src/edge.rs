//! The local API Gateway: reads requests off the connection, calls the authorizer, and passes each request to
//! the handler of the lambda that serves its route.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use axum::{
    Router,
    body::Body,
    extract::{ConnectInfo, Request, State},
    http::{HeaderValue, Response, header},
};
use bytes::{Bytes, BytesMut};
use futures::StreamExt;
use infra::{
    Backend,
    http::{self as edge, cors},
    telemetry::correlated,
};
use schema::route::{self, Access, Entry, Role};
use tokio::time::timeout;
use tower_http::cors::CorsLayer;
use tracing::Instrument as _;

use crate::{authorizer::Authorizer, exporter::Exporter, gate::Gate, lag::Lag};

/// How much of a body that is too large is read and discarded, so that its sender reads the answer.
const DRAIN_BYTES_MAX: usize = 16 * 1024 * 1024;

/// The time in which a client must send a body.
const BODY_READ_MAX: Duration = Duration::from_secs(30);

struct Gateway {
    backend: Backend,
    authorizer: Authorizer,
    gate: Gate,
    exporter: Exporter,
    lag: Lag,
}

/// Builds the HTTP API, which pages of these origins may call. Its handlers pass the gate.
pub(crate) fn router(
    backend: Backend,
    gate: Gate,
    exporter: Exporter,
    lag: Lag,
    origins: Vec<HeaderValue>,
) -> Router {
    let gateway = Gateway { backend, authorizer: Authorizer::default(), gate, exporter, lag };
    let router = Router::new().fallback(handle).with_state(Arc::new(gateway));
    if origins.is_empty() {
        return router;
    }
    let cors = CorsLayer::new()
        .allow_origin(origins)
        .allow_methods(cors::METHODS)
        .allow_headers(cors::REQUEST_HEADERS)
        .expose_headers(cors::ANSWER_HEADERS)
        .max_age(cors::PREFLIGHT_AGE_MAX);
    router.layer(cors)
}

/// Answers a request. `Date` is the backend's clock, also a manual one, because pages show timers by it.
async fn handle(
    State(gateway): State<Arc<Gateway>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    request: Request,
) -> Response<Body> {
    let mut response = answer(&gateway, peer, request).await;
    if let Ok(date) = HeaderValue::from_str(&gateway.backend.clock.now().http_date()) {
        response.headers_mut().insert(header::DATE, date);
    }
    response
}

async fn answer(gateway: &Gateway, peer: SocketAddr, request: Request) -> Response<Body> {
    let Gateway { backend, authorizer, gate, exporter, lag } = gateway;
    let (parts, body) = request.into_parts();
    if Exporter::is_asked(&parts.method, parts.uri.path(), peer.ip()) {
        return exporter.page(backend, lag).await;
    }
    if web::is_page(parts.method.as_str(), parts.uri.path()) {
        return web::answer(parts.method.as_str(), parts.uri.path(), &parts.headers).map(Body::from);
    }
    // An incomplete request must not be carried out. An empty body would read as `{}`, so a body that breaks
    // off or comes too late is replaced with one that is not JSON.
    let body = read(body, BODY_READ_MAX).await.unwrap_or(Bytes::from_static(b"\0"));
    let _running = gate.pass().await; // after the whole request was read, so that no client can hold the gate open
    let method = parts.method.to_string();
    let path = parts.uri.path().to_owned();
    let found = route::find(&method, &path).ok().map(|(entry, _)| entry);
    let request_id = backend.clock.id(backend.clock.now()).to_string();
    let principal = match found.filter(|entry| entry.access != Access::Public) {
        None => None,
        Some(_) => {
            let decided = authorizer.principal(backend, parts.headers.get(header::AUTHORIZATION));
            Some(decided.instrument(correlated(&request_id)).await)
        }
    };
    let request = edge::Request {
        method,
        path,
        query: parts.uri.query().unwrap_or_default().to_owned(),
        headers: parts.headers,
        body,
        address: Some(peer.ip()),
        request_id,
        principal,
    };
    let response = match found.map(Entry::role) {
        Some(Role::Accounts) => commands::accounts::handle(backend, request).await,
        Some(Role::Hosts) => commands::hosts::handle(backend, request).await,
        Some(Role::Guests) => commands::guests::handle(backend, request).await,
        Some(Role::Exports) => projections::exports::handle(backend, request).await,
        Some(Role::Operations) => projections::operations::handle(backend, request).await,
        Some(Role::Reads) | None => projections::handler::handle(backend, request).await,
    };
    response.map(Body::from)
}

/// Reads the body up to a size that is certainly refused. Returns `None` if it breaks off or takes longer
/// than `max`.
async fn read(body: Body, max: Duration) -> Option<Bytes> {
    timeout(max, read_to_end(body)).await.ok().flatten()
}

async fn read_to_end(body: Body) -> Option<Bytes> {
    let mut kept = BytesMut::new();
    let mut drained = 0;
    let mut chunks = body.into_data_stream();
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.ok()?;
        let room = (edge::BODY_BYTES_MAX + 1).saturating_sub(kept.len());
        kept.extend_from_slice(&chunk[..chunk.len().min(room)]);
        drained += chunk.len();
        if drained > DRAIN_BYTES_MAX {
            break;
        }
    }
    Some(kept.freeze())
}

#[cfg(test)]
mod tests {
    use futures::stream;

    use super::*;

    const SHORT: Duration = Duration::from_millis(200);

    #[tokio::test]
    async fn a_body_that_comes_too_late_is_none() {
        let dripping = stream::unfold((), |()| async {
            tokio::time::sleep(SHORT / 10).await;
            Some((Ok::<_, std::io::Error>(Bytes::from_static(b" ")), ()))
        });
        assert_eq!(read(Body::from_stream(dripping), SHORT).await, None);
        assert_eq!(read(Body::from("{}"), SHORT).await, Some(Bytes::from_static(b"{}")));
    }
}
