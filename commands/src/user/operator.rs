//! Commands on accounts by a person with the command line: who is an operator, and how many texts an account
//! may send.

use infra::{Backend, Failure};
use schema::{Actor, Slug, UserId, commit::Author, id::Component, value::Email};

use super::{Command, User};

/// An account after a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Changed {
    pub id: UserId,
    /// Number of its last event.
    pub seq: u64,
}

/// Grants the account with this e-mail address the system-wide operations, or revokes them. `None` when there
/// is no such account.
pub async fn set_operator(
    backend: &Backend,
    email: &Email,
    granted: bool,
) -> Result<Option<Changed>, Failure> {
    run(backend, email, if granted { Command::GrantOperator } else { Command::RevokeOperator }).await
}

/// Limits the texts a day of the account with this e-mail address. `None` when there is no such account.
pub async fn cap_texts(
    backend: &Backend,
    email: &Email,
    texts_per_day: u32,
) -> Result<Option<Changed>, Failure> {
    run(backend, email, Command::CapTexts(texts_per_day)).await
}

async fn run(backend: &Backend, email: &Email, command: Command) -> Result<Option<Changed>, Failure> {
    let Some(id) = backend.vault.holder(&backend.claims.of_email(email)?).await? else { return Ok(None) };
    let author = Author {
        tenant: id,
        actor: Actor::System(Component::Operator),
        command: None,
        correlation: backend.clock.id(backend.clock.now()).to_string(),
        causation: None,
    };
    match backend.log.execute::<User>(id.into(), &author, None, &command).await {
        Ok(outcome) => Ok(Some(Changed { id, seq: outcome.seq })),
        // The account was erased, and its address is not free yet.
        Err(Failure::Refused(problem)) if problem.slug == Slug::NotFound => Ok(None),
        Err(failure) => Err(failure),
    }
}
