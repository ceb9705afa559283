//! The guests' lambda: what people do who have no account.

use bytes::Bytes;
use http::Response;
use infra::{
    Backend, Failure,
    http::{self as edge, Call, Reply, Request},
};
use schema::{
    Problem,
    route::{Guests, Role, Route},
};

/// Answers a request for one of the guests' routes.
pub async fn handle(backend: &Backend, request: Request) -> Response<Bytes> {
    edge::serve(Role::Guests, backend, request, |backend, call| Box::pin(route(backend, call))).await
}

async fn route(backend: &Backend, call: &Call<'_>) -> Result<Reply, Failure> {
    let _ = backend;
    let [] = call.query([])?; // writes take no parameters
    let Route::Guests(route) = call.entry.route else { return Err(Problem::not_found().into()) };
    match route {
        Guests::Join | Guests::Confirm | Guests::Leave => Err(Failure::broken("serve a guest", "not built yet")),
    }
}
