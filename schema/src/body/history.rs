//! The answers that show a stream's history.

use std::fmt;

use schemars::JsonSchema;
use serde::Serialize;
use uuid::Uuid;

use crate::{
    Actor, StreamId, Time, event::DomainEvent as _, id::Category, mail, projection, reading, session, user,
    waitee, waitlist,
};

/// An event of the log, its sealed fields opened.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Event {
    #[schemars(with = "StreamId")]
    pub stream: String,
    pub seq: u64,
    /// One of the known types. An event that was altered in the log is shown with the text that is stored.
    #[serde(rename = "type")]
    #[schemars(extend("anyOf" = [{ "enum": event_types() }, { "minLength": 0 }]))]
    pub kind: String,
    pub v: u32,
    pub at: Time,
    #[schemars(with = "Actor")]
    pub actor: String,
    pub commit: Uuid,
    pub correlation: String,
    pub causation: Option<String>,
    /// The details of the event, by its type. Personal data is in clear; it is null once it is erased.
    pub data: serde_json::Value,
}

/// A page of a stream's history, with the state of its hash chain.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct History {
    pub items: Vec<Event>,
    pub next: Option<String>,
    pub verified: Verified,
}

/// A page of an account's history.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Audit {
    pub items: Vec<Event>,
    pub next: Option<String>,
    /// Once all pages are read, no event before this time is missing. Later ones may be.
    pub complete_until: Time,
}

/// The state of a stream's hash chain; `seq` and `why` name the first commit that breaks it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Verified {
    pub ok: bool,
    pub seq: Option<u64>,
    pub why: Option<String>,
}

/// A page of the verification of an account, a list or a stream.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Verification {
    pub ok: bool,
    /// Streams whose end this page reached.
    pub streams: u64,
    /// Commits that this page read.
    pub commits: u64,
    pub first_bad: Option<Bad>,
    pub next: Option<String>,
}

/// A commit that breaks the chain of its stream.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Bad {
    pub stream: String,
    pub seq: u64,
    pub why: String,
}

/// A line for a person. A stream's name is what the key holds, which may be anything.
impl fmt::Display for Bad {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { stream, seq, why } = self;
        write!(f, "{}@{seq}: the commit", stream.escape_debug())?;
        match why.strip_prefix("its ") {
            Some(why) => write!(f, "'s {why}"),
            None => write!(f, " {why}"),
        }
    }
}

/// The types of all events.
#[must_use]
pub fn event_types() -> Vec<&'static str> {
    let types = |category| match category {
        Category::User => user::Event::TYPES,
        Category::Mail => mail::Event::TYPES,
        Category::Session => session::Event::TYPES,
        Category::Waitlist => waitlist::Event::TYPES,
        Category::Waitee => waitee::Event::TYPES,
        Category::Access => reading::Event::TYPES,
        Category::Projection => projection::Event::TYPES,
    };
    Category::ALL.into_iter().flat_map(types).map(|(kind, _)| *kind).collect()
}
