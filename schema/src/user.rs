//! Events of an account.

use serde::{Deserialize, Serialize};

use crate::{
    Sealed,
    event::events,
    value::{Email, Name, PasswordHash},
};

/// A new account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Registered {
    pub name: Sealed<Name>,
    /// The address as its owner typed it.
    pub email: Sealed<Email>,
    pub password: Sealed<PasswordHash>,
}

events! {
    /// An event of an account.
    User;
    "user.registered" v1 => Registered(Registered),
    "user.renamed" v1 => Renamed { name: Sealed<Name> },
    /// The owner followed a mailed link: the address is theirs.
    "user.email-confirmed" v1 => EmailConfirmed {},
    "user.confirmation-asked" v1 => ConfirmationAsked {},
    "user.password-reset-asked" v1 => PasswordResetAsked {},
    /// Every session ends.
    "user.password-changed" v1 => PasswordChanged { password: Sealed<PasswordHash> },
    "user.operator-granted" v1 => OperatorGranted {},
    "user.operator-revoked" v1 => OperatorRevoked {},
    /// The account's texts per day are limited to another number than the default.
    "user.texts-capped" v1 => TextsCapped { texts_per_day: u32 },
    /// The account is to be forgotten, with all its guests. Only the forgetting and outcomes of mails follow.
    "user.erased" v1 => Erased {},
    /// The account's key is gone for good, and its e-mail address is free.
    "user.forgotten" v1 => Forgotten {},
    message Mail {
        "user.mail-started" v1 => Started,
        "user.mail-sent" v1 => Sent,
        "user.mail-failed" v1 => Failed,
        "user.mail-skipped" v1 => Skipped,
        "user.mail-bounced" v1 => Bounced,
    }
}
