//! The leaves of a checkpoint: the last commit of each stream.

use std::{cmp::Reverse, fmt, str::FromStr};

use data_encoding::HEXLOWER;
use uuid::Uuid;

use super::merkle;
use crate::{
    StreamId,
    commit::{Broken, Bytes, Chain, Hash},
};

/// The end of a stream. Its text is one line: stream, number and hash, the hash in hex. 64 bytes in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Leaf {
    pub stream: StreamId,
    /// Number of the stream's last event.
    pub last: u64,
    /// Hash of its last commit. It covers all commits before.
    pub hash: Hash,
}

/// A difference between a stream and its leaf, in words that follow "the commit".
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Difference {
    #[error(transparent)]
    Broken(Broken),
    #[error("is missing, although the checkpoint has it")]
    Missing,
    #[error("is missing, and with it the whole stream, although the checkpoint has it")]
    Gone,
    #[error("has another hash than in the checkpoint")]
    Hash,
}

/// The text is not exactly what [`Leaf`] writes.
#[derive(Debug, thiserror::Error)]
#[error("must be a stream, the number of its last event and a hash of 64 hex digits")]
pub struct NotALeaf;

impl Leaf {
    /// Compares the leaf with its stream, which was followed to [`Leaf::last`].
    ///
    /// # Errors
    /// The number of the first commit that differs, and how.
    pub fn compare(&self, chain: &Chain) -> Result<(), (u64, Difference)> {
        if let Some((seq, broken)) = chain.broken {
            return Err((seq, Difference::Broken(broken)));
        }
        match chain.head.seq {
            0 => Err((1, Difference::Gone)),
            seq if seq < self.last => Err((seq + 1, Difference::Missing)),
            seq if seq == self.last && chain.head.hash == self.hash => Ok(()),
            _ => Err((chain.key, Difference::Hash)),
        }
    }

    /// Its node in the tree.
    pub(super) fn node(&self) -> Hash {
        merkle::leaf(self.to_string().as_bytes())
    }

    /// Its place in a file: names of streams in the order of their bytes.
    pub(super) fn place(&self) -> (&'static str, Uuid) {
        place(self.stream)
    }
}

fn place(stream: StreamId) -> (&'static str, Uuid) {
    (stream.category.as_str(), stream.id)
}

/// Sorts leaves by the names of their streams. Of several leaves of one stream the longest is kept.
pub fn sort(leaves: &mut Vec<Leaf>) {
    leaves.sort_unstable_by_key(|leaf| (leaf.place(), Reverse(leaf.last)));
    leaves.dedup_by_key(|leaf| leaf.stream);
}

/// The place of a stream among sorted leaves.
pub(super) fn find(leaves: &[Leaf], stream: StreamId) -> Option<usize> {
    leaves.binary_search_by_key(&place(stream), Leaf::place).ok()
}

impl fmt::Display for Leaf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.stream, self.last, HEXLOWER.encode(&self.hash.0))
    }
}

impl FromStr for Leaf {
    type Err = NotALeaf;

    /// Reads exactly the text that is written, so that a leaf has one text and one hash.
    fn from_str(text: &str) -> Result<Self, NotALeaf> {
        let mut words = text.split(' ');
        let mut word = || words.next().ok_or(NotALeaf);
        let stream = word()?.parse().map_err(|_| NotALeaf)?;
        let last = word()?.parse().map_err(|_| NotALeaf)?;
        let hash = HEXLOWER.decode(word()?.as_bytes()).ok().and_then(|hash| hash.try_into().ok());
        let leaf = Self { stream, last, hash: Bytes(hash.ok_or(NotALeaf)?) };
        if leaf.to_string() == text { Ok(leaf) } else { Err(NotALeaf) }
    }
}
