//! The lambda `operations`: rebuilds of projections and dead letters, for operators.

use bytes::Bytes;
use http::Response;
use infra::{
    Backend, Failure,
    http::{self as edge, Call, Reply, Request},
};
use schema::{
    Problem,
    route::{Operations, Role, Route},
};

use crate::{dead_letters, rebuild::handler};

/// Handles the routes of operators.
pub async fn handle(backend: &Backend, request: Request) -> Response<Bytes> {
    edge::serve(Role::Operations, backend, request, |backend, call| Box::pin(route(backend, call))).await
}

async fn route(backend: &Backend, call: &Call<'_>) -> Result<Reply, Failure> {
    let Route::Operations(route) = call.entry.route else { return Err(Problem::not_found().into()) };
    match route {
        Operations::Projections => handler::projections(backend, call).await,
        Operations::Rebuilds => handler::rebuilds(backend, call).await,
        Operations::StartRebuild => handler::start(backend, call).await,
        Operations::Rebuild => handler::rebuild(backend, call).await,
        Operations::PromoteRebuild => handler::promote(backend, call).await,
        Operations::CancelRebuild => handler::cancel(backend, call).await,
        Operations::RollBack => handler::roll_back(backend, call).await,
        Operations::Retire => handler::retire(backend, call).await,
        Operations::DeadLetters => dead_letters::list(backend, call).await,
        Operations::Redrive => dead_letters::redrive(backend, call).await,
    }
}
