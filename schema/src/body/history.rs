//! The answers that show a stream's history.

use serde::Serialize;
use uuid::Uuid;

use crate::Time;

/// An event of the log, its sealed fields opened.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Event {
    pub stream: String,
    pub seq: u64,
    #[serde(rename = "type")]
    pub kind: String,
    pub v: u32,
    pub at: Time,
    pub actor: String,
    pub commit: Uuid,
    pub correlation: String,
    pub causation: Option<String>,
    pub data: serde_json::Value,
}

/// A page of a stream's history, with the state of its hash chain.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct History {
    pub items: Vec<Event>,
    pub next: Option<String>,
    pub verified: Verified,
}

/// A page of an account's history.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Audit {
    pub items: Vec<Event>,
    pub next: Option<String>,
    /// Every event before this time is shown. Later events may be missing yet.
    pub complete_until: Time,
}

/// The state of a stream's hash chain; `seq` and `why` name the first commit that breaks it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Verified {
    pub ok: bool,
    pub seq: Option<u64>,
    pub why: Option<String>,
}

/// A page of the verification of an account, a list or a stream.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
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
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Bad {
    pub stream: String,
    pub seq: u64,
    pub why: String,
}
