//! Events of readings of an account's history: by operators, and by its owner's exports.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{StreamId, Time, UserId, event::events, id::Category};

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

/// A part of the history that is exported to the account's owner.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HistoryExported {
    /// The format of the file, such as `csv`.
    pub format: String,
    /// The part holds no event before this time.
    pub from: Time,
    /// The part holds no event from this time on. It may end earlier, because its size is bounded.
    pub to: Time,
}

events! {
    /// An event of the stream of an account's readings. It is not part of the account's own stream, which the
    /// authorizer reads.
    Access;
    "access.history-read" v1 => HistoryRead(HistoryRead),
    "access.history-exported" v1 => HistoryExported(HistoryExported),
}

/// The stream of an account's readings.
#[must_use]
pub fn stream_of(account: UserId) -> StreamId {
    StreamId { category: Category::Access, id: account.0 }
}
