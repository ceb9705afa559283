//! The reactor: turns records of the events table's stream into intents on queues.
//!
//! An intent is on its queue before its record is done with, so none is lost; it may be there twice, and who carries it out
//! bears that.

use aws_lambda_events::{dynamodb::Event, streams::DynamoDbEventResponse};
use infra::{
    Backend, Failure, fault,
    stream::{Announced, INSERT, answer, read},
};
use schema::{Commit, commit::Unreadable, id::Category};
use tracing::{error, info, warn};

use crate::{erasure, intent::Intent};

/// The name of the consumer, in checkpoints.
pub const CONSUMER: &str = "reactor";

/// The types of events that anything follows from: all that the stream's filter has to let through.
pub const TYPES: [&str; 2] = erasure::TYPES;

/// The handler of the reactor lambda.
#[derive(Clone)]
pub struct Reactor {
    backend: Backend,
}

impl Reactor {
    /// A reactor that puts intents on this backend's queues.
    #[must_use]
    pub fn new(backend: Backend) -> Self {
        Self { backend }
    }

    /// Handles a batch of stream records. When an intent cannot be put on its queue, the batch comes again from there on; what
    /// was altered or removed in the log is the projector's to raise the alarm about.
    pub async fn records(&self, event: Event) -> DynamoDbEventResponse {
        let inserted = event.records.into_iter().filter(|record| record.event_name == INSERT);
        for announced in inserted.filter_map(read) {
            if let Err(failure) = self.settle(&announced).await {
                error!(stream = %announced.stream, seq = announced.seq, cause = failure.chain(), "nothing followed from it yet");
                return answer(vec![announced.record]);
            }
        }
        answer(Vec::new())
    }

    async fn settle(&self, announced: &Announced) -> Result<(), Failure> {
        let Announced { stream, seq, commit, .. } = announced;
        let commit = match commit {
            Some(commit) => commit.clone(),
            None => match self.look_up(announced).await? {
                Some(commit) => commit,
                None => {
                    warn!(%stream, seq, "a record of what is not in the log");
                    return Ok(());
                }
            },
        };
        let intents = react(&commit).map_err(|cause| Failure::broken(format!("react to {stream}@{seq}"), cause))?;
        for intent in intents {
            fault::point("reactor.send");
            intent.send(&self.backend).await?;
            fault::point("reactor.sent");
            info!(?intent, "sent");
        }
        Ok(())
    }

    /// The commit itself, when its record did not bring it.
    async fn look_up(&self, announced: &Announced) -> Result<Option<Commit>, Failure> {
        let (found, _) = self.backend.log.some_after(announced.stream, announced.seq.saturating_sub(1), 1).await?;
        Ok(found.into_iter().find(|commit| commit.seq == announced.seq))
    }
}

/// What follows from a commit. Only the events that something follows from need be understood.
fn react(commit: &Commit) -> Result<Vec<Intent>, Unreadable> {
    Ok(match commit.stream.category {
        Category::User => commit.facts_of(&TYPES)?.iter().flat_map(erasure::react::to_account).collect(),
        Category::Waitee => commit.facts_of(&TYPES)?.iter().flat_map(erasure::react::to_visit).collect(),
        Category::Session | Category::Waitlist => Vec::new(),
    })
}
