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
    /// An event of an account. Its stream grows only by what its owner or an operator does.
    User;
    "user.registered" v1 => Registered(Registered),
    "user.renamed" v1 => Renamed { name: Sealed<Name> },
    /// The owner followed a mailed link: the address is theirs.
    "user.email-confirmed" v1 => EmailConfirmed {},
    /// Every session ends.
    "user.password-changed" v1 => PasswordChanged { password: Sealed<PasswordHash> },
    "user.operator-granted" v1 => OperatorGranted {},
    "user.operator-revoked" v1 => OperatorRevoked {},
    /// The account's texts per day are limited to another number than the default.
    "user.texts-capped" v1 => TextsCapped { texts_per_day: u32 },
    /// The account is to be forgotten, with all its guests. Only the forgetting follows.
    "user.erased" v1 => Erased {},
    /// The account's key is gone for good, and its e-mail address is free.
    "user.forgotten" v1 => Forgotten {},
}
