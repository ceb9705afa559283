//! Events of a session. Each holds the whole state, so one commit is read however long the stream.

use serde::{Deserialize, Serialize};

use crate::{Time, event::events, id::UserId};

/// A session after an event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    pub user: UserId,
    /// Number of the account's last event at the last refresh; a later event may end the session.
    pub user_seq: u64,
    /// Whether the account is an operator, as of `user_seq`.
    pub operator: bool,
    /// Number of the current refresh token, from 1.
    pub number: u32,
    /// The time at which that token was issued.
    pub refreshed_at: Time,
    pub expires_at: Time,
}

events! {
    /// An event of a session.
    Session;
    "session.started" v1 => Started(State),
    /// A refresh token was exchanged for the next.
    "session.refreshed" v1 => Refreshed(State),
    /// A replaced refresh token was used again, so a copy of it exists. The session ends.
    "session.reuse-detected" v1 => ReuseDetected(State),
    /// The owner signed out. The session ends.
    "session.revoked" v1 => Revoked(State),
}

impl Event {
    /// The session after this event; `None` if the event ended it.
    #[must_use]
    pub fn state(&self) -> Option<&State> {
        match self {
            Self::Started(state) | Self::Refreshed(state) => Some(state),
            Self::ReuseDetected(_) | Self::Revoked(_) => None,
        }
    }
}
