//! Events of operators who read an account's history.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{StreamId, UserId, event::events, id::Category};

/// An operator's command that reads an account's history.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HistoryRead {
    /// The operator's name, as the operator gave it.
    pub by: String,
    /// The command, such as `audit`.
    pub command: String,
    /// The command's arguments by name: the filters of what was read.
    pub arguments: BTreeMap<String, String>,
}

events! {
    /// An event of the stream of an account's readings. It is not part of the account's own stream, which the
    /// authorizer reads.
    Access;
    "access.history-read" v1 => HistoryRead(HistoryRead),
}

/// The stream of an account's readings by operators.
#[must_use]
pub fn stream_of(account: UserId) -> StreamId {
    StreamId { category: Category::Access, id: account.0 }
}
