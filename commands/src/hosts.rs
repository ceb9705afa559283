//! The lambda `hosts`: commands of a signed-in account on its lists and parties.

use bytes::Bytes;
use http::Response;
use infra::{
    Backend, Failure,
    http::{self as edge, Call, Reply, Request},
};
use schema::{
    Problem,
    route::{Hosts, Role, Route},
};

use crate::{
    waitee::{self, HostCommand},
    waitlist,
};

/// Handles the routes of hosts.
pub async fn handle(backend: &Backend, request: Request) -> Response<Bytes> {
    edge::serve(Role::Hosts, backend, request, |backend, call| Box::pin(route(backend, call))).await
}

async fn route(backend: &Backend, call: &Call<'_>) -> Result<Reply, Failure> {
    let [] = call.query([])?; // writes take no query parameters
    let Route::Hosts(route) = call.entry.route else { return Err(Problem::not_found().into()) };
    match route {
        Hosts::CreateWaitlist => waitlist::handler::create(backend, call).await,
        Hosts::ChangeWaitlist => waitlist::handler::change(backend, call).await,
        Hosts::OpenWaitlist => waitlist::handler::open(backend, call).await,
        Hosts::CloseWaitlist => waitlist::handler::close(backend, call).await,
        Hosts::DeleteWaitlist => waitlist::handler::delete(backend, call).await,
        Hosts::AddWaitee => waitee::handler::add(backend, call).await,
        Hosts::ChangeWaitee => waitee::handler::change(backend, call).await,
        Hosts::MoveWaitee => waitee::handler::move_beside(backend, call).await,
        Hosts::CallWaitee => waitee::handler::call(backend, call).await,
        Hosts::RestoreWaitee => waitee::handler::restore(backend, call).await,
        Hosts::ConfirmWaitee => waitee::handler::transition(backend, call, HostCommand::Confirm).await,
        Hosts::SeatWaitee => waitee::handler::transition(backend, call, HostCommand::Seat).await,
        Hosts::NoShowWaitee => waitee::handler::transition(backend, call, HostCommand::NoShow).await,
        Hosts::LeaveWaitee => waitee::handler::transition(backend, call, HostCommand::Leave).await,
        Hosts::RemoveWaitee => waitee::handler::transition(backend, call, HostCommand::Remove).await,
        Hosts::EraseWaitee => waitee::handler::erase(backend, call).await,
    }
}
