//! The hash chain of a stream's commits.

use super::{Bytes, Commit, Hash};
use crate::Time;

/// A commit that breaks the chain, in words that follow "the commit".
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Broken {
    #[error("does not follow the commit before it")]
    Gap,
    #[error("does not carry the hash of the commit before it")]
    Link,
    #[error("its content does not match its hash")]
    Content,
    #[error("is not later than the commit before it")]
    Time,
    /// The account-wide history is read by the times in ids.
    #[error("its id does not carry its time")]
    Id,
    /// An added item. The first event of a stream has number 1.
    #[error("has a number below 1")]
    Number,
    /// Its item lacks an attribute or has one of another type, or its events are no list of events.
    #[error("cannot be read")]
    Unreadable,
    #[error("its types are not those of its events")]
    Types,
    #[error("its month is not that of its account and time")]
    Month,
    /// An attribute has the right value in another spelling, such as a time with another offset.
    #[error("is not stored as it was written")]
    Form,
    /// A row of a read model shows more events than the stream has.
    #[error("is missing, although a read model shows its events")]
    Missing,
}

/// A commit as it is stored, possibly altered by other means than this code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawCommit {
    /// The number in its key; 0 for one below 1.
    pub seq: u64,
    /// `None` if the item cannot be read as a commit.
    pub commit: Option<Commit>,
    /// A fault of the item, apart from its place in the chain.
    pub fault: Option<Broken>,
}

impl RawCommit {
    /// Whether its events can be read.
    #[must_use]
    pub fn is_readable(&self) -> bool {
        self.commit.is_some() && self.fault != Some(Broken::Unreadable)
    }

    /// Number of its last event; the number in its key if the commit cannot be read.
    #[must_use]
    pub fn last(&self) -> u64 {
        self.commit.as_ref().map_or(self.seq, |commit| commit.last.max(self.seq))
    }
}

/// The check of a stream's stored commits, from the first on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Chain {
    /// The end of the commits that were checked.
    pub head: Tail,
    /// The number in the key of the last of them. Reading goes on after this key, not after the commit's last
    /// event, or it would miss an item that was added in between.
    pub key: u64,
    /// The first commit that breaks the chain, and how.
    pub broken: Option<(u64, Broken)>,
}

/// The end of a stream, which the next commit must follow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tail {
    /// Number of the last event; 0 for an empty stream.
    pub seq: u64,
    /// The time of the last commit.
    pub at: Option<Time>,
    /// Hash of the last commit; zeros for an empty stream.
    pub hash: Hash,
}

impl Tail {
    /// The end of an empty stream.
    pub const EMPTY: Self = Self { seq: 0, at: None, hash: Bytes([0; 32]) };

    /// The time of a commit made now: the clock's, but later than the stream's last commit.
    #[must_use]
    pub fn now(&self, clock: Time) -> Time {
        self.at.map_or(clock, |last| clock.max(last.plus_millis(1)))
    }

    /// Checks that the commit follows here and is unaltered, and returns the new end.
    ///
    /// # Errors
    /// The first check that fails.
    pub fn follow(&self, commit: &Commit) -> Result<Self, Broken> {
        if self.seq.checked_add(1) != Some(commit.seq) || commit.last < commit.seq {
            return Err(Broken::Gap);
        }
        if commit.prev != self.hash {
            return Err(Broken::Link);
        }
        if commit.compute_hash() != commit.hash {
            return Err(Broken::Content);
        }
        if self.at.is_some_and(|at| commit.at <= at) {
            return Err(Broken::Time);
        }
        Ok(commit.tail())
    }
}

impl Chain {
    pub const START: Self = Self { head: Tail::EMPTY, key: 0, broken: None };

    /// The check with one more commit. Only the first break is kept.
    ///
    /// After a break the head has the number in the key, because the commit's `last` may be wrong.
    #[must_use]
    pub fn follow(self, raw: &RawCommit) -> Self {
        let followed = match &raw.commit {
            None => Err(raw.fault.unwrap_or(Broken::Unreadable)),
            Some(commit) => self.head.follow(commit).and_then(|tail| {
                let fault = if commit.id_carries_time() { raw.fault } else { Some(Broken::Id) };
                fault.map_or(Ok(tail), Err)
            }),
        };
        match followed {
            Ok(head) => Self { head, key: raw.seq, ..self },
            Err(broken) => Self {
                head: Tail { seq: raw.seq, ..self.head },
                key: raw.seq,
                broken: self.broken.or(Some((raw.seq, broken))),
            },
        }
    }

    /// The number in a key after which reading goes on; `None` to begin at the lowest key.
    #[must_use]
    pub fn after(&self) -> Option<u64> {
        let has_begun = self.key > 0 || self.broken.is_some();
        has_begun.then_some(self.key)
    }

    /// As [`Chain::follow`], but ignores commits behind event `last`.
    #[must_use]
    pub fn follow_to(self, last: u64, raw: &RawCommit) -> Self {
        if self.head.seq < last { self.follow(raw) } else { self }
    }

    /// The check at the end of the stream, whose row shows its events up to `shown`. A row follows the log, so one
    /// that shows more means that the stream's end was removed. The row must have been read before the stream.
    #[must_use]
    pub fn end(self, shown: u64) -> Self {
        let missing = (shown > self.head.seq).then(|| (self.head.seq.saturating_add(1), Broken::Missing));
        Self { broken: self.broken.or(missing), ..self }
    }
}
