//! Records the delivery of messages in the streams that they belong to.

use infra::{Backend, Failure, log::Aggregate};
use schema::{
    Actor, Slug, StreamId, Time,
    commit::Author,
    id::{Category, Component},
    message::{Entry, MessageId},
};

use crate::{
    delivery::{Command, HasAgenda},
    mail::{self, Mail},
    waitee::{self, Waitee},
};

/// The result of recording a step.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recorded {
    /// The message after the step; `None` when there is no such message, or the stream had changed.
    pub entry: Option<Entry>,
    /// Whether this call appended the event. A step that is not allowed, or was recorded before, appends
    /// none.
    pub appended: bool,
}

/// Records a step of a message's delivery in its stream: 1 write unit and 1 for the audit index, and reading
/// the stream.
pub async fn record(
    backend: &Backend,
    stream: StreamId,
    author: &Author,
    command: &Command,
) -> Result<Recorded, Failure> {
    append(backend, stream, author, command, None).await
}

/// Like `record`, but a no-op if the stream changed since event `known` (message events aside): recipient or
/// purpose may differ.
pub async fn record_if(
    backend: &Backend,
    stream: StreamId,
    author: &Author,
    command: &Command,
    known: u64,
) -> Result<Recorded, Failure> {
    match append(backend, stream, author, command, Some(known)).await {
        Err(Failure::Refused(problem)) if problem.slug == Slug::PreconditionFailed => Ok(Recorded::default()),
        recorded => recorded,
    }
}

/// Ends the messages of a stream that are still to be sent, if the events that led to them are not later than `until`, the
/// time to which the log was restored. Outcomes recorded after it are lost, so each message may have been sent.
/// Returns the number of messages ended. Costs reading the stream, and [`record`] for each message.
///
/// # Errors
/// The stream cannot be read or appended to.
pub async fn settle(backend: &Backend, stream: StreamId, until: Time) -> Result<u64, Failure> {
    match stream.category {
        Category::Mail => settle_all::<Mail>(backend, stream, until).await,
        Category::Waitee => settle_all::<Waitee>(backend, stream, until).await,
        Category::User | Category::Session | Category::Waitlist | Category::Access | Category::Projection => {
            Ok(0)
        }
    }
}

async fn settle_all<A: Aggregate + HasAgenda>(
    backend: &Backend,
    stream: StreamId,
    until: Time,
) -> Result<u64, Failure> {
    let Some(read) = backend.log.read::<A>(stream).await? else { return Ok(0) };
    let is_old = |message: &MessageId| {
        read.commits.iter().any(|commit| commit.holds(message.cause) && commit.at <= until)
    };
    let entries = read.state.agenda().into_iter().flat_map(|agenda| agenda.messages.entries());
    let open = entries.filter(|entry| entry.due_at().is_some()).map(|entry| entry.id).filter(is_old);
    let mut settled = 0;
    for message in open.collect::<Vec<_>>() {
        let author = read.author_caused_by(message.cause, Actor::System(Component::Delivery));
        let settle = Command::Settle { message };
        settled += u64::from(record(backend, stream, &author, &settle).await?.appended);
    }
    Ok(settled)
}

async fn append(
    backend: &Backend,
    stream: StreamId,
    author: &Author,
    command: &Command,
    expect: Option<u64>,
) -> Result<Recorded, Failure> {
    let recorded = |state: &dyn HasAgenda, appended| {
        let entry = state.agenda().and_then(|agenda| agenda.messages.entry(command.message()).cloned());
        Recorded { entry, appended }
    };
    match stream.category {
        Category::Mail => {
            let deliver = mail::Command::Deliver(command.clone());
            let outcome = backend.log.execute::<Mail>(stream, author, expect, &deliver).await?;
            Ok(recorded(&outcome.state, outcome.appended))
        }
        Category::Waitee => {
            let deliver = waitee::Command::Deliver(command.clone());
            let outcome = backend.log.execute::<Waitee>(stream, author, expect, &deliver).await?;
            Ok(recorded(&outcome.state, outcome.appended))
        }
        Category::User | Category::Session | Category::Waitlist | Category::Access | Category::Projection => {
            Err(Failure::broken(format!("record a message of {stream}"), "the stream has no messages"))
        }
    }
}
