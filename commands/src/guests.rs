//! The lambda `guests`: commands of guests, who have no account.

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

use crate::waitee;

/// Handles the routes of guests.
pub async fn handle(backend: &Backend, request: Request) -> Response<Bytes> {
    edge::serve(Role::Guests, backend, request, |backend, call| Box::pin(route(backend, call))).await
}

async fn route(backend: &Backend, call: &Call<'_>) -> Result<Reply, Failure> {
    let [] = call.query([])?; // writes take no query parameters
    let Route::Guests(route) = call.entry.route else { return Err(Problem::not_found().into()) };
    match route {
        Guests::Join => waitee::guest::join(backend, call).await,
        Guests::Confirm => waitee::guest::transition(backend, call, waitee::GuestCommand::Confirm).await,
        Guests::Leave => waitee::guest::transition(backend, call, waitee::GuestCommand::Leave).await,
    }
}
