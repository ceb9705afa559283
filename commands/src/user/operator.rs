//! What a person with the system's own command line says of an account: whether it may do what is system-wide, how many texts it
//! may send.

use infra::{Backend, Failure};
use schema::{Actor, Problem, Slug, UserId, commit::Author, id::Component, value::Email};

use super::{Command, User, decide};

/// An account about which something was said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Operator {
    /// Which.
    pub id: UserId,
    /// The number of its last event.
    pub seq: u64,
}

/// Lets the account with this e-mail address do what is system-wide, or no longer. None when there is no such account.
///
/// # Errors
/// The log or the vault does not answer.
pub async fn set_operator(
    backend: &Backend,
    email: &Email,
    granted: bool,
) -> Result<Option<Operator>, Failure> {
    run(backend, email, if granted { Command::GrantOperator } else { Command::RevokeOperator }).await
}

/// Lets the account with this e-mail address send so many texts a day. None when there is no such account.
///
/// # Errors
/// The log or the vault does not answer.
pub async fn cap_texts(
    backend: &Backend,
    email: &Email,
    texts_per_day: u32,
) -> Result<Option<Operator>, Failure> {
    run(backend, email, Command::CapTexts(texts_per_day)).await
}

async fn run(backend: &Backend, email: &Email, command: Command) -> Result<Option<Operator>, Failure> {
    let Some(id) = backend.vault.holder(&backend.secrets.claim(email)).await? else { return Ok(None) };
    let author = Author {
        tenant: id,
        actor: Actor::System(Component::Operator),
        command: None,
        correlation: backend.clock.id(backend.clock.now()).to_string(),
        causation: None,
    };
    let command = &command;
    let decide = |user: User, _| async move { Ok(decide(&user, command).map_err(Problem::from)?) };
    match backend.log.transact(id.into(), &author, None, decide).await {
        Ok(outcome) => Ok(Some(Operator { id, seq: outcome.seq })),
        // It is being forgotten, and its address is not free yet.
        Err(Failure::Refused(problem)) if problem.slug == Slug::NotFound => Ok(None),
        Err(failure) => Err(failure),
    }
}
