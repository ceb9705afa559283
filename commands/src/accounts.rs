//! The lambda `accounts`: registration, sign-in, and commands of owners on their accounts.

use bytes::Bytes;
use http::Response;
use infra::{
    Backend, Failure,
    http::{self as edge, Call, Reply, Request},
};
use schema::{
    Problem,
    route::{Accounts, Role, Route},
};

use crate::{mail, session, user};

/// Handles the routes of accounts.
pub async fn handle(backend: &Backend, request: Request) -> Response<Bytes> {
    edge::serve(Role::Accounts, backend, request, |backend, call| Box::pin(route(backend, call))).await
}

async fn route(backend: &Backend, call: &Call<'_>) -> Result<Reply, Failure> {
    let [] = call.query([])?; // writes take no query parameters
    let Route::Accounts(route) = call.entry.route else { return Err(Problem::not_found().into()) };
    match route {
        Accounts::Register => user::public::register(backend, call).await,
        Accounts::ConfirmEmail => user::public::confirm(backend, call).await,
        Accounts::AskConfirmation => mail::handler::ask_confirmation(backend, call).await,
        Accounts::AskPasswordReset => mail::handler::ask_reset(backend, call).await,
        Accounts::ResetPassword => user::public::reset(backend, call).await,
        Accounts::Rename => user::handler::rename(backend, call).await,
        Accounts::ChangePassword => user::handler::change_password(backend, call).await,
        Accounts::Erase => user::handler::erase(backend, call).await,
        Accounts::SignIn => session::handler::sign_in(backend, call).await,
        Accounts::Refresh => session::handler::refresh(backend, call).await,
        Accounts::SignOut => session::handler::sign_out(backend, call).await,
        Accounts::Jwks => Reply::plain(200, &backend.tokens.jwks().await?),
    }
}
