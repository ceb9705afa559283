//! Who writes, and how a repetition is recognised: by the idempotency key, and by a MAC of the request's content under the
//! subject's key, so that what a guest's request said goes when the guest is forgotten.

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

/// The account that asks, as an author.
pub(crate) async fn author(backend: &Backend, call: &Call<'_>, subject: Subject) -> Result<Author, Failure> {
    author_as(backend, call, call.actor(), call.owner, subject, call.raw_body()).await
}

/// Somebody as the author of commits about the account `tenant`; `said` is what the body says besides credentials.
pub(crate) async fn author_as(
    backend: &Backend,
    call: &Call<'_>,
    actor: Actor,
    tenant: UserId,
    subject: Subject,
    said: &[u8],
) -> Result<Author, Failure> {
    let command = match call.idempotency_key()? {
        None => None,
        Some(key) => {
            let subject_key = own_key(backend, actor, subject).await?;
            Some(CommandId {
                key,
                request: subject_key.map(|subject_key| request_mac(&subject_key, call, said)),
            })
        }
    };
    Ok(by(call, actor, tenant, command))
}

/// Somebody as the author of commits about the account `tenant`, with a command that is identified already.
pub(crate) fn by(call: &Call<'_>, actor: Actor, tenant: UserId, command: Option<CommandId>) -> Author {
    let mut correlation = call.request_id().to_owned();
    correlation.truncate(correlation.floor_char_boundary(CORRELATION_BYTES_MAX));
    Author { tenant, actor, command, correlation, causation: None }
}

/// A MAC of what a request says.
pub(crate) fn request_mac(key: &SubjectKey, call: &Call<'_>, said: &[u8]) -> Tag {
    key.mac("request", &call.content(said))
}

/// The subject's key. Another account's guest has one too, and that this account's does not open it is no damage: to this
/// account there is no such guest.
async fn own_key(backend: &Backend, actor: Actor, subject: Subject) -> Result<Option<SubjectKey>, Failure> {
    let key = backend.vault.key(subject).await;
    if let (Err(VaultError::Unfit { .. }), Subject::Guest { guest, .. }) = (&key, subject) {
        let latest = backend.log.latest(guest.into()).await?;
        access::may(actor, guest.into(), latest.ok_or_else(Problem::not_found)?.tenant)?;
    }
    Ok(key?)
}
