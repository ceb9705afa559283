//! Who writes, and how a repetition is recognised.

use infra::{
    Backend, Failure,
    http::Call,
    vault::{Subject, SubjectKey, VaultError},
};
use schema::{
    Actor, Problem, UserId, access,
    commit::{Author, CommandId, Tag},
};

/// The longest request id that is kept with a commit, in bytes.
const CORRELATION_BYTES_MAX: usize = 36;

/// The account that asks, as an author: a repetition is recognised by the idempotency key, and by a MAC of the request's content
/// under the subject's key, so that what a guest's request said goes when the guest is forgotten.
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

/// The account that asks, as an author.
pub(crate) fn author_of(call: &Call<'_>, command: Option<CommandId>) -> Author {
    by(call, call.actor(), call.owner, command)
}

/// Somebody as the author of a commit about the account `tenant`.
pub(crate) fn by(call: &Call<'_>, actor: Actor, tenant: UserId, command: Option<CommandId>) -> Author {
    let mut correlation = call.request_id().to_owned();
    correlation.truncate(correlation.floor_char_boundary(CORRELATION_BYTES_MAX));
    Author { tenant, actor, command, correlation, causation: None }
}

/// The subject's key. Another account's guest has one too, and that this account's does not open it is no damage: to this
/// account there is no such guest.
async fn own_key(backend: &Backend, call: &Call<'_>, subject: Subject) -> Result<Option<SubjectKey>, Failure> {
    let key = backend.vault.key(subject).await;
    if let (Err(VaultError::Unfit { .. }), Subject::Guest { guest, .. }) = (&key, subject) {
        let latest = backend.log.latest(guest.into()).await?;
        let tenant = latest.ok_or_else(Problem::not_found)?.tenant;
        access::may(call.actor(), guest.into(), tenant)?;
    }
    Ok(key?)
}

/// A MAC of what a request says.
pub(crate) fn request_mac(key: &SubjectKey, call: &Call<'_>) -> Tag {
    key.mac("request", &call.content())
}
