//! The tables: names, keys, indexes. What creates them locally and what the deployment's template declares come from here.

use uuid::Uuid;

/// The type of a key attribute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyType {
    /// Text.
    S,
    /// A number.
    N,
}

/// A key attribute.
pub type Key = (&'static str, KeyType);

/// What of an item an index holds besides its keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Projected {
    /// Everything.
    All,
    /// Nothing.
    Keys,
    /// These attributes.
    Some(&'static [&'static str]),
}

/// A global secondary index. All of ours are sparse: an item without the attributes is not in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Index {
    /// Its name.
    pub name: &'static str,
    /// Partition key.
    pub hash: Key,
    /// Sort key.
    pub range: Key,
    /// What it holds.
    pub projected: Projected,
}

/// A table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Table {
    /// Its name behind the deployment's prefix.
    pub suffix: &'static str,
    /// Partition key.
    pub hash: Key,
    /// Sort key.
    pub range: Option<Key>,
    /// Its indexes.
    pub indexes: &'static [Index],
    /// Whether its changes feed a stream (new images).
    pub streamed: bool,
    /// The attribute that says when an item may go, Unix seconds.
    pub expiry: Option<&'static str>,
}

use KeyType::{N, S};

/// The event log. Its `audit` index is the account-wide history.
pub const EVENTS: Table = Table {
    suffix: "events",
    hash: ("stream", S),
    range: Some(("seq", N)),
    indexes: &[Index {
        name: "audit",
        hash: ("month", S),
        range: ("commit", S),
        projected: Projected::Some(&["types", "actor"]),
    }],
    streamed: true,
    expiry: None,
};

/// Keys of subjects, and claims on e-mail addresses.
pub const VAULT: Table =
    Table { suffix: "vault", hash: ("subject", S), range: None, indexes: &[], streamed: false, expiry: None };

/// Counted tries, each item for one window of time.
pub const LIMITS: Table = Table {
    suffix: "limits",
    hash: ("subject", S),
    range: None,
    indexes: &[],
    streamed: false,
    expiry: Some("expires_at"),
};

/// Durable queues of a backend without SQS.
pub const QUEUE: Table = Table {
    suffix: "queue",
    hash: ("queue", S),
    range: Some(("id", S)),
    indexes: &[Index {
        name: "visible",
        hash: ("waiting", S),
        range: ("visible_at", N),
        projected: Projected::Keys,
    }],
    streamed: false,
    expiry: None,
};

/// How far the local stream pump has come, per consumer and shard.
pub const CHECKPOINTS: Table = Table {
    suffix: "checkpoints",
    hash: ("consumer", S),
    range: Some(("shard", S)),
    indexes: &[],
    streamed: false,
    expiry: None,
};

/// Due rows by time, spread over a few keys so that no partition takes all of them. The index holds the account too, so that
/// the tick serves accounts in turn without reading rows.
const DUE: Index =
    Index { name: "due", hash: ("due_in", S), range: ("due_at", S), projected: Projected::Some(&["tenant"]) };

/// Over so many keys the index `due` is spread.
pub const DUE_SHARDS: u8 = 8;

/// The key of the index `due` that the row with this id has.
#[must_use]
pub fn due_in(id: Uuid) -> String {
    (id.as_bytes()[15] % DUE_SHARDS).to_string()
}

/// Rows of the read model `waitlists`.
pub const WAITLISTS: Table = Table {
    suffix: "events-waitlists-g0",
    hash: ("id", S),
    range: None,
    indexes: &[
        Index { name: "owned", hash: ("owner", S), range: ("made", S), projected: Projected::All },
        DUE,
    ],
    streamed: false,
    expiry: None,
};

/// Rows of the read model `waitees`.
pub const WAITEES: Table = Table {
    suffix: "events-waitees-g0",
    hash: ("id", S),
    range: None,
    indexes: &[
        Index { name: "active", hash: ("board", S), range: ("place", S), projected: Projected::All },
        Index { name: "day", hash: ("list_day", S), range: ("arrival", S), projected: Projected::Keys },
        DUE,
    ],
    streamed: false,
    expiry: None,
};

/// Rows of the read model `users`.
pub const USERS: Table = Table {
    suffix: "events-users-g0",
    hash: ("id", S),
    range: None,
    indexes: &[DUE],
    streamed: false,
    expiry: None,
};

/// Rows of the read model `mails`. The index `confirming` holds mails whose link confirms an address, by account and time: other
/// mails, which strangers can ask for, leave it out.
pub const MAILS: Table = Table {
    suffix: "events-mails-g0",
    hash: ("id", S),
    range: None,
    indexes: &[
        Index { name: "confirming", hash: ("confirms", S), range: ("made", S), projected: Projected::All },
        DUE,
    ],
    streamed: false,
    expiry: None,
};

/// Every table of a deployment.
pub const DEPLOYED: &[Table] = &[EVENTS, VAULT, LIMITS, WAITLISTS, WAITEES, USERS, MAILS];

/// What the local backend needs besides.
pub const LOCAL: &[Table] = &[QUEUE, CHECKPOINTS];

impl Table {
    /// The table's full name in the deployment `prefix`.
    #[must_use]
    pub fn name(&self, prefix: &str) -> String {
        format!("{prefix}-{}", self.suffix)
    }
}
