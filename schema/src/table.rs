//! Tables with their keys and indexes, and the rows of read models. The local backend creates its tables by
//! these layouts, and the deployment's template is checked against them.
//!
//! Each read model has a file with its row, its table, and the keys of its indexes. The projection that
//! writes rows and the readers that query them take names and keys from there. In every row, `seq` is the
//! number of the last event that it shows, `v` the version of the fold that wrote it, and `tenant` the
//! account that it belongs to.

mod due;
mod mails;
pub mod users;
mod waitees;
mod waitlists;

use std::fmt::Display;

use serde::{Serialize, de::DeserializeOwned};
use uuid::Uuid;

pub use self::{
    due::{DUE, DUE_SHARDS, DueKeys, DueRow, due_in, shard_key},
    mails::{CONFIRMING, MAILS, MailRow},
    users::{USERS, UserRow},
    waitees::{ACTIVE, BoardKeys, DAY, DayEntry, DayKeys, OnBoard, WAITEES, WaiteeRow},
    waitlists::{OWNED, WAITLISTS, WaitlistRow},
};
use crate::{Time, UserId};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyType {
    S,
    N,
}

/// Name and type of a key attribute.
pub type Key = (&'static str, KeyType);

/// The attributes that an index holds besides its keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Projected {
    All,
    Keys,
    Some(&'static [&'static str]),
}

/// A global secondary index. It is sparse: it leaves out items without its key attributes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Index {
    pub name: &'static str,
    pub hash: Key,
    pub range: Key,
    pub projected: Projected,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Table {
    /// The part of its name after the deployment's prefix.
    pub suffix: &'static str,
    pub hash: Key,
    pub range: Option<Key>,
    pub indexes: &'static [Index],
    /// Whether changes feed a stream (with new images).
    pub streamed: bool,
    /// The attribute with the time after which DynamoDB may delete an item, in Unix seconds.
    pub expiry: Option<&'static str>,
}

/// A row of a read model: the fold of one stream.
pub trait Row: Serialize + DeserializeOwned + Clone + Send + Sync {
    const TABLE: Table;

    /// The key: the stream's id.
    fn id(&self) -> Uuid;

    /// Number of the last event it shows.
    fn seq(&self) -> u64;

    /// The account it belongs to.
    fn tenant(&self) -> UserId;

    /// Marks the row as showing event `seq` and written by version `v` of the fold. `due_at` puts it into the
    /// index `due`.
    fn stamp(&mut self, seq: u64, v: u32, due_at: Option<Time>);
}

/// Implements [`Row`] for a struct with the fields `id`, `seq`, `v`, `tenant` and `due`.
macro_rules! row {
    ($row:ty, $table:expr) => {
        impl super::Row for $row {
            const TABLE: super::Table = $table;

            fn id(&self) -> uuid::Uuid {
                self.id.0
            }

            fn seq(&self) -> u64 {
                self.seq
            }

            fn tenant(&self) -> crate::UserId {
                self.tenant
            }

            fn stamp(&mut self, seq: u64, v: u32, due_at: Option<crate::Time>) {
                self.seq = seq;
                self.v = v;
                self.due = due_at.map(|at| super::DueKeys::new(self.id.0, at));
            }
        }
    };
}
use row;

/// Sort key for an order by time: the time, and the id, which makes it unique.
fn by_time(at: Time, id: impl Display) -> String {
    format!("{at}#{id}")
}

use KeyType::{N, S};

/// The account-wide history: the commits of an account by month and id. Refreshed sessions are not in it.
pub const AUDIT: Index = Index {
    name: "audit",
    hash: ("month", S),
    range: ("commit", S),
    projected: Projected::Some(&["types", "actor"]),
};

/// The event log.
pub const EVENTS: Table = Table {
    suffix: "events",
    hash: ("stream", S),
    range: Some(("seq", N)),
    indexes: &[AUDIT],
    streamed: true,
    expiry: None,
};

/// Keys of accounts and guests, and claims on e-mail addresses.
pub const VAULT: Table =
    Table { suffix: "vault", hash: ("subject", S), range: None, indexes: &[], streamed: false, expiry: None };

/// Counted attempts, one item per subject and window of time.
pub const LIMITS: Table = Table {
    suffix: "limits",
    hash: ("subject", S),
    range: None,
    indexes: &[],
    streamed: false,
    expiry: Some("expires_at"),
};

/// The queues of a backend without SQS.
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

/// The progress of the local stream pump, per consumer and shard.
pub const CHECKPOINTS: Table = Table {
    suffix: "checkpoints",
    hash: ("consumer", S),
    range: Some(("shard", S)),
    indexes: &[],
    streamed: false,
    expiry: None,
};

/// Tables of rows. In AWS the setup lambda creates them; the deployment's template declares the others.
pub const ROWS: &[Table] = &[WAITLISTS, WAITEES, USERS, MAILS];

/// Every table of a deployment.
pub const DEPLOYED: &[Table] = &[EVENTS, VAULT, LIMITS, WAITLISTS, WAITEES, USERS, MAILS];

/// Further tables of the local backend.
pub const LOCAL: &[Table] = &[QUEUE, CHECKPOINTS];

impl Table {
    /// A table of rows: one per stream, by the stream's id.
    const fn of_rows(suffix: &'static str, indexes: &'static [Index]) -> Self {
        Self { suffix, hash: ("id", S), range: None, indexes, streamed: false, expiry: None }
    }

    /// The full name in the deployment `prefix`.
    #[must_use]
    pub fn name(&self, prefix: &str) -> String {
        format!("{prefix}-{}", self.suffix)
    }
}

#[cfg(test)]
mod tests;
