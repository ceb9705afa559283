//! The lambda that serves all reads.

use bytes::Bytes;
use http::Response;
use infra::{
    Backend, Failure,
    http::{self as edge, Call, Reply, Request},
};
use schema::{
    Problem,
    body::system::{Health, OK},
    openapi,
    route::{Reads, Role, Route},
};

use crate::{audit, history, users, verify, waitees, waitlists};

/// Answers a request for a read route.
pub async fn handle(backend: &Backend, request: Request) -> Response<Bytes> {
    edge::serve(Role::Reads, backend, request, |backend, call| Box::pin(route(backend, call))).await
}

async fn route(backend: &Backend, call: &Call<'_>) -> Result<Reply, Failure> {
    let Route::Reads(route) = call.entry.route else { return Err(Problem::not_found().into()) };
    match route {
        Reads::Me => users::query::me(backend, call).await,
        Reads::MyHistory => history::of_account(backend, call).await,
        Reads::Waitlists => waitlists::query::owned(backend, call).await,
        Reads::Waitlist => waitees::board::list(backend, call).await,
        Reads::WaitlistHistory => history::of_waitlist(backend, call).await,
        Reads::Board => waitees::board::of_list(backend, call).await,
        Reads::Waitee => waitees::party::one(backend, call).await,
        Reads::WaiteeHistory => history::of_waitee(backend, call).await,
        Reads::Audit => audit::of_account(backend, call).await,
        Reads::PublicWaitlist => waitlists::query::public(backend, call).await,
        Reads::Visit => waitees::guest::visit(backend, call).await,
        Reads::Verify => verify::route(backend, call).await,
        Reads::OpenApi => {
            let [] = call.query([])?;
            Ok(Reply::document(openapi::DOCUMENT))
        }
        Reads::Health => {
            let [] = call.query([])?;
            Reply::read(0, &Health { status: OK, version: env!("CARGO_PKG_VERSION") })
        }
    }
}
