//! What API Gateway does in AWS: takes requests off the wire, has them authorized, and hands them to the lambda they are for.

use std::sync::Arc;

use axum::{
    Router,
    body::Body,
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, Response, StatusCode, header},
};
use bytes::{Bytes, BytesMut};
use futures::StreamExt;
use infra::{Backend, http as edge};
use schema::route::{self, Access, Role};

/// How much of a body that is too large is read and thrown away, so that its sender gets to see the answer.
const DRAIN_BYTES_MAX: usize = 16 * 1024 * 1024;

/// The HTTP API.
pub(crate) fn router(backend: Backend) -> Router {
    Router::new().fallback(handle).with_state(Arc::new(backend))
}

async fn handle(State(backend): State<Arc<Backend>>, request: Request) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let Some(body) = read(body).await else {
        // Whoever sent half a request has gone, and must not find it carried out: no body at all reads as `{}`.
        let mut nobody_reads_this = Response::new(Body::empty());
        *nobody_reads_this.status_mut() = StatusCode::BAD_REQUEST;
        return nobody_reads_this;
    };
    let method = parts.method.to_string();
    let path = parts.uri.path().to_owned();
    let found = route::find(&method, &path).ok().map(|(entry, _)| entry);
    let principal = found.filter(|entry| entry.access == Access::Owner).map(|_| {
        let header = authorization(&parts.headers).and_then(|value| value.to_str().ok());
        commands::authorizer::authorize(&backend.tokens, &backend.clock, header)
    });
    let request = edge::Request {
        method,
        path,
        query: parts.uri.query().unwrap_or_default().to_owned(),
        headers: parts.headers,
        body,
        request_id: backend.clock.id(backend.clock.now()).to_string(),
        principal,
    };
    let response = match found.map(|entry| entry.role) {
        Some(Role::Hosts) => commands::handler::handle(&backend, request).await,
        Some(Role::Reads) | None => projections::handler::handle(&backend, request).await,
    };
    response.map(Body::from)
}

fn authorization(headers: &HeaderMap) -> Option<&HeaderValue> {
    headers.get(header::AUTHORIZATION)
}

/// The body, cut off where it is sure to be refused; nothing when it breaks off.
async fn read(body: Body) -> Option<Bytes> {
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
