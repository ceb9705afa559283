//! What is to be done because of a fact, as it travels on a queue.

use std::time::Duration;

use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent};
use infra::{Backend, Failure, fault, queue, queue::Queue};
use schema::StreamId;
use serde::{Deserialize, Serialize};
use tracing::warn;

/// How long what failed for the first time is left alone.
const RETRY_DELAY: Duration = Duration::from_secs(10);

/// The longest cause that travels with a message, in bytes.
const CAUSE_BYTES_MAX: usize = 2_000;

/// What is to be done. It names streams and holds nothing personal: what exactly there is to do, the log says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "intent", rename_all = "kebab-case")]
pub enum Intent {
    /// Forget the account or guest whose stream this is.
    Forget {
        /// The stream.
        stream: StreamId,
    },
    /// Do what is due about an account or a visit: messages, a hold that ran out, a visit that lasted too long.
    Attend {
        /// Its stream.
        stream: StreamId,
    },
    /// Take a party off the board of a list that is gone.
    Clear {
        /// The stream of its visit.
        stream: StreamId,
    },
    /// See once more what follows from a commit that could not be understood.
    React {
        /// The stream it stands in.
        stream: StreamId,
        /// Number of its first event.
        seq: u64,
    },
}

impl Intent {
    /// Whom it concerns.
    #[must_use]
    pub fn stream(self) -> StreamId {
        match self {
            Self::Forget { stream }
            | Self::Attend { stream }
            | Self::Clear { stream }
            | Self::React { stream, .. } => stream,
        }
    }

    /// What is to be done, in the word that travels.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Forget { .. } => "forget",
            Self::Attend { .. } => "attend",
            Self::Clear { .. } => "clear",
            Self::React { .. } => "react",
        }
    }
}

/// An intent on a queue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Errand {
    /// What is to be done.
    #[serde(flatten)]
    pub intent: Intent,
    /// Whether the minute's look found it: then the next one finds it again for as long as it is not done, and what fails need not
    /// be kept.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub looked: bool,
    /// Why it was not carried out the first time, for the person who finds it among the dead letters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<String>,
}

impl From<Intent> for Errand {
    fn from(intent: Intent) -> Self {
        Self { intent, looked: false, cause: None }
    }
}

impl Errand {
    /// What the minute's look found.
    pub(crate) fn looked(intent: Intent) -> Self {
        Self { looked: true, ..intent.into() }
    }

    /// An intent that failed.
    pub(crate) fn failed(intent: Intent, failure: &Failure) -> Self {
        let mut cause = failure.chain();
        cause.truncate(cause.floor_char_boundary(CAUSE_BYTES_MAX));
        Self { cause: Some(cause), ..intent.into() }
    }

    /// The same, of something else that is to be done instead.
    pub(crate) fn instead(&self, intent: Intent) -> Self {
        Self { intent, looked: self.looked, cause: None }
    }

    /// The body of a message.
    ///
    /// # Errors
    /// Never, in practice.
    pub fn body(&self) -> Result<String, Failure> {
        serde_json::to_string(self).map_err(|cause| Failure::broken("write an intent", cause))
    }

    /// Puts it on the queue of those who do such things, for when `delay` has passed.
    ///
    /// # Errors
    /// The queue did not answer: it may hold the message or not.
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

/// Works off a batch of messages. What fails for the first time is sent anew with its cause; what fails again comes again until
/// it is a dead letter, and says there why. So each fact leaves one dead letter at most, however often a look finds it undone.
pub(crate) async fn work<H, F>(backend: &Backend, event: SqsEvent, handle: H) -> SqsBatchResponse
where
    H: Fn(Errand) -> F,
    F: Future<Output = Result<(), Failure>>,
{
    let handle = &handle;
    queue::each(event, |body| async move {
        let errand: Errand = serde_json::from_str(&body).map_err(|cause| Failure::broken("read an intent", cause))?;
        let Err(failure) = handle(errand.clone()).await else { return Ok(()) };
        let Errand { intent, looked, cause } = errand;
        if cause.is_some() {
            return Err(failure);
        }
        warn!(stream = %intent.stream(), intent = intent.name(), looked, cause = failure.chain(), "not carried out yet");
        if looked {
            return Ok(());
        }
        Errand::failed(intent, &failure).send(backend, RETRY_DELAY).await
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
        assert_eq!(Errand::from(Intent::Forget { stream }).body().unwrap(), body);
        for intent in [
            Intent::Forget { stream },
            Intent::Attend { stream },
            Intent::Clear { stream },
            Intent::React { stream, seq: 7 },
        ] {
            let failure = Failure::broken("look", "the table does not answer");
            for errand in [Errand::from(intent), Errand::looked(intent), Errand::failed(intent, &failure)] {
                assert_eq!(serde_json::from_str::<Errand>(&errand.body().unwrap()).unwrap(), errand);
            }
        }
        for other in [
            "",
            "{}",
            r#"{"intent":"forget"}"#,
            r#"{"intent":"greet"}"#,
            r#"{"intent":"forget","stream":"waitee-"}"#,
        ] {
            assert!(serde_json::from_str::<Errand>(other).is_err(), "{other}");
        }
    }

    #[test]
    fn a_long_cause_is_cut() {
        let failure = Failure::broken("say it", "ü".repeat(CAUSE_BYTES_MAX));
        let errand = Errand::failed(Intent::Attend { stream: STREAM.parse().unwrap() }, &failure);
        assert!(
            errand
                .cause
                .is_some_and(|cause| cause.len() <= CAUSE_BYTES_MAX && cause.starts_with("say it: ü"))
        );
    }
}
