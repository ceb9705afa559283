//! The read model of accounts: one row per account, for its own page.

mod project;
pub(crate) mod query;

use schema::{
    Sealed, Time, UserId,
    agenda::Agenda,
    table,
    value::{Email, Name},
};
use serde::{Deserialize, Serialize};

use crate::projection::row;

/// The read model `users`.
#[derive(Clone, Copy, Debug)]
pub struct Users;

/// An account, as it is remembered. Personal data stays sealed, exactly as in the events; what the password is checked against
/// is no part of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserRow {
    /// The account.
    pub id: UserId,
    /// Number of the last event it shows.
    pub seq: u64,
    /// Version of the fold that wrote it.
    pub v: u32,
    /// Whose data it is: the account's own.
    pub tenant: UserId,
    /// What its owner is called.
    pub name: Sealed<Name>,
    /// Where to write.
    pub email: Sealed<Email>,
    /// Whether the address is known to be its owner's.
    pub confirmed: bool,
    /// Whether it may do what is system-wide.
    pub operator: bool,
    /// When it began.
    pub registered_at: Time,
    /// Whether it is still there.
    pub state: State,
    /// What is to be done about it; its mails among that.
    #[serde(default)]
    pub agenda: Agenda,
    /// Key of the index `due`: one of a few, while something is to be done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due_in: Option<String>,
    /// Place in the index `due`: when the minute's look has to find it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due_at: Option<Time>,
}

/// Whether an account is still there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// It is.
    Kept,
    /// It is about to be forgotten.
    Erased,
    /// Its key is gone for good.
    Forgotten,
}

row!(UserRow, table::USERS);
