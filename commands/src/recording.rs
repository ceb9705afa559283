//! Recording the delivery of messages in the streams that they belong to.

use infra::{Backend, Failure, log::Outcome};
use schema::{Slug, StreamId, agenda::Agenda, commit::Author, id::Category, message::Entry};

use crate::{
    delivery::Command,
    mail::{self, Mail},
    waitee::{self, Waitee},
};

/// The result of recording a step.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recorded {
    /// The message after the step; `None` when there is no such message, or the stream had changed.
    pub entry: Option<Entry>,
    /// Whether this call appended the event. A step that is not allowed, or was recorded before, appends none.
    pub appended: bool,
}

/// Records a step of a message's delivery in its stream: 1 write unit and 1 for the audit index, and reading the stream.
///
/// # Errors
/// As [`infra::Log::transact`].
pub async fn record(
    backend: &Backend,
    stream: StreamId,
    author: &Author,
    command: &Command,
) -> Result<Recorded, Failure> {
    append(backend, stream, author, command, None).await
}

/// Like `record`, but a no-op if the stream changed since event `known` (message events aside): recipient or purpose may differ.
///
/// # Errors
/// As [`infra::Log::transact`].
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
    let recorded = |agenda: Option<&Agenda>, appended| Recorded {
        entry: agenda.and_then(|agenda| agenda.messages.entry(command.message())).cloned(),
        appended,
    };
    match stream.category {
        Category::Mail => {
            let decide = |mail: Mail, now| async move { Ok(mail::deliver(&mail, command, now)) };
            let Outcome { state, appended, .. } =
                backend.log.transact(stream, author, expect, decide).await?;
            Ok(recorded(state.0.as_ref().map(|wanted| &wanted.agenda), appended))
        }
        Category::Waitee => {
            let decide = |waitee: Waitee, now| async move { Ok(waitee::deliver(&waitee, command, now)) };
            let Outcome { state, appended, .. } =
                backend.log.transact(stream, author, expect, decide).await?;
            Ok(recorded(state.0.as_ref().map(|visit| &visit.agenda), appended))
        }
        Category::User | Category::Session | Category::Waitlist => {
            Err(Failure::broken(format!("record a message of {stream}"), "the stream has none"))
        }
    }
}
