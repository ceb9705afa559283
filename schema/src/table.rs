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

use std::{borrow::Cow, fmt::Display};

use serde::{Serialize, de::DeserializeOwned};
use uuid::Uuid;

pub use self::{
    due::{DUE, DUE_SHARDS, DueKeys, DueRow, due_in, shard_key},
    mails::{CONFIRMING, MAILS, MailRow},
    users::{USERS, UserRow},
    waitees::{ACTIVE, BoardKeys, DAY, DayEntry, DayKeys, OnBoard, WAITEES, WaiteeRow},
    waitlists::{OWNED, WAITLISTS, WaitlistRow},
};
use crate::{Time, UserId, projection::Name};

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

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    /// The part of its name after the deployment's prefix.
    pub suffix: Cow<'static, str>,
    pub hash: Key,
    pub range: Option<Key>,
    pub indexes: &'static [Index],
    /// Whether changes feed a stream (with new images).
    pub streamed: bool,
    /// The attribute with the time after which DynamoDB may delete an item, in Unix seconds.
    pub expiry: Option<&'static str>,
    /// The projection whose rows it holds.
    pub rows_of: Option<Name>,
}

/// The tables of a projection's rows. They are alike, and each generation has one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RowTable {
    pub projection: Name,
    pub indexes: &'static [Index],
}

/// A row of a read model: the fold of one stream.
pub trait Row: Serialize + DeserializeOwned + Clone + Send + Sync {
    const TABLE: RowTable;

    /// The oldest version of rows that this type reads. It is at least one below the current version, because a
    /// release serves rows that the release before it wrote.
    const OLDEST: u32;

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
    ($row:ty, $table:expr, oldest $oldest:literal) => {
        impl super::Row for $row {
            const TABLE: super::RowTable = $table;

            const OLDEST: u32 = $oldest;

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
    suffix: Cow::Borrowed("events"),
    hash: ("stream", S),
    range: Some(("seq", N)),
    indexes: &[AUDIT],
    streamed: true,
    expiry: None,
    rows_of: None,
};

/// Keys of accounts and guests, and claims on e-mail addresses.
pub const VAULT: Table = Table {
    suffix: Cow::Borrowed("vault"),
    hash: ("subject", S),
    range: None,
    indexes: &[],
    streamed: false,
    expiry: None,
    rows_of: None,
};

/// Counted attempts, one item per subject and window of time.
pub const LIMITS: Table = Table {
    suffix: Cow::Borrowed("limits"),
    hash: ("subject", S),
    range: None,
    indexes: &[],
    streamed: false,
    expiry: Some("expires_at"),
    rows_of: None,
};

/// The queues of a backend without SQS.
pub const QUEUE: Table = Table {
    suffix: Cow::Borrowed("queue"),
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
    rows_of: None,
};

/// The progress of the local stream pump, per consumer and shard.
pub const CHECKPOINTS: Table = Table {
    suffix: Cow::Borrowed("checkpoints"),
    hash: ("consumer", S),
    range: Some(("shard", S)),
    indexes: &[],
    streamed: false,
    expiry: None,
    rows_of: None,
};

/// The tables of rows. The deployment's setup creates generation 0 of each.
pub const ROWS: &[RowTable] = &[WAITLISTS, WAITEES, USERS, MAILS];

/// The tables that the deployment's template declares: all but those of rows.
pub const DECLARED: &[Table] = &[EVENTS, VAULT, LIMITS];

/// Further tables of the local backend.
pub const LOCAL: &[Table] = &[QUEUE, CHECKPOINTS];

impl Table {
    /// The full name in the deployment `prefix`.
    #[must_use]
    pub fn name(&self, prefix: &str) -> String {
        format!("{prefix}-{}", self.suffix)
    }
}

impl RowTable {
    /// The table of a generation: one row per stream, by the stream's id.
    #[must_use]
    pub fn generation(self, generation: u64) -> Table {
        let Self { projection, indexes } = self;
        Table {
            suffix: format!("events-{}-g{generation}", projection.as_str()).into(),
            hash: ("id", S),
            range: None,
            indexes,
            streamed: false,
            expiry: None,
            rows_of: Some(projection),
        }
    }
}

impl Name {
    /// The tables of its rows.
    #[must_use]
    pub fn table(self) -> RowTable {
        match self {
            Self::Waitlists => WAITLISTS,
            Self::Waitees => WAITEES,
            Self::Users => USERS,
            Self::Mails => MAILS,
        }
    }

    /// The full name of a generation's table in the deployment `prefix`.
    #[must_use]
    pub fn table_name(self, prefix: &str, generation: u64) -> String {
        self.table().generation(generation).name(prefix)
    }
}

#[cfg(test)]
mod tests;
