//! The kinds of messages, and for each kind the number of attempts, the time for which it has a purpose, and
//! the reaction to an unknown outcome.

use std::{fmt, str::FromStr};

use serde_with::{DeserializeFromStr, SerializeDisplay};

use crate::{
    Time,
    described::{alternatives, described},
};

/// The pause after the first refused attempt; each further pause is twice as long.
const PAUSE_BASE_MS: i64 = 15_000;

/// The purpose of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Greets a new account, with the link that confirms its address.
    Welcome,
    /// Sends that link again.
    Confirmation,
    /// Sends a link to set a new password.
    PasswordReset,
    /// The table is ready.
    TableReady,
    /// The hold ends soon.
    Reminder,
}

/// The reaction to a message whose outcome is unknown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IfUnknown {
    /// Send it again: no message is worse than two.
    SendAgain,
    /// Leave it to the host, who sees the outcome as unknown.
    Hold,
}

impl Kind {
    pub const ALL: [Self; 5] =
        [Self::Welcome, Self::Confirmation, Self::PasswordReset, Self::TableReady, Self::Reminder];

    /// The kinds of messages to guests.
    pub const TO_GUESTS: [Self; 2] = [Self::TableReady, Self::Reminder];

    /// The reaction when this kind's outcome is unknown.
    #[must_use]
    pub fn if_unknown(self) -> IfUnknown {
        match self {
            // Without the link, an account cannot send texts, or its owner cannot sign in. A second link does
            // no harm.
            Self::Welcome | Self::Confirmation | Self::PasswordReset => IfUnknown::SendAgain,
            // A guest who is not told loses the table. A second message does no harm.
            Self::TableReady => IfUnknown::SendAgain,
            // The guest was told already, and a second reminder would only press.
            Self::Reminder => IfUnknown::Hold,
        }
    }

    /// The number of attempts. They last four minutes for a message to a guest, about as long as a table is
    /// held, and over two hours for a mail to an owner, which may wait for the end of an outage.
    #[must_use]
    pub fn attempts_max(self) -> u32 {
        match self {
            Self::TableReady | Self::Reminder => 5,
            Self::Welcome | Self::Confirmation | Self::PasswordReset => 10,
        }
    }

    /// The time of the attempt after this refused one; `None` after the last.
    #[must_use]
    pub fn again_at(self, attempt: u32, now: Time) -> Option<Time> {
        (attempt < self.attempts_max()).then(|| now.plus_millis(PAUSE_BASE_MS << attempt.saturating_sub(1)))
    }

    /// For how many milliseconds after its cause the message has a purpose: as long as its link is valid.
    /// `None` for messages to guests, whose purpose ends with the hold.
    #[must_use]
    pub fn good_for_ms(self) -> Option<i64> {
        match self {
            Self::Welcome | Self::Confirmation => Some(7 * 24 * 3_600_000),
            Self::PasswordReset => Some(3_600_000),
            Self::TableReady | Self::Reminder => None,
        }
    }

    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Welcome => "welcome",
            Self::Confirmation => "confirmation",
            Self::PasswordReset => "password-reset",
            Self::TableReady => "table-ready",
            Self::Reminder => "reminder",
        }
    }
}

/// The name of a message: its kind and the number of the event that causes it, as in `table-ready-7`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, SerializeDisplay, DeserializeFromStr)]
pub struct MessageId {
    pub kind: Kind,
    /// Number of the causing event in the message's stream.
    pub cause: u64,
}

described!(MessageId, {
    "description": "The name of a message in its stream: its kind, and the number of the event that causes it.",
    "type": "string",
    "pattern": format!("^({})-[1-9][0-9]*$", alternatives(Kind::ALL.map(Kind::as_str))),
    "examples": ["table-ready-2"],
});

#[derive(Debug, thiserror::Error)]
#[error("names no message")]
pub struct NotAMessage;

impl fmt::Display for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.kind.as_str(), self.cause)
    }
}

impl FromStr for MessageId {
    type Err = NotAMessage;

    fn from_str(text: &str) -> Result<Self, NotAMessage> {
        let (kind, cause) = text.rsplit_once('-').ok_or(NotAMessage)?;
        let kind = Kind::ALL.into_iter().find(|k| k.as_str() == kind).ok_or(NotAMessage)?;
        let id = Self { kind, cause: cause.parse().map_err(|_| NotAMessage)? };
        if id.to_string() == text { Ok(id) } else { Err(NotAMessage) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const READY: MessageId = MessageId { kind: Kind::TableReady, cause: 2 };

    fn at(ms: i64) -> Time {
        Time::from_millis(ms)
    }

    #[test]
    fn a_message_is_named_by_its_kind_and_its_cause() {
        assert_eq!(READY.to_string(), "table-ready-2");
        for kind in Kind::ALL {
            let id = MessageId { kind, cause: 7 };
            assert_eq!(id.to_string().parse::<MessageId>().unwrap(), id);
        }
        for text in
            ["", "table-ready", "table-ready-", "table-ready-02", "table-ready-+2", "greeting-1", "Welcome-1"]
        {
            assert!(text.parse::<MessageId>().is_err(), "{text}");
        }
    }

    #[test]
    fn pauses_grow_and_end() {
        let pauses = |kind: Kind| -> Vec<_> {
            let pause = |attempt| kind.again_at(attempt, at(0)).map(|at| at.millis() / 1_000);
            (1..=kind.attempts_max() + 1).map_while(pause).collect()
        };
        assert_eq!(pauses(Kind::TableReady), [15, 30, 60, 120]);
        assert_eq!(pauses(Kind::Welcome), [15, 30, 60, 120, 240, 480, 960, 1_920, 3_840]);
    }
}
