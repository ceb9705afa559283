//! The unit of the event log: a commit is the one to several events that one command produced in one stream.
//!
//! It is stored as one item, costs one conditional write, and arrives on the stream as one record. Each commit hashes the
//! one before it, so that a stream cannot be altered without the alteration showing.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::value::RawValue;
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use crate::{Actor, StreamId, Time, UserId, id::Category};

/// What can happen in one category of streams.
pub trait DomainEvent: Serialize + DeserializeOwned + Clone + Send + Sync + 'static {
    /// The category of streams these events stand in.
    const CATEGORY: Category;

    /// Every type with its current version.
    const TYPES: &'static [(&'static str, u32)];

    /// The type as it is stored: `waitee.joined`. A stored name is a promise; it never changes.
    fn type_name(&self) -> &'static str;
}

/// Sixteen or thirty-two bytes, stored as binary.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Bytes<const N: usize>(pub [u8; N]);

/// A full SHA-256.
pub type Hash = Bytes<32>;
/// The first half of a SHA-256 or HMAC: enough to tell one from another, small enough to store with every commit.
pub type Tag = Bytes<16>;

impl Tag {
    /// The tag of some parts; where one ends and the next begins counts.
    #[must_use]
    pub fn of(parts: &[&[u8]]) -> Self {
        let mut sha = Sha256::new();
        for part in parts {
            sha.update((part.len() as u64).to_be_bytes());
            sha.update(part);
        }
        let digest: [u8; 32] = sha.finalize().into();
        let mut tag = [0; 16];
        tag.copy_from_slice(&digest[..16]);
        Bytes(tag)
    }
}

/// What a writer has to say about a commit; numbers, time and hashes come from the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Author {
    /// The account the data belongs to.
    pub tenant: UserId,
    /// Who caused it.
    pub actor: Actor,
    /// The command it answers, when the client named it.
    pub command: Option<CommandId>,
    /// The request id.
    pub correlation: String,
    /// The event that caused this one: `stream@seq`.
    pub causation: Option<String>,
}

/// How a repeated command is recognised.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CommandId {
    /// Hash of the idempotency key.
    pub key: Tag,
    /// MAC of the request's content under the subject's key; absent when that key is gone, then `key` alone decides.
    pub request: Option<Tag>,
}

/// A commit, as it is stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Commit {
    /// The stream it stands in.
    pub stream: StreamId,
    /// Number of its first event, from 1.
    pub seq: u64,
    /// Number of its last event; the next commit starts behind it.
    pub last: u64,
    /// Its own id, a UUIDv7 whose milliseconds are `at`.
    pub commit: Uuid,
    /// When it was decided; later than the stream's previous commit.
    pub at: Time,
    /// Who caused it.
    pub actor: Actor,
    /// The account the data belongs to.
    pub tenant: UserId,
    /// Hash of the idempotency key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command: Option<Tag>,
    /// MAC of the request's content.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<Tag>,
    /// The request id.
    pub correlation: String,
    /// The event that caused this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub causation: Option<String>,
    /// JSON text of `[{ type, v, data }]`: exactly the bytes that are hashed.
    pub events: String,
    /// The hash of the commit before; zeros for the first.
    pub prev: Hash,
    /// SHA-256 over `prev` and the fields above.
    pub hash: Hash,
}

/// One event, with where and when it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fact<E> {
    /// The stream.
    pub stream: StreamId,
    /// Its number in the stream.
    pub seq: u64,
    /// When it was decided.
    pub at: Time,
    /// The account the data belongs to.
    pub tenant: UserId,
    /// What happened.
    pub event: E,
}

/// One event of a commit as it stands in the text.
#[derive(Serialize, Deserialize)]
pub struct Stored<'a> {
    /// `waitee.joined`
    #[serde(rename = "type")]
    pub kind: &'a str,
    /// Version of the shape of `data`.
    pub v: u32,
    /// The event's own fields.
    #[serde(borrow)]
    pub data: &'a RawValue,
}

/// A stored commit that this code cannot read.
#[derive(Debug, thiserror::Error)]
pub enum Unreadable {
    /// The text is no list of events.
    #[error("events of {stream}@{seq} are no list of events")]
    Text {
        /// The stream.
        stream: StreamId,
        /// The commit's first seq.
        seq: u64,
        /// What the parser says.
        #[source]
        cause: serde_json::Error,
    },
    /// An event of a type or version that newer code wrote.
    #[error("{stream}@{seq} holds {kind} v{v}, which this code does not know")]
    Unknown {
        /// The stream.
        stream: StreamId,
        /// The event's seq.
        seq: u64,
        /// Its type.
        kind: String,
        /// Its version.
        v: u32,
    },
    /// The numbers of the commit do not fit its events.
    #[error("{stream}@{seq} holds {found} events but claims to end at {last}")]
    Count {
        /// The stream.
        stream: StreamId,
        /// The commit's first seq.
        seq: u64,
        /// The commit's last seq.
        last: u64,
        /// How many events there are.
        found: usize,
    },
}

/// Why a chain of commits does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Broken {
    /// It does not start where the one before ended.
    #[error("does not follow the commit before it")]
    Gap,
    /// It does not name the hash of the one before.
    #[error("does not carry the hash of the commit before it")]
    Link,
    /// Its content is not what was hashed.
    #[error("its content does not match its hash")]
    Content,
    /// It is not later than the one before.
    #[error("is not later than the commit before it")]
    Time,
}

/// The end of a stream: what the next commit must fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tail {
    /// Number of the last event; 0 for an empty stream.
    pub seq: u64,
    /// When the last commit was decided.
    pub at: Option<Time>,
    /// Hash of the last commit; zeros for an empty stream.
    pub hash: Hash,
}

impl Tail {
    /// The end of a stream in which nothing happened yet.
    pub const EMPTY: Self = Self { seq: 0, at: None, hash: Bytes([0; 32]) };

    /// The time of a commit made now: the clock's, but later than the stream's last commit.
    #[must_use]
    pub fn now(&self, clock: Time) -> Time {
        self.at.map_or(clock, |last| clock.max(last.plus_millis(1)))
    }

    /// Whether this commit follows here, unaltered.
    ///
    /// # Errors
    /// What does not fit.
    pub fn follow(&self, commit: &Commit) -> Result<Self, Broken> {
        if commit.seq != self.seq + 1 || commit.last < commit.seq {
            return Err(Broken::Gap);
        }
        if commit.prev != self.hash {
            return Err(Broken::Link);
        }
        if commit.compute_hash() != commit.hash {
            return Err(Broken::Content);
        }
        if self.at.is_some_and(|at| commit.at <= at) {
            return Err(Broken::Time);
        }
        Ok(commit.tail())
    }
}

impl Commit {
    /// Chains events behind `tail`. The id's milliseconds are `at`; its randomness comes from the caller.
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
            events: encode(events)?,
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

    /// The hash that this commit's content demands.
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
            // An absent field is told from an empty one by a length that no field can have.
            sha.update(field.map_or(u32::MAX, |bytes| bytes.len() as u32).to_be_bytes());
            sha.update(field.unwrap_or_default());
        }
        Bytes(sha.finalize().into())
    }

    /// Whether event `seq` of its stream is one of its own.
    #[must_use]
    pub fn holds(&self, seq: u64) -> bool {
        (self.seq..=self.last).contains(&seq)
    }

    /// Who writes because of one of its events, in the name of the request that led to it.
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

    /// The events as stored, not yet understood.
    ///
    /// # Errors
    /// The text is no list of events, or not as many as the commit claims.
    pub fn stored(&self) -> Result<Vec<Stored<'_>>, Unreadable> {
        let Self { stream, seq, last, .. } = *self;
        let stored: Vec<Stored<'_>> =
            serde_json::from_str(&self.events).map_err(|cause| Unreadable::Text { stream, seq, cause })?;
        if stored.is_empty() || stored.len() as u64 != last + 1 - seq {
            return Err(Unreadable::Count { stream, seq, last, found: stored.len() });
        }
        Ok(stored)
    }

    /// The events, understood.
    ///
    /// # Errors
    /// The text is no list of events, or holds a type or version this code does not know.
    pub fn facts<E: DomainEvent>(&self) -> Result<Vec<Fact<E>>, Unreadable> {
        self.facts_where(|_| true)
    }

    /// The events of these types, understood. Whether the others could be is not asked.
    ///
    /// # Errors
    /// As [`Commit::facts`].
    pub fn facts_of<E: DomainEvent>(&self, types: &[&str]) -> Result<Vec<Fact<E>>, Unreadable> {
        self.facts_where(|kind| types.contains(&kind))
    }

    fn facts_where<E: DomainEvent>(&self, wanted: impl Fn(&str) -> bool) -> Result<Vec<Fact<E>>, Unreadable> {
        let numbered = self.stored()?.into_iter().zip(self.seq..).filter(|(stored, _)| wanted(stored.kind));
        numbered
            .map(|(stored, seq)| {
                Ok(Fact {
                    stream: self.stream,
                    seq,
                    at: self.at,
                    tenant: self.tenant,
                    event: decode(self.stream, seq, &stored)?,
                })
            })
            .collect()
    }

    /// The types of its events, each once.
    ///
    /// # Errors
    /// The text is no list of events.
    pub fn types(&self) -> Result<BTreeSet<String>, Unreadable> {
        Ok(self.stored()?.iter().map(|stored| stored.kind.to_owned()).collect())
    }
}

fn encode<E: DomainEvent>(events: &[E]) -> Result<String, serde_json::Error> {
    #[derive(Serialize)]
    struct Shape<'a> {
        #[serde(rename = "type")]
        kind: &'a str,
        v: u32,
        data: serde_json::Value,
    }
    let shapes: Vec<Shape<'_>> = events
        .iter()
        .map(|event| {
            let kind = event.type_name();
            let v = E::TYPES.iter().find(|(name, _)| *name == kind).map_or(1, |(_, v)| *v);
            let data =
                serde_json::to_value(event)?.get_mut("data").map(serde_json::Value::take).unwrap_or_default();
            Ok(Shape { kind, v, data })
        })
        .collect::<Result<_, serde_json::Error>>()?;
    serde_json::to_string(&shapes)
}

/// Reads one stored event. An older version is brought up here, before it is understood; there is none yet.
fn decode<E: DomainEvent>(stream: StreamId, seq: u64, stored: &Stored<'_>) -> Result<E, Unreadable> {
    if !E::TYPES.contains(&(stored.kind, stored.v)) {
        return Err(Unreadable::Unknown { stream, seq, kind: stored.kind.to_owned(), v: stored.v });
    }
    let tagged = serde_json::json!({ "type": stored.kind, "data": stored.data });
    serde_json::from_value(tagged).map_err(|cause| Unreadable::Text { stream, seq, cause })
}

impl<const N: usize> std::fmt::Debug for Bytes<N> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&data_encoding::HEXLOWER.encode(&self.0))
    }
}

impl<const N: usize> Serialize for Bytes<N> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&self.0)
    }
}

impl<'de, const N: usize> Deserialize<'de> for Bytes<N> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor<const N: usize>;

        impl<const N: usize> serde::de::Visitor<'_> for Visitor<N> {
            type Value = Bytes<N>;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, "{N} bytes")
            }

            fn visit_bytes<E: serde::de::Error>(self, bytes: &[u8]) -> Result<Bytes<N>, E> {
                bytes.try_into().map(Bytes).map_err(|_| E::invalid_length(bytes.len(), &self))
            }
        }

        deserializer.deserialize_bytes(Visitor)
    }
}

#[cfg(test)]
mod tests;
