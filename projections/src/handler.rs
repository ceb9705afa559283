//! The lambda of reads: everything that is only looked at comes in here.

use bytes::Bytes;
use http::Response;
use infra::{
    Backend, Failure,
    http::{self as edge, Call, Reply, Request},
};
use schema::{
    Problem,
    route::{Role, Route},
};
use serde_json::json;

use crate::{history, waitees, waitlists};

/// Answers a request for one of the routes that read.
pub async fn handle(backend: &Backend, request: Request) -> Response<Bytes> {
    edge::serve(Role::Reads, backend, request, |backend, call| Box::pin(route(backend, call))).await
}

async fn route(backend: &Backend, call: &Call<'_>) -> Result<Reply, Failure> {
    match call.entry.route {
        Route::ListWaitlists => waitlists::query::owned(backend, call).await,
        Route::GetWaitlist => waitlists::query::one(backend, call).await,
        Route::WaitlistHistory => history::of_waitlist(backend, call).await,
        Route::Board => waitees::query::of_list(backend, call).await,
        Route::GetWaitee => waitees::query::one(backend, call).await,
        Route::WaiteeHistory => history::of_waitee(backend, call).await,
        Route::Health => {
            let [] = call.query([])?;
            Reply::read(0, &json!({ "status": "ok", "version": env!("CARGO_PKG_VERSION") }))
        }
        Route::CreateWaitlist
        | Route::ChangeWaitlist
        | Route::DeleteWaitlist
        | Route::OpenWaitlist
        | Route::CloseWaitlist
        | Route::AddWaitee
        | Route::ChangeWaitee
        | Route::CallWaitee
        | Route::ConfirmWaitee
        | Route::SeatWaitee
        | Route::NoShowWaitee
        | Route::LeaveWaitee
        | Route::RemoveWaitee
        | Route::RestoreWaitee
        | Route::MoveWaitee => Err(Problem::not_found().into()),
    }
}
