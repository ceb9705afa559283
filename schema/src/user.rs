//! The facts about an account.

use serde::{Deserialize, Serialize};

use crate::{
    Sealed,
    commit::DomainEvent,
    id::Category,
    message,
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
    /// It may send so many texts a day.
    #[serde(rename = "user.texts-capped")]
    TextsCapped {
        /// How many.
        texts_per_day: u32,
    },
    /// Somebody is about to send a mail to its owner.
    #[serde(rename = "user.mail-started")]
    MailStarted(message::Started),
    /// It was taken for delivery.
    #[serde(rename = "user.mail-sent")]
    MailSent(message::Sent),
    /// It was turned away.
    #[serde(rename = "user.mail-failed")]
    MailFailed(message::Failed),
    /// It is not sent.
    #[serde(rename = "user.mail-skipped")]
    MailSkipped(message::Skipped),
    /// It was sent in vain.
    #[serde(rename = "user.mail-bounced")]
    MailBounced(message::Bounced),
    /// The account is to be forgotten, with all its guests. Nothing but the forgetting, and what becomes of a mail on its way, follows.
    #[serde(rename = "user.erased")]
    Erased {},
    /// The account's key is gone for good, and its e-mail address free.
    #[serde(rename = "user.forgotten")]
    Forgotten {},
}

impl Event {
    /// What happened to a mail, if that is what happened.
    #[must_use]
    pub fn message(&self) -> Option<message::Event> {
        match self {
            Self::MailStarted(started) => Some(message::Event::Started(started.clone())),
            Self::MailSent(sent) => Some(message::Event::Sent(sent.clone())),
            Self::MailFailed(failed) => Some(message::Event::Failed(failed.clone())),
            Self::MailSkipped(skipped) => Some(message::Event::Skipped(skipped.clone())),
            Self::MailBounced(bounced) => Some(message::Event::Bounced(bounced.clone())),
            Self::Registered(_)
            | Self::Renamed { .. }
            | Self::EmailConfirmed {}
            | Self::ConfirmationAsked {}
            | Self::PasswordResetAsked {}
            | Self::PasswordChanged { .. }
            | Self::OperatorGranted {}
            | Self::OperatorRevoked {}
            | Self::TextsCapped { .. }
            | Self::Erased {}
            | Self::Forgotten {} => None,
        }
    }
}

impl From<message::Event> for Event {
    fn from(event: message::Event) -> Self {
        match event {
            message::Event::Started(started) => Self::MailStarted(started),
            message::Event::Sent(sent) => Self::MailSent(sent),
            message::Event::Failed(failed) => Self::MailFailed(failed),
            message::Event::Skipped(skipped) => Self::MailSkipped(skipped),
            message::Event::Bounced(bounced) => Self::MailBounced(bounced),
        }
    }
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
        ("user.texts-capped", 1),
        ("user.mail-started", 1),
        ("user.mail-sent", 1),
        ("user.mail-failed", 1),
        ("user.mail-skipped", 1),
        ("user.mail-bounced", 1),
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
            Self::TextsCapped { .. } => "user.texts-capped",
            Self::MailStarted(_) => "user.mail-started",
            Self::MailSent(_) => "user.mail-sent",
            Self::MailFailed(_) => "user.mail-failed",
            Self::MailSkipped(_) => "user.mail-skipped",
            Self::MailBounced(_) => "user.mail-bounced",
            Self::Erased {} => "user.erased",
            Self::Forgotten {} => "user.forgotten",
        }
    }
}
