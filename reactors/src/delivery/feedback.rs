//! Feedback of SES: bounces and complaints about mails that SES had accepted. Each is recorded as an event of
//! its message, which is named by the tags of the mail.
//!
//! <https://docs.aws.amazon.com/ses/latest/dg/event-publishing-retrieving-sns-contents.html>

use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent};
use commands::{delivery::Command, recording};
use infra::{Backend, Failure, queue};
use schema::{
    Actor, StreamId,
    id::{Category, Component},
    message::{Bounce, MessageId},
};
use serde::Deserialize;
use tracing::{info, warn};

use super::outcome;

/// An event of SES, without the addresses that it names.
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

/// SES allows several values for each tag; ours have one.
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

/// Splits a batch into feedback of SES and intents.
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

/// Records a batch of feedback. Messages that fail are received again until they are dead letters.
pub(super) async fn record_all(backend: &Backend, event: SqsEvent) -> SqsBatchResponse {
    queue::each(event, |body| async move {
        let event = read(&body)
            .ok_or_else(|| Failure::broken("read feedback of SES", "the body is not an event of SES"))?;
        record(backend, &event).await
    })
    .await
}

/// Records one event. An event that matches no message of this log is dropped with a log line.
async fn record(backend: &Backend, event: &SesEvent) -> Result<(), Failure> {
    let Some(reason) = reason(event) else { return Ok(()) };
    let Some((stream, message)) = about(&event.mail.tags) else {
        warn!(event = event.event_type, "feedback dropped: its tags name no message");
        return Ok(());
    };
    let commits = backend.log.load(stream).await?;
    let Some(cause) = commits.iter().find(|commit| commit.holds(message.cause)) else {
        warn!(%stream, message_id = %message, "feedback dropped: no event led to this message");
        return Ok(());
    };
    let author = cause.as_cause(message.cause, Actor::System(Component::Delivery));
    let bounce = Command::Bounce { message, reason };
    let recorded = recording::record(backend, stream, &author, &bounce).await?.appended;
    if recorded {
        outcome::count(message, Some(&bounce));
    }
    info!(%stream, message_id = %message, reason = reason.as_str(), recorded, "SES reported a mail as undeliverable or unwanted");
    Ok(())
}

/// The stream and the message that a mail's tags name.
fn about(tags: &Tags) -> Option<(StreamId, MessageId)> {
    let ([stream], [message]) = (tags.stream.as_slice(), tags.message.as_slice()) else { return None };
    let stream: StreamId = stream.parse().ok()?;
    let has_messages = matches!(stream.category, Category::Mail | Category::Waitee);
    has_messages.then_some((stream, message.parse().ok()?))
}

/// The kind of bounce that an event of SES reports; `None` for other events.
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
