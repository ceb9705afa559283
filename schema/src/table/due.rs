//! The index `due`, which all read models share: rows that the tick has to look at, by time.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Index, KeyType::S, Projected};
use crate::{Time, UserId};

/// Due rows by time, spread over a few keys so that no partition takes all of them. The index holds the
/// account, so that the tick serves accounts in turn without reading rows.
pub const DUE: Index =
    Index { name: "due", hash: ("due_in", S), range: ("due_at", S), projected: Projected::Some(&["tenant"]) };

/// The number of partition keys of the index `due`.
pub const DUE_SHARDS: u8 = 8;

/// The keys of a row in the index `due`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DueKeys {
    pub due_in: String,
    /// The time from which the tick finds the row.
    pub due_at: Time,
}

/// The attributes that the index `due` holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub struct DueRow {
    /// Key of the row, and id of its stream.
    pub id: Uuid,
    /// The account it belongs to.
    pub tenant: UserId,
    pub due_at: Time,
}

impl DueKeys {
    #[must_use]
    pub fn new(id: Uuid, due_at: Time) -> Self {
        Self { due_in: due_in(id), due_at }
    }
}

/// The partition key of the row with this id.
#[must_use]
pub fn due_in(id: Uuid) -> String {
    shard_key(id.as_bytes()[15] % DUE_SHARDS)
}

/// The partition key of a shard.
#[must_use]
pub fn shard_key(shard: u8) -> String {
    shard.to_string()
}
