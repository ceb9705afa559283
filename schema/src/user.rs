//! Events of an account.

use serde::{Deserialize, Serialize};

use crate::{
    Sealed,
    event::events,
    value::{Email, Name, PasswordHash},
};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Registered {
    pub name: Sealed<Name>,
    /// The address as the owner typed it.
    pub email: Sealed<Email>,
    pub password: Sealed<PasswordHash>,
}

events! {
    /// An event of an account. Its stream grows only by what its owner or an operator does.
    User;
    "user.registered" v1 => Registered(Registered),
    "user.renamed" v1 => Renamed { name: Sealed<Name> },
    /// The owner followed a mailed link, which proves that the address is theirs.
    "user.email-confirmed" v1 => EmailConfirmed {},
    /// All sessions end.
    "user.password-changed" v1 => PasswordChanged { password: Sealed<PasswordHash> },
    "user.operator-granted" v1 => OperatorGranted {},
    "user.operator-revoked" v1 => OperatorRevoked {},
    /// The account has a limit of its own on texts a day.
    "user.texts-capped" v1 => TextsCapped { texts_per_day: u32 },
    /// The account is to be forgotten, with all its guests. Only `Forgotten` follows.
    "user.erased" v1 => Erased {},
    /// The account's key is deleted, and its e-mail address is free again.
    "user.forgotten" v1 => Forgotten {},
}
