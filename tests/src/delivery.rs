//! Who sends messages, on a stage: into an outbox of the test's own.

use aws_config::SdkConfig;
use aws_lambda_events::sqs::{SqsEvent, SqsMessage};
use infra::{
    Backend,
    messenger::{Entry, MailSettings, MessengerConfig, Messengers, Outbox, SEND_TIMEOUT},
    queue::RECEIVE_MAX,
};
use reactors::{
    delivery::Deliver,
    reactor::Reactor,
    tick::{Looked, Tick},
};
use schema::{Commit, StreamId};
use serde_json::json;
use tempfile::TempDir;

use crate::{
    carrier::{Carrier, FROM},
    events::stream_event,
    stage::Stage,
};

/// Sends a test makes in a second at most.
const SENDS_PER_SECOND: u32 = 1_000;

/// Looks at a queue that keeps filling.
const LOOKS_MAX: usize = 100;

/// An outbox, and those who fill it. Mails may go to a carrier instead.
pub struct Post {
    directory: TempDir,
    backend: Backend,
    mails: Option<(Carrier, SdkConfig)>,
}

impl Post {
    /// The post of this stage.
    #[must_use]
    pub fn new(stage: &Stage) -> Self {
        Self { directory: tempfile::tempdir().unwrap(), backend: stage.another(), mails: None }
    }

    /// The post of this stage; mails go to this carrier.
    pub async fn by(stage: &Stage, carrier: Carrier) -> Self {
        let sdk = carrier.sdk().await;
        Self { mails: Some((carrier, sdk)), ..Self::new(stage) }
    }

    /// One who sends messages, as a process of their own.
    #[must_use]
    pub fn deliver(&self, stage: &Stage) -> Deliver {
        self.deliver_over(stage.another())
    }

    /// The same, over a backend of the test's choice.
    #[must_use]
    pub fn deliver_over(&self, backend: Backend) -> Deliver {
        let messengers = self.messengers();
        Deliver::new(backend, messengers)
    }

    /// Messengers that send into the outbox, or to the carrier.
    #[must_use]
    pub fn messengers(&self) -> Messengers {
        // What goes into an outbox needs no network, so any configuration of the SDK will do.
        let sdk = self.mails.as_ref().map_or_else(|| SdkConfig::builder().build(), |(_, sdk)| sdk.clone());
        let config = MessengerConfig {
            mail: self.mails.as_ref().map(|_| MailSettings { from: FROM.into(), configuration_set: None }),
            texts: None,
            outbox: self.directory.path().to_owned(),
            sends_per_second: SENDS_PER_SECOND,
            timeout: SEND_TIMEOUT,
        };
        Messengers::new(&sdk, &config, self.backend.clock.clone())
    }

    /// One who sends by way of this carrier.
    pub async fn deliver_by(&self, carrier: &Carrier) -> Deliver {
        Deliver::new(self.backend.clone(), carrier.messengers(None, self.backend.clock.clone()).await)
    }

    /// All that was sent, the oldest first.
    #[must_use]
    pub fn sent(&self) -> Vec<Entry> {
        Outbox::new(self.directory.path().to_owned(), self.backend.clock.clone()).entries().unwrap()
    }

    /// What was sent about somebody.
    #[must_use]
    pub fn sent_about(&self, stream: impl Into<StreamId>) -> Vec<Entry> {
        let stream = stream.into().to_string();
        self.sent().into_iter().filter(|entry| entry.stream == stream).collect()
    }

    /// The names of the messages about somebody that are in the outbox or with the carrier, each as often as it was sent.
    #[must_use]
    pub fn messages_about(&self, stream: StreamId) -> Vec<String> {
        let taken = self.mails.iter().flat_map(|(carrier, _)| carrier.taken());
        let carried = taken.filter(|(about, _)| *about == stream.to_string()).map(|(_, message)| message);
        self.sent_about(stream).into_iter().map(|entry| entry.message).chain(carried).collect()
    }

    /// The stream tells the reactor of these commits, by their keys alone.
    pub async fn announce(&self, commits: &[Commit]) {
        let keys = |commit: &Commit| json!({ "stream": { "S": commit.stream.to_string() }, "seq": { "N": commit.seq.to_string() } });
        let event =
            serde_json::from_value(stream_event(&commits.iter().map(keys).collect::<Vec<_>>())).unwrap();
        let answer = Reactor::new(self.backend.clone()).records(event).await;
        assert!(answer.batch_item_failures.is_empty(), "{answer:?}");
    }

    /// The minute's look.
    pub async fn look(&self) -> Looked {
        Tick::new(self.backend.clone()).look().await.unwrap()
    }

    /// Works the queue off, until nothing on it is due any more. How many messages that were.
    pub async fn work_off(&self, deliver: &Deliver) -> usize {
        let worked_off = self.work_off_some(deliver, LOOKS_MAX * RECEIVE_MAX).await;
        assert!(worked_off < LOOKS_MAX * RECEIVE_MAX, "the queue does not end");
        worked_off
    }

    /// The same, until it were so many.
    pub async fn work_off_some(&self, deliver: &Deliver, most: usize) -> usize {
        let mut worked_off = 0;
        while worked_off < most {
            let messages = self.backend.deliveries.receive(RECEIVE_MAX).await.unwrap();
            if messages.is_empty() {
                return worked_off;
            }
            worked_off += messages.len();
            let mut event = SqsEvent::default();
            for message in &messages {
                let mut record = SqsMessage::default();
                record.message_id = Some(message.id.clone());
                record.body = Some(message.body.clone());
                event.records.push(record);
            }
            let failed = deliver.messages(event).await.batch_item_failures;
            for message in &messages {
                if !failed.iter().any(|failure| failure.item_identifier == message.id) {
                    self.backend.deliveries.delete(&message.receipt).await.unwrap();
                }
            }
        }
        worked_off
    }
}
