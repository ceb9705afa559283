//! Erasure of accounts and guests for the eraser: reads what was asked for, and records that it was done.

use infra::{
    Backend, Failure,
    log::{Aggregate, Read},
    vault::Subject,
};
use schema::{
    Actor, Sealed, Slug, StreamId, UserId, WaiteeId,
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

/// An erasure that was asked for.
#[derive(Clone, Debug)]
pub struct Erasure {
    /// Owner of the key to bury.
    pub subject: Subject,
    /// The e-mail address to release, of an account.
    pub email: Option<Sealed<Email>>,
    /// Whether it was finished: the key was destroyed. A restore of the vault may have brought the key back.
    pub is_finished: bool,
    author: Author,
}

/// The erasure of a stream. `None` when there was no request for one.
pub async fn erasure(backend: &Backend, stream: StreamId) -> Result<Option<Erasure>, Failure> {
    match stream.category {
        Category::User => account(backend, UserId(stream.id)).await,
        Category::Waitee => guest(backend, WaiteeId(stream.id)).await,
        Category::Mail | Category::Session | Category::Waitlist | Category::Access | Category::Projection => {
            Ok(None)
        }
    }
}

/// Appends `erased`, because a restored log lacks it. `false` if the log has it, or has no such
/// stream of this account or guest.
///
/// # Errors
/// The stream cannot be read or appended to.
pub async fn ask_again(backend: &Backend, stream: StreamId, tenant: UserId) -> Result<bool, Failure> {
    let author = Author {
        tenant,
        actor: Actor::System(Component::Eraser),
        command: None,
        correlation: backend.clock.id(backend.clock.now()).to_string(),
        causation: None,
    };
    let asked = match stream.category {
        Category::User => {
            let outcome = backend.log.execute::<User>(stream, &author, None, &user::Command::Erase).await;
            outcome.map(|outcome| outcome.appended)
        }
        Category::Waitee => {
            let erase = waitee::Command::Erasure(waitee::ErasureCommand::Erase);
            let outcome = backend.log.execute::<Waitee>(stream, &author, None, &erase).await;
            outcome.map(|outcome| outcome.appended)
        }
        Category::Mail | Category::Session | Category::Waitlist | Category::Access | Category::Projection => {
            Ok(false)
        }
    };
    match asked {
        Err(Failure::Refused(problem)) if problem.slug == Slug::NotFound => Ok(false),
        asked => asked,
    }
}

/// Appends `forgotten`; a repeat appends nothing.
pub async fn done(backend: &Backend, erasure: &Erasure) -> Result<(), Failure> {
    let Erasure { subject, author, .. } = erasure;
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

async fn account(backend: &Backend, id: UserId) -> Result<Option<Erasure>, Failure> {
    let Some(read) = backend.log.read::<User>(id.into()).await? else { return Ok(None) };
    let author = eraser(&read, |event| matches!(event, UserEvent::Erased {}));
    // The state after `forgotten` holds no address; an account has one address for ever.
    let email = read.facts.iter().find_map(|fact| {
        let UserEvent::Registered(registered) = &fact.event else { return None };
        Some(registered.email.clone())
    });
    let is_finished = match read.state {
        User::Erased(_) => false,
        User::Forgotten => true,
        User::None | User::Kept(_) => return Ok(None),
    };
    Ok(author.map(|author| Erasure { subject: Subject::Account(id), email, is_finished, author }))
}

async fn guest(backend: &Backend, guest: WaiteeId) -> Result<Option<Erasure>, Failure> {
    let Some(read) = backend.log.read::<Waitee>(guest.into()).await? else { return Ok(None) };
    let author = eraser(&read, |event| matches!(event, WaiteeEvent::Erased {}));
    let (Some(visit), Some(author)) = (read.state.0, author) else { return Ok(None) };
    let subject = Subject::Guest { account: author.tenant, guest };
    Ok(Some(Erasure { subject, email: None, is_finished: visit.forgotten, author }))
}

/// The eraser as the author of what follows from the erasure. `None` when the stream has no such event.
fn eraser<A: Aggregate>(read: &Read<A>, is_erased: impl Fn(&A::Event) -> bool) -> Option<Author> {
    let erased = read.facts.iter().find(|fact| is_erased(&fact.event))?;
    Some(read.author_caused_by(erased.seq, Actor::System(Component::Eraser)))
}
