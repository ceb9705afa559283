//! The facts about a sign-in. Each carries the session whole: however long its stream grows, one item of it is read.

use serde::{Deserialize, Serialize};

use crate::{Time, commit::DomainEvent, id::Category, id::UserId};

/// A session after an event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    /// Whose it is.
    pub user: UserId,
    /// Up to which event of the account this session knows what became of it: what follows may end it.
    pub user_seq: u64,
    /// Whether the account may do what is system-wide, as of that event.
    pub operator: bool,
    /// Number of the refresh token that is good now, from 1.
    pub number: u32,
    /// When that one was given out.
    pub refreshed_at: Time,
    /// When it runs out.
    pub expires_at: Time,
}

/// What can happen to a session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", content = "data")]
pub enum Event {
    /// Somebody signed in.
    #[serde(rename = "session.started")]
    Started(State),
    /// A refresh token was exchanged for the next.
    #[serde(rename = "session.refreshed")]
    Refreshed(State),
    /// A refresh token came again that had long been exchanged: somebody has a copy. The session ends.
    #[serde(rename = "session.reuse-detected")]
    ReuseDetected(State),
    /// Somebody signed out. The session ends.
    #[serde(rename = "session.revoked")]
    Revoked(State),
}

impl Event {
    /// The session after this event; nothing when the event ended it.
    #[must_use]
    pub fn state(&self) -> Option<&State> {
        match self {
            Self::Started(state) | Self::Refreshed(state) => Some(state),
            Self::ReuseDetected(_) | Self::Revoked(_) => None,
        }
    }
}

impl DomainEvent for Event {
    const CATEGORY: Category = Category::Session;

    const TYPES: &'static [(&'static str, u32)] = &[
        ("session.started", 1),
        ("session.refreshed", 1),
        ("session.reuse-detected", 1),
        ("session.revoked", 1),
    ];

    fn type_name(&self) -> &'static str {
        match self {
            Self::Started(_) => "session.started",
            Self::Refreshed(_) => "session.refreshed",
            Self::ReuseDetected(_) => "session.reuse-detected",
            Self::Revoked(_) => "session.revoked",
        }
    }
}
