//! The stored text of a commit's events. It is never rewritten, so every version stays readable.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::{Commit, Fact};
use crate::{StreamId, event::DomainEvent};

/// One event in the text of a commit.
#[derive(Serialize, Deserialize)]
pub struct Stored<'a> {
    /// Such as `waitee.joined`.
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
    #[error("events of {stream}@{seq} are no list of events")]
    Text {
        stream: StreamId,
        /// The commit's first seq, or the event's.
        seq: u64,
        #[source]
        cause: serde_json::Error,
    },
    /// Newer code wrote an event of this type or version.
    #[error("{stream}@{seq} holds {kind} v{v}, which this code does not know")]
    Unknown {
        stream: StreamId,
        /// The event's seq.
        seq: u64,
        kind: String,
        v: u32,
    },
    #[error("{stream}@{seq} holds {found} events but claims to end at {last}")]
    Count {
        stream: StreamId,
        /// The commit's first seq.
        seq: u64,
        /// The commit's last seq.
        last: u64,
        /// The number of events in the text.
        found: usize,
    },
}

impl Commit {
    /// The events as stored, not decoded.
    ///
    /// # Errors
    /// The text is no list of events, or of another length than the commit claims.
    pub fn stored(&self) -> Result<Vec<Stored<'_>>, Unreadable> {
        let Self { stream, seq, last, .. } = *self;
        let stored: Vec<Stored<'_>> =
            serde_json::from_str(&self.events).map_err(|cause| Unreadable::Text { stream, seq, cause })?;
        let is_counted =
            last.checked_sub(seq).is_some_and(|others| others.checked_add(1) == Some(stored.len() as u64));
        if !is_counted {
            return Err(Unreadable::Count { stream, seq, last, found: stored.len() });
        }
        Ok(stored)
    }

    /// The events, decoded. An older version is upgraded to the current shape.
    ///
    /// # Errors
    /// The text is no list of events, or holds a type or version this code does not know.
    pub fn facts<E: DomainEvent>(&self) -> Result<Vec<Fact<E>>, Unreadable> {
        let numbered = self.stored()?.into_iter().zip(self.seq..);
        numbered
            .map(|(stored, seq)| {
                let event = decode(self.stream, seq, &stored)?;
                Ok(Fact { stream: self.stream, seq, at: self.at, tenant: self.tenant, event })
            })
            .collect()
    }

    /// The types of the events, each once.
    ///
    /// # Errors
    /// The text is no list of events.
    pub fn types(&self) -> Result<BTreeSet<String>, Unreadable> {
        Ok(self.stored()?.iter().map(|stored| stored.kind.to_owned()).collect())
    }
}

/// Writes the stored text. `serde_json::Value` sorts the keys of `data`, so the bytes do not depend on the
/// order of fields in the code.
pub(super) fn encode<E: DomainEvent>(events: &[E]) -> serde_json::Result<String> {
    #[derive(Serialize)]
    struct Shape {
        #[serde(rename = "type")]
        kind: &'static str,
        v: u32,
        data: serde_json::Value,
    }
    let shape = |event: &E| {
        let (kind, v) = event.stored_type();
        Ok(Shape { kind, v, data: serde_json::to_value(event)? })
    };
    let shapes: Vec<Shape> = events.iter().map(shape).collect::<serde_json::Result<_>>()?;
    serde_json::to_string(&shapes)
}

fn decode<E: DomainEvent>(stream: StreamId, seq: u64, stored: &Stored<'_>) -> Result<E, Unreadable> {
    let Stored { kind, v, data } = *stored;
    E::read(kind, v, data)
        .ok_or_else(|| Unreadable::Unknown { stream, seq, kind: kind.to_owned(), v })?
        .map_err(|cause| Unreadable::Text { stream, seq, cause })
}
