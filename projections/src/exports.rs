//! The lambda `exports`: reads that are recorded before they happen. Unlike `reads` it may append to the log, and only
//! to the streams of readings.

use bytes::Bytes;
use http::Response;
use infra::{
    Backend, Failure,
    http::{self as edge, Call, Reply, Request},
};
use schema::{
    Problem,
    route::{Exports, Role, Route},
};

use crate::audit;

/// Answers a request for a read that is recorded.
pub async fn handle(backend: &Backend, request: Request) -> Response<Bytes> {
    edge::serve(Role::Exports, backend, request, |backend, call| Box::pin(route(backend, call))).await
}

async fn route(backend: &Backend, call: &Call<'_>) -> Result<Reply, Failure> {
    let Route::Exports(route) = call.entry.route else { return Err(Problem::not_found().into()) };
    match route {
        Exports::History => audit::export::of_account(backend, call).await,
    }
}
