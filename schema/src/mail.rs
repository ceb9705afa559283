//! Events of a mail to an account's owner. Each mail has a stream of its own, whose tenant is the account.

use serde::{Deserialize, Serialize};

use crate::{event::events, message};

/// The purpose of a mail to an owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Greets a new account, with the link that confirms its address.
    Welcome,
    /// Sends that link again.
    Confirmation,
    /// Sends a link to set a new password.
    PasswordReset,
}

impl Kind {
    /// Whether the mail's link confirms the account's address.
    #[must_use]
    pub fn confirms(self) -> bool {
        match self {
            Self::Welcome | Self::Confirmation => true,
            Self::PasswordReset => false,
        }
    }
}

impl From<Kind> for message::Kind {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Welcome => Self::Welcome,
            Kind::Confirmation => Self::Confirmation,
            Kind::PasswordReset => Self::PasswordReset,
        }
    }
}

/// A mail to the account's address was requested.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asked {
    pub kind: Kind,
    /// Number of the account's last event at that time. A later change of the password makes a reset
    /// needless.
    pub user_seq: u64,
}

events! {
    /// An event of a mail to an owner.
    Mail;
    "mail.asked" v1 => Asked(Asked),
    message Message {
        "mail.started" v1 => Started,
        "mail.sent" v1 => Sent,
        "mail.failed" v1 => Failed,
        "mail.skipped" v1 => Skipped,
        "mail.bounced" v1 => Bounced,
    }
}
