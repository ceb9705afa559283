//! The hosts' lambda: every command of an owner comes in here.

use bytes::Bytes;
use http::Response;
use infra::{
    Backend, Failure,
    http::{self as edge, Call, Reply, Request},
    vault::{Subject, SubjectKey, VaultError},
};
use schema::{
    Actor, Problem,
    commit::{Author, CommandId, Tag},
    route::{Role, Route},
};

use crate::{waitee, waitlist};

/// The longest request id that is kept with a commit, in bytes.
const CORRELATION_BYTES_MAX: usize = 36;

/// Answers a request for one of the hosts' routes.
pub async fn handle(backend: &Backend, request: Request) -> Response<Bytes> {
    edge::serve(Role::Hosts, backend, request, |backend, call| Box::pin(route(backend, call))).await
}

async fn route(backend: &Backend, call: &Call<'_>) -> Result<Reply, Failure> {
    let [] = call.query([])?; // writes take no parameters
    match call.entry.route {
        Route::CreateWaitlist => waitlist::handler::create(backend, call).await,
        Route::ChangeWaitlist => waitlist::handler::change(backend, call).await,
        Route::OpenWaitlist => waitlist::handler::open(backend, call).await,
        Route::CloseWaitlist => waitlist::handler::close(backend, call).await,
        Route::DeleteWaitlist => waitlist::handler::delete(backend, call).await,
        Route::AddWaitee => waitee::handler::add(backend, call).await,
        Route::ChangeWaitee => waitee::handler::change(backend, call).await,
        Route::MoveWaitee => waitee::handler::move_beside(backend, call).await,
        Route::CallWaitee => waitee::handler::call(backend, call).await,
        Route::RestoreWaitee => waitee::handler::restore(backend, call).await,
        Route::ConfirmWaitee => waitee::handler::transition(backend, call, waitee::Command::Confirm).await,
        Route::SeatWaitee => waitee::handler::transition(backend, call, waitee::Command::Seat).await,
        Route::NoShowWaitee => waitee::handler::transition(backend, call, waitee::Command::NoShow).await,
        Route::LeaveWaitee => waitee::handler::transition(backend, call, waitee::Command::Leave).await,
        Route::RemoveWaitee => waitee::handler::transition(backend, call, waitee::Command::Remove).await,
        Route::ListWaitlists
        | Route::GetWaitlist
        | Route::WaitlistHistory
        | Route::Board
        | Route::GetWaitee
        | Route::WaiteeHistory
        | Route::Health => Err(Problem::not_found().into()),
    }
}

/// Who writes, and how a repetition is recognised: by the idempotency key, and by a MAC of the request's content under the
/// subject's key, so that what a guest's request said goes when the guest is forgotten.
pub(crate) async fn author(backend: &Backend, call: &Call<'_>, subject: Subject) -> Result<Author, Failure> {
    let command = match call.idempotency_key()? {
        None => None,
        Some(key) => {
            let subject_key = own_key(backend, call, subject).await?;
            Some(CommandId { key, request: subject_key.map(|subject_key| request_mac(&subject_key, call)) })
        }
    };
    Ok(author_of(call, command))
}

/// The subject's key. Another account's guest has one too, and that this account's does not open it is no damage: to this
/// account there is no such guest.
async fn own_key(backend: &Backend, call: &Call<'_>, subject: Subject) -> Result<Option<SubjectKey>, Failure> {
    let key = backend.vault.key(subject).await;
    if let (Err(VaultError::Unfit { .. }), Subject::Guest { guest, .. }) = (&key, subject) {
        let latest = backend.log.latest(guest.into()).await?;
        if latest.is_none_or(|commit| commit.tenant != call.owner) {
            return Err(Problem::not_found().into());
        }
    }
    Ok(key?)
}

pub(crate) fn author_of(call: &Call<'_>, command: Option<CommandId>) -> Author {
    let mut correlation = call.request_id().to_owned();
    correlation.truncate(correlation.floor_char_boundary(CORRELATION_BYTES_MAX));
    Author { tenant: call.owner, actor: Actor::User(call.owner), command, correlation, causation: None }
}

pub(crate) fn request_mac(key: &SubjectKey, call: &Call<'_>) -> Tag {
    key.mac("request", &call.content())
}
