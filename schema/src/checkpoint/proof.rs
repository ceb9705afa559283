//! A proof that a checkpoint covers one stream, <https://c2sp.org/tlog-proof>. It needs no other leaf, so it tells
//! nothing about other streams.

use std::fmt;

use data_encoding::BASE64;

use super::{Leaf, Note};
use crate::commit::Hash;

/// The leaf, and what leads from it to the signed root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof {
    pub leaf: Leaf,
    /// Its place among the leaves, from 0.
    pub index: usize,
    /// The siblings of the nodes between the leaf and the root, from the leaf on.
    pub path: Vec<Hash>,
    pub note: Note,
}

/// The text of the proof. Its line `extra` holds the leaf.
impl fmt::Display for Proof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { leaf, index, path, note } = self;
        let leaf = BASE64.encode(leaf.to_string().as_bytes());
        writeln!(f, "c2sp.org/tlog-proof@v1\nextra {leaf}\nindex {index}")?;
        path.iter().try_for_each(|hash| writeln!(f, "{}", BASE64.encode(&hash.0)))?;
        write!(f, "\n{note}")
    }
}
