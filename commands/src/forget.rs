//! Erasure of accounts and guests for the eraser: reads what is left to do, and records that it was done.

use infra::{
    Backend, Failure,
    log::{Aggregate, Read},
    vault::Subject,
};
use schema::{
    Actor, Sealed, StreamId, UserId, WaiteeId,
    commit::Author,
    id::{Category, Component},
    user::Event as UserEvent,
    value::Email,
    waitee::Event as WaiteeEvent,
};

use crate::{
    user::{self, User},
    waitee::{self, Waitee},
};

/// An erasure that is not finished.
#[derive(Clone, Debug)]
pub struct Due {
    /// Owner of the key to bury.
    pub subject: Subject,
    /// The e-mail address to release, of an account.
    pub email: Option<Sealed<Email>>,
    author: Author,
}

/// The erasure that is left to do for a stream. `None` when there was no request for one, or it is done.
pub async fn due(backend: &Backend, stream: StreamId) -> Result<Option<Due>, Failure> {
    match stream.category {
        Category::User => account(backend, UserId(stream.id)).await,
        Category::Waitee => guest(backend, WaiteeId(stream.id)).await,
        Category::Mail | Category::Session | Category::Waitlist | Category::Access | Category::Projection => {
            Ok(None)
        }
    }
}

/// Appends `forgotten`; a repeat appends nothing.
pub async fn done(backend: &Backend, due: &Due) -> Result<(), Failure> {
    let Due { subject, author, .. } = due;
    match *subject {
        Subject::Account(id) => {
            let forget = user::Command::Forget;
            backend.log.execute::<User>(id.into(), author, None, &forget).await.map(drop)
        }
        Subject::Guest { guest, .. } => {
            let forget = waitee::Command::Erasure(waitee::ErasureCommand::Forget);
            backend.log.execute::<Waitee>(guest.into(), author, None, &forget).await.map(drop)
        }
    }
}

async fn account(backend: &Backend, id: UserId) -> Result<Option<Due>, Failure> {
    let Some(read) = backend.log.read::<User>(id.into()).await? else { return Ok(None) };
    let author = eraser(&read, |event| matches!(event, UserEvent::Erased {}));
    let (User::Erased(account), Some(author)) = (read.state, author) else { return Ok(None) };
    Ok(Some(Due { subject: Subject::Account(id), email: Some(account.email), author }))
}

async fn guest(backend: &Backend, guest: WaiteeId) -> Result<Option<Due>, Failure> {
    let Some(read) = backend.log.read::<Waitee>(guest.into()).await? else { return Ok(None) };
    let author = eraser(&read, |event| matches!(event, WaiteeEvent::Erased {}));
    let (Some(visit), Some(author)) = (read.state.0, author) else { return Ok(None) };
    let due = Due { subject: Subject::Guest { account: author.tenant, guest }, email: None, author };
    Ok((!visit.forgotten).then_some(due))
}

/// The eraser as the author of what follows from the erasure. `None` when the stream has no such event.
fn eraser<A: Aggregate>(read: &Read<A>, is_erased: impl Fn(&A::Event) -> bool) -> Option<Author> {
    let erased = read.facts.iter().find(|fact| is_erased(&fact.event))?;
    Some(read.author_caused_by(erased.seq, Actor::System(Component::Eraser)))
}
