//! The author of a commit, and how a repeated request is recognised: by the idempotency key, and by a MAC of the request's
//! content under the subject's key. When the guest is forgotten, the key goes, and with it all that the MAC could tell.

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
    author_as(backend, call, call.actor(), call.owner, subject, &call.said()).await
}

/// The content of a body that holds credentials, as a keyed hash: the same key with another password is another request, and no
/// credential rests in the log.
pub(crate) fn said_with_credentials(backend: &Backend, call: &Call<'_>) -> impl AsRef<[u8]> + use<> {
    backend.secrets.hash_of_credentials(&call.said())
}

/// The actor as the author of commits about the account `tenant`; `said` is the content of the body.
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

/// The actor as the author of commits about the account `tenant`, with a command that is identified already.
pub(crate) fn by(call: &Call<'_>, actor: Actor, tenant: UserId, command: Option<CommandId>) -> Author {
    let mut correlation = call.request_id().to_owned();
    correlation.truncate(correlation.floor_char_boundary(CORRELATION_BYTES_MAX));
    Author { tenant, actor, command, correlation, causation: None }
}

/// A MAC of a request's method, route, id and content.
pub(crate) fn request_mac(key: &SubjectKey, call: &Call<'_>, said: &[u8]) -> Tag {
    key.mac("request", &call.content(said))
}

/// The subject's key. The key of another account's guest does not open under this account's; that is no damage, but a guest whom
/// this account does not have.
async fn own_key(backend: &Backend, actor: Actor, subject: Subject) -> Result<Option<SubjectKey>, Failure> {
    let key = backend.vault.key(subject).await;
    if let (Err(VaultError::Unfit { .. }), Subject::Guest { guest, .. }) = (&key, subject) {
        let latest = backend.log.latest(guest.into()).await?;
        access::may(actor, guest.into(), latest.ok_or_else(Problem::not_found)?.tenant)?;
    }
    Ok(key?)
}
