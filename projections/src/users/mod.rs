//! The read model of accounts: one row per account, for the account page.

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

/// The row of an account. Personal data stays sealed, exactly as in the events; the password's hash is left out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserRow {
    pub id: UserId,
    /// Number of the last event it shows.
    pub seq: u64,
    /// Version of the fold that wrote it.
    pub v: u32,
    /// The account itself.
    pub tenant: UserId,
    pub name: Sealed<Name>,
    pub email: Sealed<Email>,
    /// Whether the owner has followed a link mailed to the address.
    pub confirmed: bool,
    pub operator: bool,
    pub registered_at: Time,
    pub state: State,
    #[serde(default)]
    pub agenda: Agenda,
    /// Partition key of the index `due`, while an erasure is unfinished.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due_in: Option<String>,
    /// Sort key of the index `due`: the time from which the tick finds it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due_at: Option<Time>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    Kept,
    /// Erased: its key is still to be deleted.
    Erased,
    /// Its key is gone for good.
    Forgotten,
}

row!(UserRow, table::USERS);
