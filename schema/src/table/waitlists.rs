//! The rows of lists.

use serde::{Deserialize, Serialize};

use super::{DUE, DueKeys, Index, KeyType::S, Projected, RowTable, by_time, row};
use crate::{Time, UserId, WaitlistId, projection, waitlist::State};

/// The lists of an account by creation. A deleted list is not in it.
pub const OWNED: Index =
    Index { name: "owned", hash: ("owner", S), range: ("made", S), projected: Projected::All };

/// Rows of the read model `waitlists`.
pub const WAITLISTS: RowTable = RowTable { projection: projection::Name::Waitlists, indexes: &[OWNED, DUE] };

/// The row of a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WaitlistRow {
    pub id: WaitlistId,
    pub seq: u64,
    pub v: u32,
    pub tenant: UserId,
    pub list: State,
    /// Partition key of the index `owned`; absent once the list is deleted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<UserId>,
    /// Sort key of the index `owned`.
    pub made: String,
    /// Set when the list is deleted: for an hour, the tick looks for parties that are left on it.
    #[serde(flatten)]
    pub due: Option<DueKeys>,
}

row!(WaitlistRow, WAITLISTS, oldest 2);

impl WaitlistRow {
    /// Whether the list is not deleted.
    #[must_use]
    pub fn is_kept(&self) -> bool {
        self.owner.is_some()
    }

    /// The sort key of the index `owned`.
    #[must_use]
    pub fn made(created_at: Time, id: WaitlistId) -> String {
        by_time(created_at, id)
    }
}
