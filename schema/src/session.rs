//! Events of a session. Each carries the whole state, so that reading the latest commit is reading the session.

use serde::{Deserialize, Serialize};

use crate::{Time, event::events, id::UserId};

/// A session after an event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    pub user: UserId,
    /// Number of the account's last event when the session was last refreshed; a later event may end the session.
    pub user_seq: u64,
    /// Whether the account is an operator, as of `user_seq`.
    pub operator: bool,
    /// Number of the refresh token that is valid now, from 1.
    pub number: u32,
    /// When that token was issued.
    pub refreshed_at: Time,
    /// When that token expires.
    pub expires_at: Time,
}

events! {
    /// An event of a session.
    Session;
    "session.started" v1 => Started(State),
    /// A refresh token was exchanged for the next.
    "session.refreshed" v1 => Refreshed(State),
    /// A refresh token was used that had been replaced: another copy of it exists. The session ends.
    "session.reuse-detected" v1 => ReuseDetected(State),
    /// The owner signed out. The session ends.
    "session.revoked" v1 => Revoked(State),
}

impl Event {
    /// The session after this event; `None` when the event ended it.
    #[must_use]
    pub fn state(&self) -> Option<&State> {
        match self {
            Self::Started(state) | Self::Refreshed(state) => Some(state),
            Self::ReuseDetected(_) | Self::Revoked(_) => None,
        }
    }
}
