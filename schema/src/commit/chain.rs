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
        if commit.seq != self.seq + 1 || commit.last < commit.seq {
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
