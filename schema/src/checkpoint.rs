//! Checkpoints: the state of every stream at some time, in one signed file.
//!
//! A hash chain does not show that its end was removed, or that it was recomputed from some commit on. A checkpoint
//! that was kept elsewhere does. The file has the form of C2SP, <https://c2sp.org/tlog-checkpoint>, followed by the
//! leaves of the tree.

mod file;
mod head;
mod leaf;
mod merkle;
mod note;
mod proof;

use std::fmt;

pub use self::{
    file::{LEAVES_MAX, LINE_BYTES_MAX, Malformed, Reader},
    head::Head,
    leaf::{Difference, Leaf, sort},
    note::{NotAKey, Note, Signature, VerifierKey},
    proof::Proof,
};
use crate::StreamId;

/// A checkpoint: the signed note, and the leaves that give its root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    pub note: Note,
    /// The content of the note's text.
    pub head: Head,
    /// One per stream, in the order of the streams' names.
    pub leaves: Vec<Leaf>,
}

impl Checkpoint {
    /// The place of a stream among the leaves.
    #[must_use]
    pub fn find(&self, stream: StreamId) -> Option<usize> {
        leaf::find(&self.leaves, stream)
    }

    /// The proof that the signed root covers a stream. `None` if it has no leaf. Hashes all leaves.
    #[must_use]
    pub fn proof(&self, stream: StreamId) -> Option<Proof> {
        let index = self.find(stream)?;
        let path = merkle::path(self.leaves.len(), index, |index| self.leaves[index].node());
        Some(Proof { leaf: self.leaves[index], index, path, note: self.note.clone() })
    }
}

/// The content of the file.
impl fmt::Display for Checkpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.note)?;
        self.leaves.iter().try_for_each(|leaf| writeln!(f, "{leaf}"))
    }
}

#[cfg(test)]
mod tests;
