//! The HTTP server of the Runtime API.

use std::sync::Arc;

use axum::{
    Router,
    body::Bytes,
    extract::{DefaultBodyLimit, Path, State},
    http::{HeaderName, StatusCode, header::CONTENT_TYPE},
    routing::{get, post},
};
use tokio::{net::TcpListener, task::JoinHandle};

use super::{FunctionError, Shared};

/// Lambda refuses a larger response.
const RESPONSE_BYTES_MAX: usize = 6 * 1024 * 1024;

/// Serves the Runtime API to one child on a free port. Returns the server's task and address.
pub(super) fn serve(shared: Arc<Shared>) -> (JoinHandle<()>, String) {
    let listener =
        std::net::TcpListener::bind("127.0.0.1:0").expect("the loopback interface has a free port");
    listener.set_nonblocking(true).expect("a socket can be non-blocking");
    let address = listener.local_addr().expect("it is bound").to_string();
    let listener = TcpListener::from_std(listener).expect("tokio takes it");
    let router = Router::new()
        .route("/2018-06-01/runtime/invocation/next", get(next))
        .route("/2018-06-01/runtime/invocation/{id}/response", post(response))
        .route("/2018-06-01/runtime/invocation/{id}/error", post(error))
        .route("/2018-06-01/runtime/init/error", post(init_error))
        .layer(DefaultBodyLimit::max(RESPONSE_BYTES_MAX))
        .with_state(shared);
    let task = tokio::spawn(async move {
        axum::serve(listener, router).await.expect("the server runs until it is aborted")
    });
    (task, address)
}

/// Waits for the next invocation.
async fn next(State(shared): State<Arc<Shared>>) -> Result<([(HeaderName, String); 5], Bytes), StatusCode> {
    let invocation = shared.next.lock().await.recv().await.ok_or(StatusCode::GONE)?;
    let headers = [
        (CONTENT_TYPE, "application/json".to_owned()),
        (HeaderName::from_static("lambda-runtime-aws-request-id"), invocation.id),
        (HeaderName::from_static("lambda-runtime-deadline-ms"), invocation.deadline_ms.to_string()),
        (HeaderName::from_static("lambda-runtime-invoked-function-arn"), invocation.arn),
        (HeaderName::from_static("lambda-runtime-trace-id"), invocation.trace),
    ];
    Ok((headers, invocation.payload))
}

async fn response(State(shared): State<Arc<Shared>>, Path(id): Path<String>, body: Bytes) -> StatusCode {
    let parsed = serde_json::from_slice(&body);
    accepted(shared.answer(&id, parsed.map_err(|cause| FunctionError::new("Runtime.InvalidResponse", cause))))
}

async fn error(State(shared): State<Arc<Shared>>, Path(id): Path<String>, body: Bytes) -> StatusCode {
    accepted(shared.answer(&id, Err(FunctionError::posted(&body))))
}

async fn init_error(State(shared): State<Arc<Shared>>, body: Bytes) -> StatusCode {
    shared.end(FunctionError::posted(&body));
    StatusCode::ACCEPTED
}

/// Refuses an answer to an invocation that was answered before or never made.
fn accepted(answered: bool) -> StatusCode {
    if answered { StatusCode::ACCEPTED } else { StatusCode::BAD_REQUEST }
}
