//! The facts about an account.

use serde::{Deserialize, Serialize};

use crate::{
    Sealed,
    commit::DomainEvent,
    id::Category,
    value::{Email, Name, PasswordHash},
};

/// Somebody registered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Registered {
    /// What they are called.
    pub name: Sealed<Name>,
    /// Where to write, as they typed it.
    pub email: Sealed<Email>,
    /// What their password is checked against.
    pub password: Sealed<PasswordHash>,
}

/// What can happen to an account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", content = "data")]
pub enum Event {
    /// Somebody registered.
    #[serde(rename = "user.registered")]
    Registered(Registered),
    /// They are called differently now.
    #[serde(rename = "user.renamed")]
    Renamed {
        /// The new name.
        name: Sealed<Name>,
    },
    /// They followed the link in their welcome mail: the address is theirs.
    #[serde(rename = "user.email-confirmed")]
    EmailConfirmed {},
    /// They want that mail once more.
    #[serde(rename = "user.confirmation-asked")]
    ConfirmationAsked {},
    /// Somebody wants a new password for this account; the link goes to its address.
    #[serde(rename = "user.password-reset-asked")]
    PasswordResetAsked {},
    /// There is a new password. Every session ends.
    #[serde(rename = "user.password-changed")]
    PasswordChanged {
        /// What it is checked against.
        password: Sealed<PasswordHash>,
    },
    /// The account may do what is system-wide.
    #[serde(rename = "user.operator-granted")]
    OperatorGranted {},
    /// It no longer may.
    #[serde(rename = "user.operator-revoked")]
    OperatorRevoked {},
    /// The account is to be forgotten, with all its guests. Nothing but the forgetting follows.
    #[serde(rename = "user.erased")]
    Erased {},
    /// The account's key is gone for good, and its e-mail address free.
    #[serde(rename = "user.forgotten")]
    Forgotten {},
}

impl DomainEvent for Event {
    const CATEGORY: Category = Category::User;

    const TYPES: &'static [(&'static str, u32)] = &[
        ("user.registered", 1),
        ("user.renamed", 1),
        ("user.email-confirmed", 1),
        ("user.confirmation-asked", 1),
        ("user.password-reset-asked", 1),
        ("user.password-changed", 1),
        ("user.operator-granted", 1),
        ("user.operator-revoked", 1),
        ("user.erased", 1),
        ("user.forgotten", 1),
    ];

    fn type_name(&self) -> &'static str {
        match self {
            Self::Registered(_) => "user.registered",
            Self::Renamed { .. } => "user.renamed",
            Self::EmailConfirmed {} => "user.email-confirmed",
            Self::ConfirmationAsked {} => "user.confirmation-asked",
            Self::PasswordResetAsked {} => "user.password-reset-asked",
            Self::PasswordChanged { .. } => "user.password-changed",
            Self::OperatorGranted {} => "user.operator-granted",
            Self::OperatorRevoked {} => "user.operator-revoked",
            Self::Erased {} => "user.erased",
            Self::Forgotten {} => "user.forgotten",
        }
    }
}
