//! What SES tells of mails after it took them: that one came back, or was not welcome. Each becomes a fact about the message that
//! it is about, which SES names by the tags that were sent with it.
//!
//! <https://docs.aws.amazon.com/ses/latest/dg/event-publishing-retrieving-sns-contents.html>

use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent};
use commands::delivery::{self, Command};
use infra::{Backend, Failure, queue};
use schema::{
    Actor, StreamId,
    id::{Category, Component},
    message::{Bounce, MessageId},
};
use serde::Deserialize;
use tracing::{info, warn};

/// An event of SES, as far as it matters here. The people in it are not looked at.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
struct SesEvent {
    event_type: String,
    mail: Sent,
    bounce: Option<Bounced>,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
struct Sent {
    #[serde(default)]
    tags: Tags,
}

/// Each tag may have several values; ours have one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
struct Tags {
    stream: Vec<String>,
    message: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Bounced {
    bounce_type: String,
}

/// Tells what SES says from the rest of a batch.
pub(super) fn split(event: SqsEvent) -> (SqsEvent, SqsEvent) {
    let (mut feedback, mut rest) = (SqsEvent::default(), SqsEvent::default());
    for message in event.records {
        let of_ses = message.body.as_deref().is_some_and(|body| read(body).is_some());
        if of_ses { &mut feedback } else { &mut rest }.records.push(message);
    }
    (feedback, rest)
}

fn read(body: &str) -> Option<SesEvent> {
    serde_json::from_str(body).ok()
}

/// Records a batch of them; those that fail come again until they are dead letters.
pub(super) async fn record_all(backend: &Backend, event: SqsEvent) -> SqsBatchResponse {
    queue::each(event, |body| async move {
        let event =
            read(&body).ok_or_else(|| Failure::broken("read what SES says", "it is no event of SES"))?;
        record(backend, &event).await
    })
    .await
}

/// What cannot be matched is dropped with a line in the log: it is about a mail of somebody else's, or of which nothing is known.
async fn record(backend: &Backend, event: &SesEvent) -> Result<(), Failure> {
    let Some(reason) = reason(event) else { return Ok(()) };
    let Some((stream, message)) = about(&event.mail.tags) else {
        warn!(event = event.event_type, "a mail that is none of ours");
        return Ok(());
    };
    let commits = backend.log.load(stream).await?;
    let Some(cause) = commits.iter().find(|commit| commit.holds(message.cause)) else {
        warn!(%stream, letter = %message, "a mail that nothing led to");
        return Ok(());
    };
    let author = cause.as_cause(message.cause, Actor::System(Component::Delivery));
    let (_, recorded) =
        delivery::record(backend, stream, &author, &Command::Bounce { message, reason }).await?;
    info!(%stream, letter = %message, ?reason, recorded, "came back");
    Ok(())
}

/// Whom a mail concerned, and which message of theirs it was.
fn about(tags: &Tags) -> Option<(StreamId, MessageId)> {
    let ([stream], [message]) = (tags.stream.as_slice(), tags.message.as_slice()) else { return None };
    let stream: StreamId = stream.parse().ok()?;
    let has_messages = matches!(stream.category, Category::User | Category::Waitee);
    has_messages.then_some((stream, message.parse().ok()?))
}

/// What an event of SES means; nothing when it means that all is well.
fn reason(event: &SesEvent) -> Option<Bounce> {
    match event.event_type.as_str() {
        "Bounce" => Some(match event.bounce.as_ref().map(|bounce| bounce.bounce_type.as_str()) {
            Some("Permanent") => Bounce::Permanent,
            Some("Transient") => Bounce::Transient,
            _ => Bounce::Undetermined,
        }),
        "Complaint" => Some(Bounce::Complaint),
        "Reject" => Some(Bounce::Rejected),
        _ => None,
    }
}
