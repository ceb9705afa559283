//! Runs reactor, tick and deliver in a test, with an outbox directory of the test.

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
    tick::{Report, Tick},
};
use schema::{Commit, StreamId};
use serde_json::json;
use tempfile::TempDir;

use crate::{
    carrier::{Carrier, FROM},
    events::stream_event,
    stage::Stage,
};

/// The sending rate in tests: high, so that no test waits for its turn.
const SENDS_PER_SECOND: u32 = 1_000;

/// The most receives before a test gives up on a queue that never becomes empty.
const RECEIVES_MAX: usize = 100;

/// The senders of a test's messages, and their outbox. Mails may go to a simulated carrier instead.
pub struct Post {
    directory: TempDir,
    backend: Backend,
    mails: Option<(Carrier, SdkConfig)>,
}

impl Post {
    /// Sends all messages of the stage to an outbox.
    #[must_use]
    pub fn new(stage: &Stage) -> Self {
        Self { directory: tempfile::tempdir().unwrap(), backend: stage.another(), mails: None }
    }

    /// Sends texts to an outbox and mails to the carrier.
    pub async fn by(stage: &Stage, carrier: Carrier) -> Self {
        let sdk = carrier.sdk().await;
        Self { mails: Some((carrier, sdk)), ..Self::new(stage) }
    }

    /// Returns a new deliver process.
    #[must_use]
    pub fn deliver(&self, stage: &Stage) -> Deliver {
        self.deliver_over(stage.another())
    }

    /// Returns a deliver process on this backend.
    #[must_use]
    pub fn deliver_over(&self, backend: Backend) -> Deliver {
        let messengers = self.messengers();
        Deliver::new(backend, messengers)
    }

    /// Returns messengers that send to the outbox or the carrier.
    #[must_use]
    pub fn messengers(&self) -> Messengers {
        // An outbox needs no network, so any SDK configuration serves.
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

    /// Returns a deliver process that sends mails and texts to this carrier.
    pub async fn deliver_by(&self, carrier: &Carrier) -> Deliver {
        Deliver::new(self.backend.clone(), carrier.messengers(None, self.backend.clock.clone()).await)
    }

    /// Returns all messages in the outbox, oldest first.
    #[must_use]
    pub fn sent(&self) -> Vec<Entry> {
        Outbox::new(self.directory.path().to_owned(), self.backend.clock.clone()).entries().unwrap()
    }

    /// Returns the messages in the outbox about a visit or account.
    #[must_use]
    pub fn sent_about(&self, stream: impl Into<StreamId>) -> Vec<Entry> {
        let stream = stream.into().to_string();
        self.sent().into_iter().filter(|entry| entry.stream == stream).collect()
    }

    /// Returns the names of the sent messages about a stream, in the outbox and at the carrier, one for each
    /// send.
    #[must_use]
    pub fn messages_about(&self, stream: StreamId) -> Vec<String> {
        let taken = self.mails.iter().flat_map(|(carrier, _)| carrier.taken());
        let carried = taken.filter(|(about, _)| *about == stream.to_string()).map(|(_, message)| message);
        self.sent_about(stream).into_iter().map(|entry| entry.message).chain(carried).collect()
    }

    /// Calls the reactor with stream records of these commits, which hold only the keys.
    pub async fn announce(&self, commits: &[Commit]) {
        let keys = |commit: &Commit| json!({ "stream": { "S": commit.stream.to_string() }, "seq": { "N": commit.seq.to_string() } });
        let event =
            serde_json::from_value(stream_event(&commits.iter().map(keys).collect::<Vec<_>>())).unwrap();
        let answer = Reactor::new(self.backend.clone()).records(event).await;
        assert!(answer.batch_item_failures.is_empty(), "{answer:?}");
    }

    /// Runs the tick once.
    pub async fn tick(&self) -> Report {
        Tick::new(self.backend.clone()).look().await.unwrap()
    }

    /// Delivers messages from the queue until none is due. Returns their number.
    pub async fn work_off(&self, deliver: &Deliver) -> usize {
        let worked_off = self.work_off_some(deliver, RECEIVES_MAX * RECEIVE_MAX).await;
        assert!(worked_off < RECEIVES_MAX * RECEIVE_MAX, "the queue does not end");
        worked_off
    }

    /// Like [`Post::work_off`], but stops after `most` messages.
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
