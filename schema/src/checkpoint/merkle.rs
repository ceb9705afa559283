//! The Merkle tree of RFC 6962, section 2.1, with SHA-256.

use sha2::{Digest as _, Sha256};

use crate::commit::{Bytes, Hash};

/// Prefixes keep leaves and inner nodes apart.
const LEAF: u8 = 0;
const NODE: u8 = 1;

/// The node of a leaf.
pub(super) fn leaf(content: &[u8]) -> Hash {
    digest(&[&[LEAF], content])
}

pub(super) fn parent(left: Hash, right: Hash) -> Hash {
    digest(&[&[NODE], &left.0, &right.0])
}

fn digest(parts: &[&[u8]]) -> Hash {
    let mut sha = Sha256::new();
    parts.iter().for_each(|part| sha.update(part));
    Bytes(sha.finalize().into())
}

/// The root of the tree over these leaves. Holds one hash per level.
pub(super) fn root(leaves: impl IntoIterator<Item = Hash>) -> Hash {
    let mut tree = Tree::default();
    leaves.into_iter().for_each(|leaf| tree.push(leaf));
    tree.root()
}

/// A tree that grows leaf by leaf.
#[derive(Clone, Debug, Default)]
pub(super) struct Tree {
    size: u64,
    /// The roots of its complete subtrees, from the left: their sizes are the powers of two that make up `size`.
    complete: Vec<Hash>,
}

impl Tree {
    pub(super) fn push(&mut self, leaf: Hash) {
        let mut node = leaf;
        for _ in 0..self.size.trailing_ones() {
            if let Some(left) = self.complete.pop() {
                node = parent(left, node);
            }
        }
        self.complete.push(node);
        self.size += 1;
    }

    pub(super) fn root(&self) -> Hash {
        let from_right = self.complete.iter().rev().copied();
        from_right.reduce(|right, left| parent(left, right)).unwrap_or_else(|| digest(&[]))
    }
}

/// The inclusion proof of a leaf: the sibling of its node, then of each node above it up to the root. `index` is
/// less than `size`.
pub(super) fn path(size: usize, index: usize, leaf: impl Fn(usize) -> Hash) -> Vec<Hash> {
    let (mut low, mut high, mut path) = (0, size, Vec::new());
    // Ends: each step leaves a smaller subtree around `index`.
    while high - low > 1 {
        let middle = low + (1 << (high - low - 1).ilog2()); // the left subtree is the largest complete one
        let sibling = if index < middle {
            let right = middle..high;
            high = middle;
            right
        } else {
            let left = low..middle;
            low = middle;
            left
        };
        path.push(root(sibling.map(&leaf)));
    }
    path.reverse();
    path
}
