//! Intents: the work that follows from events, and their messages on queues.

use std::time::Duration;

use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent};
use infra::{Backend, Failure, fault, queue, queue::Queue};
use schema::StreamId;
use serde::{Deserialize, Serialize};
use tracing::warn;

/// The delay after the first failure of an intent.
const RETRY_DELAY: Duration = Duration::from_secs(10);

/// The longest cause of a failure that is kept in a message, in bytes.
const CAUSE_BYTES_MAX: usize = 2_000;

/// Work to be done about a stream. It holds no personal data, and no details: the handler reads the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "intent", rename_all = "kebab-case")]
pub enum Intent {
    /// Finish the erasure of an account or guest.
    Forget { stream: StreamId },
    /// Carry out the due duties of a visit, account or mail: messages, a hold that ran out, a visit that
    /// lasted too long.
    Attend { stream: StreamId },
    /// Remove the party of a visit whose list was deleted.
    Clear { stream: StreamId },
    /// React again to the commit that starts at `seq`, which could not be read.
    React { stream: StreamId, seq: u64 },
}

impl Intent {
    pub fn stream(self) -> StreamId {
        match self {
            Self::Forget { stream }
            | Self::Attend { stream }
            | Self::Clear { stream }
            | Self::React { stream, .. } => stream,
        }
    }

    /// The name of the intent in messages and logs.
    pub fn name(self) -> &'static str {
        match self {
            Self::Forget { .. } => "forget",
            Self::Attend { .. } => "attend",
            Self::Clear { .. } => "clear",
            Self::React { .. } => "react",
        }
    }
}

/// The message of an intent on a queue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct QueuedIntent {
    #[serde(flatten)]
    pub intent: Intent,
    /// Whether the tick queued it. A failed intent of the tick is dropped, because a later tick finds the
    /// work again.
    #[serde(default, rename = "looked", skip_serializing_if = "std::ops::Not::not")]
    pub from_tick: bool,
    /// The cause of the first failure, for the person who finds the message among the dead letters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<String>,
}

impl From<Intent> for QueuedIntent {
    fn from(intent: Intent) -> Self {
        Self { intent, from_tick: false, cause: None }
    }
}

impl QueuedIntent {
    pub(crate) fn from_tick(intent: Intent) -> Self {
        Self { from_tick: true, ..intent.into() }
    }

    /// An intent whose first attempt failed.
    pub(crate) fn failed(intent: Intent, failure: &Failure) -> Self {
        let mut cause = failure.chain();
        cause.truncate(cause.floor_char_boundary(CAUSE_BYTES_MAX));
        Self { cause: Some(cause), ..intent.into() }
    }

    /// The message of another intent that takes this one's place.
    pub(crate) fn replaced_by(&self, intent: Intent) -> Self {
        Self { intent, from_tick: self.from_tick, cause: None }
    }

    /// The message's body.
    pub fn body(&self) -> Result<String, Failure> {
        serde_json::to_string(self).map_err(|cause| Failure::broken("write an intent", cause))
    }

    /// Puts the message on the queue of its intent, due after `delay`.
    ///
    /// # Errors
    /// The queue did not answer; it may hold the message.
    pub async fn send(&self, backend: &Backend, delay: Duration) -> Result<(), Failure> {
        fault::point("intent.send");
        let sent = queue_of(backend, &self.intent).send(&self.body()?, delay).await;
        fault::point("intent.sent");
        sent.map(drop).map_err(|cause| Failure::passing("send an intent", cause))
    }
}

fn queue_of<'b>(backend: &'b Backend, intent: &Intent) -> &'b Queue {
    match intent {
        Intent::Forget { .. } => &backend.erasures,
        Intent::Attend { .. } | Intent::Clear { .. } | Intent::React { .. } => &backend.deliveries,
    }
}

/// Handles a batch of messages. An intent that fails for the first time is sent anew with the cause; one that
/// fails again is received again until it is a dead letter. So an event leaves one dead letter at most,
/// however often the tick finds its work undone.
pub(crate) async fn handle_batch<H, F>(backend: &Backend, event: SqsEvent, handle: H) -> SqsBatchResponse
where
    H: Fn(QueuedIntent) -> F,
    F: Future<Output = Result<(), Failure>>,
{
    let handle = &handle;
    queue::each(event, |body| async move {
        let queued: QueuedIntent = serde_json::from_str(&body).map_err(|cause| Failure::broken("read an intent", cause))?;
        let Err(failure) = handle(queued.clone()).await else { return Ok(()) };
        let QueuedIntent { intent, from_tick, cause } = queued;
        if cause.is_some() {
            return Err(failure);
        }
        warn!(stream = %intent.stream(), intent = intent.name(), from_tick, cause = failure.chain(), "could not carry out an intent; it will be tried again");
        if from_tick {
            return Ok(());
        }
        QueuedIntent::failed(intent, &failure).send(backend, RETRY_DELAY).await
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;

    const STREAM: &str = "waitee-01920000-0000-7000-8000-000000000000";

    #[test]
    fn an_intent_is_read_as_it_was_written() {
        let stream = STREAM.parse().unwrap();
        let body = format!(r#"{{"intent":"forget","stream":"{STREAM}"}}"#);
        assert_eq!(QueuedIntent::from(Intent::Forget { stream }).body().unwrap(), body);
        let body = format!(r#"{{"intent":"forget","stream":"{STREAM}","looked":true}}"#);
        assert_eq!(QueuedIntent::from_tick(Intent::Forget { stream }).body().unwrap(), body);
        for intent in [
            Intent::Forget { stream },
            Intent::Attend { stream },
            Intent::Clear { stream },
            Intent::React { stream, seq: 7 },
        ] {
            let failure = Failure::broken("read the stream", "the table does not answer");
            for queued in [
                QueuedIntent::from(intent),
                QueuedIntent::from_tick(intent),
                QueuedIntent::failed(intent, &failure),
            ] {
                assert_eq!(serde_json::from_str::<QueuedIntent>(&queued.body().unwrap()).unwrap(), queued);
            }
        }
        for other in [
            "",
            "{}",
            r#"{"intent":"forget"}"#,
            r#"{"intent":"greet"}"#,
            r#"{"intent":"forget","stream":"waitee-"}"#,
        ] {
            assert!(serde_json::from_str::<QueuedIntent>(other).is_err(), "{other}");
        }
    }

    #[test]
    fn a_long_cause_is_cut() {
        let failure = Failure::broken("say it", "ü".repeat(CAUSE_BYTES_MAX));
        let queued = QueuedIntent::failed(Intent::Attend { stream: STREAM.parse().unwrap() }, &failure);
        assert!(
            queued
                .cause
                .is_some_and(|cause| cause.len() <= CAUSE_BYTES_MAX && cause.starts_with("say it: ü"))
        );
    }
}
