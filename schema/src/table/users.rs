//! The rows of accounts.

use serde::{Deserialize, Serialize};

use super::{DUE, DueKeys, RowTable, row};
use crate::{
    Sealed, Time, UserId,
    agenda::Agenda,
    projection,
    value::{Email, Name},
};

/// Rows of the read model `users`.
pub const USERS: RowTable = RowTable { projection: projection::Name::Users, indexes: &[DUE] };

/// The row of an account. Personal data stays sealed, exactly as in the events; the password's hash is left
/// out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserRow {
    pub id: UserId,
    pub seq: u64,
    pub v: u32,
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
    /// Set while an erasure is unfinished.
    #[serde(flatten)]
    pub due: Option<DueKeys>,
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

row!(UserRow, USERS, oldest 2);
