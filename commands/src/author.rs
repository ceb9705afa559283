//! The author of a request's commits, and the ids of streams that requests create.
//!
//! A repeated request is recognised by its idempotency key and by a MAC of its content under the subject's
//! key. Once the subject is forgotten the MAC reveals nothing, because that key is gone.

use infra::{
    Backend, Failure,
    http::Call,
    vault::{Subject, SubjectKey, VaultError},
};
use schema::{
    Actor, Problem, UserId, access,
    commit::{Author, CommandId, correlation_of},
};
use uuid::Uuid;

/// The id of a stream that this request creates: derived from account, route and idempotency key, so that a
/// repeated request finds the stream that the first one created. A new id when there is no key.
pub(crate) fn created_id(backend: &Backend, call: &Call<'_>, tenant: UserId) -> Result<Uuid, Problem> {
    let derived = call.idempotency_key()?.map(|key| call.derived_id(tenant, key));
    Ok(derived.unwrap_or_else(|| backend.clock.id(backend.clock.now())))
}

/// The author of commits about a subject that may have a key in the vault. `content` is what a repeated
/// request must have in common with the first.
pub(crate) async fn author(
    backend: &Backend,
    call: &Call<'_>,
    actor: Actor,
    subject: Subject,
    content: &[u8],
) -> Result<Author, Failure> {
    let key = match call.idempotency_key()? {
        Some(_) => subject_key(backend, actor, subject).await?,
        None => None,
    };
    Ok(author_with_key(call, actor, subject, key.as_ref(), content)?)
}

/// As [`author`], with the subject's key. Without that key, a repeated request is recognised by its
/// idempotency key alone.
pub(crate) fn author_with_key(
    call: &Call<'_>,
    actor: Actor,
    subject: Subject,
    key: Option<&SubjectKey>,
    content: &[u8],
) -> Result<Author, Problem> {
    let command = call.idempotency_key()?.map(|tag| CommandId {
        key: tag,
        request: key.map(|key| key.mac("request", &call.content(content))),
    });
    let (Subject::Account(tenant) | Subject::Guest { account: tenant, .. }) = subject;
    Ok(Author { command, ..unkeyed_author(call, actor, tenant) })
}

/// The author of commits on streams that take no idempotency key.
pub(crate) fn unkeyed_author(call: &Call<'_>, actor: Actor, tenant: UserId) -> Author {
    let correlation = correlation_of(call.request_id()).to_owned();
    Author { tenant, actor, command: None, correlation, causation: None }
}

/// The content of a body with credentials, as a keyed hash: no credential is stored, and the same idempotency
/// key with another password is another request.
pub(crate) fn content_with_credentials(
    backend: &Backend,
    call: &Call<'_>,
) -> Result<impl AsRef<[u8]> + use<>, Failure> {
    backend.claims.of_credentials(&call.said())
}

/// The subject's key. A guest of another account reads as not found: that guest's key does not open with this
/// account's key.
async fn subject_key(
    backend: &Backend,
    actor: Actor,
    subject: Subject,
) -> Result<Option<SubjectKey>, Failure> {
    let key = backend.vault.key(subject).await;
    if let (Err(VaultError::Unfit { .. }), Subject::Guest { guest, .. }) = (&key, subject) {
        let latest = backend.log.latest(guest.into()).await?;
        access::may(actor, guest.into(), latest.ok_or_else(Problem::not_found)?.tenant)?;
    }
    Ok(key?)
}
