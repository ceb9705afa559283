//! Composing a message: its wording, and the channels and recipients that it may go to.

use commands::delivery::HasAgenda;
use infra::{
    Backend, Failure,
    log::{Aggregate, Read},
};
use schema::{
    StreamId, Time, UserId,
    message::{Channel, MessageId, Skip},
    value::{Email, Phone},
};

use crate::wording::Worded;

/// The state of a stream whose messages can be composed.
pub(super) trait Compose: Aggregate + HasAgenda {
    async fn compose(
        backend: &Backend,
        stream: StreamId,
        read: &Read<Self>,
        message: MessageId,
        now: Time,
    ) -> Result<Composed, NotComposed>;
}

/// A message that is ready to be sent.
pub(super) struct Composed {
    /// The message for each channel, in the order in which they are tried.
    pub(super) alternatives: Vec<Alternative>,
    /// The account that the message counts for.
    pub(super) account: UserId,
    /// Whether that account's own address is confirmed.
    pub(super) confirmed: bool,
    /// The cap that an operator set.
    pub(super) texts_per_day: Option<u32>,
}

/// A message for one channel and recipient.
pub(super) enum Alternative {
    Text {
        to: Phone,
        text: String,
    },
    /// An e-mail to a guest.
    Mail {
        to: Email,
        words: Worded,
    },
    /// An e-mail to the account's owner, which was counted when it was asked for.
    Owner {
        to: Email,
        words: Worded,
    },
}

impl Alternative {
    pub(super) fn channel(&self) -> Channel {
        match self {
            Self::Text { .. } => Channel::Sms,
            Self::Mail { .. } | Self::Owner { .. } => Channel::Email,
        }
    }
}

/// The reason that there is no message to send.
pub(super) enum NotComposed {
    /// The message is skipped for good.
    Skip(Skip),
    /// The message stays due.
    Failed(Failure),
}

impl From<Skip> for NotComposed {
    fn from(reason: Skip) -> Self {
        Self::Skip(reason)
    }
}

impl From<Failure> for NotComposed {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}
