//! Records the delivery of messages in the streams that they belong to.

use infra::{Backend, Failure};
use schema::{Slug, StreamId, commit::Author, id::Category, message::Entry};

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
