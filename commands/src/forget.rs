//! Erasure of accounts and guests for the eraser: reads what is left to do, and records that it was done.

use infra::{Backend, Failure, log::Aggregate, vault::Subject};
use schema::{
    Actor, Commit, Fact, Problem, Sealed, StreamId, UserId, WaiteeId,
    commit::Author,
    id::{Category, Component},
    value::Email,
};

use crate::{user, waitee};

/// An erasure that is not finished.
#[derive(Clone, Debug)]
pub struct Due {
    /// Owner of the key to bury.
    pub subject: Subject,
    /// The e-mail address to release, of an account.
    pub email: Option<Sealed<Email>>,
    stream: StreamId,
    author: Author,
}

/// The erasure that is left to do for a stream. `None` when there was no request for one, or it is done.
pub async fn due(backend: &Backend, stream: StreamId) -> Result<Option<Due>, Failure> {
    match stream.category {
        Category::User => account(backend, stream).await,
        Category::Waitee => guest(backend, stream).await,
        Category::Mail | Category::Session | Category::Waitlist => Ok(None),
    }
}

/// Appends `forgotten`; a repeat appends nothing.
pub async fn done(backend: &Backend, due: &Due) -> Result<(), Failure> {
    let Due { subject, stream, author, .. } = due;
    match subject {
        Subject::Account(_) => {
            let decide = |user: user::User, _| async move {
                Ok(user::decide(&user, &user::Command::Forget).map_err(Problem::from)?)
            };
            backend.log.transact(*stream, author, None, decide).await.map(drop)
        }
        Subject::Guest { .. } => {
            let decide = |waitee: waitee::Waitee, now| async move {
                Ok(waitee::decide(&waitee, &waitee::Command::Forget, now).map_err(Problem::from)?)
            };
            backend.log.transact(*stream, author, None, decide).await.map(drop)
        }
    }
}

async fn account(backend: &Backend, stream: StreamId) -> Result<Option<Due>, Failure> {
    let commits = backend.log.load(stream).await?;
    let is_erased = |event: &schema::user::Event| matches!(event, schema::user::Event::Erased {});
    let (state, author) = fold::<user::User>(&commits, is_erased)?;
    let account = match state {
        user::User::Erased(account) => account,
        user::User::None | user::User::Kept(_) | user::User::Forgotten => return Ok(None),
    };
    let subject = Subject::Account(UserId(stream.id));
    Ok(author.map(|author| Due { subject, email: Some(account.email), stream, author }))
}

async fn guest(backend: &Backend, stream: StreamId) -> Result<Option<Due>, Failure> {
    let commits = backend.log.load(stream).await?;
    let is_erased = |event: &schema::waitee::Event| matches!(event, schema::waitee::Event::Erased {});
    let (state, author) = fold::<waitee::Waitee>(&commits, is_erased)?;
    if state.0.is_none_or(|visit| visit.forgotten) {
        return Ok(None);
    }
    let of = |account| Subject::Guest { account, guest: WaiteeId(stream.id) };
    Ok(author.map(|author| Due { subject: of(author.tenant), email: None, stream, author }))
}

/// The state of a stream and, when its erasure was requested, the author of the events that follow from it.
fn fold<A: Aggregate>(
    commits: &[Commit],
    is_erased: impl Fn(&A::Event) -> bool,
) -> Result<(A, Option<Author>), Failure> {
    let (mut state, mut author) = (A::default(), None);
    for commit in commits {
        let facts: Vec<Fact<A::Event>> =
            commit.facts().map_err(|cause| Failure::broken(format!("read {}", commit.stream), cause))?;
        for fact in &facts {
            if is_erased(&fact.event) {
                author = Some(commit.as_cause(fact.seq, Actor::System(Component::Eraser)));
            }
            state = state.evolve(fact);
        }
    }
    Ok((state, author))
}
