//! Commits: the 1 to n events that one command produced in one stream.
//!
//! A commit is stored as one item, costs one conditional write and arrives as one stream record. It holds the
//! hash of its predecessor, which reveals altered streams.

mod bytes;
mod chain;
mod derived;
mod events;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

pub use self::{
    bytes::{Bytes, Hash, Tag},
    chain::{Broken, Chain, RawCommit, Tail},
    derived::{Derived, is_audited, month},
    events::{Stored, Unreadable},
};
use crate::{Actor, StreamId, Time, UserId, event::DomainEvent};

/// The part of a commit that the caller provides. Numbers, time and hashes come from the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Author {
    /// The account that the data belongs to.
    pub tenant: UserId,
    pub actor: Actor,
    /// Present when the client sent an idempotency key.
    pub command: Option<CommandId>,
    /// The request id.
    pub correlation: String,
    /// The event that caused this one: `stream@seq`.
    pub causation: Option<String>,
}

/// The longest request id that is kept with a commit, in bytes.
const CORRELATION_BYTES_MAX: usize = 36;

/// The part of a request id that commits keep.
#[must_use]
pub fn correlation_of(request_id: &str) -> &str {
    &request_id[..request_id.floor_char_boundary(CORRELATION_BYTES_MAX)]
}

/// Identifies a command, so that its repetition is recognised.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CommandId {
    /// Hash of the idempotency key.
    pub key: Tag,
    /// MAC of the request's content under the subject's key; `None` if that key is deleted, and then `key`
    /// alone identifies.
    pub request: Option<Tag>,
}

/// A stored commit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Commit {
    pub stream: StreamId,
    /// Number of its first event, from 1.
    pub seq: u64,
    /// Number of its last event; the next commit starts at `last + 1`.
    pub last: u64,
    /// UUIDv7 whose milliseconds are `at`.
    pub commit: Uuid,
    /// The time of the decision; later than the stream's previous commit.
    pub at: Time,
    pub actor: Actor,
    /// The account that the data belongs to.
    pub tenant: UserId,
    /// Hash of the idempotency key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command: Option<Tag>,
    /// MAC of the request's content.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<Tag>,
    /// The request id.
    pub correlation: String,
    /// The event that caused this commit: `stream@seq`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub causation: Option<String>,
    /// The JSON text `[{ type, v, data }]`: exactly the bytes that are hashed.
    pub events: String,
    /// The hash of the previous commit; zeros for the first.
    pub prev: Hash,
    /// SHA-256 over `prev` and the fields above.
    pub hash: Hash,
}

/// One event, with its place in the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fact<E> {
    pub stream: StreamId,
    /// The event's number in the stream.
    pub seq: u64,
    /// The time of the decision.
    pub at: Time,
    /// The account that the data belongs to.
    pub tenant: UserId,
    pub event: E,
}

impl Commit {
    /// Makes the commit that follows `tail`. The caller provides the id, whose milliseconds are `at`.
    ///
    /// # Errors
    /// An event cannot be written as JSON.
    pub fn new<E: DomainEvent>(
        stream: StreamId,
        tail: &Tail,
        at: Time,
        id: Uuid,
        author: &Author,
        events: &[E],
    ) -> Result<Self, serde_json::Error> {
        let mut commit = Self {
            stream,
            seq: tail.seq + 1,
            last: tail.seq + events.len() as u64,
            commit: id,
            at,
            actor: author.actor,
            tenant: author.tenant,
            command: author.command.map(|c| c.key),
            request: author.command.and_then(|c| c.request),
            correlation: author.correlation.clone(),
            causation: author.causation.clone(),
            events: events::encode(events)?,
            prev: tail.hash,
            hash: Bytes([0; 32]),
        };
        commit.hash = commit.compute_hash();
        Ok(commit)
    }

    /// The end of the stream after this commit.
    #[must_use]
    pub fn tail(&self) -> Tail {
        Tail { seq: self.last, at: Some(self.at), hash: self.hash }
    }

    /// The hash that this commit's content must have.
    #[must_use]
    pub fn compute_hash(&self) -> Hash {
        let (seq, last) = (self.seq.to_be_bytes(), self.last.to_be_bytes());
        let (stream, at, actor) = (self.stream.to_string(), self.at.to_string(), self.actor.to_string());
        let fields: [Option<&[u8]>; 12] = [
            Some(stream.as_bytes()),
            Some(&seq),
            Some(&last),
            Some(self.commit.as_bytes()),
            Some(at.as_bytes()),
            Some(actor.as_bytes()),
            Some(self.tenant.0.as_bytes()),
            self.command.as_ref().map(|tag| tag.0.as_slice()),
            self.request.as_ref().map(|tag| tag.0.as_slice()),
            Some(self.correlation.as_bytes()),
            self.causation.as_ref().map(|text| text.as_bytes()),
            Some(self.events.as_bytes()),
        ];
        let mut sha = Sha256::new();
        sha.update(self.prev.0);
        for field in fields {
            // An absent field has a length that no field can have, so it differs from an empty one.
            sha.update(field.map_or(u32::MAX, |bytes| bytes.len() as u32).to_be_bytes());
            sha.update(field.unwrap_or_default());
        }
        Bytes(sha.finalize().into())
    }

    /// Whether the milliseconds of its id are its time.
    #[must_use]
    pub fn id_carries_time(&self) -> bool {
        const RANDOM_BITS: u32 = 80;
        i64::try_from(self.commit.as_u128() >> RANDOM_BITS).is_ok_and(|ms| ms == self.at.millis().max(0))
    }

    /// Whether event `seq` of the stream is in this commit.
    #[must_use]
    pub fn holds(&self, seq: u64) -> bool {
        (self.seq..=self.last).contains(&seq)
    }

    /// Author for a commit caused by event `seq` of this one; keeps the original request's correlation id.
    #[must_use]
    pub fn as_cause(&self, seq: u64, actor: Actor) -> Author {
        Author {
            tenant: self.tenant,
            actor,
            command: None,
            correlation: self.correlation.clone(),
            causation: Some(format!("{}@{seq}", self.stream)),
        }
    }
}

#[cfg(test)]
mod tests;
