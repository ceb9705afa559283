//! Hashes and tags, stored as binary.

use serde::{Deserialize, Serialize};
use serde_with::serde_as;
use sha2::{Digest as _, Sha256};

/// Bytes of a fixed length.
#[serde_as]
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Bytes<const N: usize>(#[serde_as(as = "serde_with::Bytes")] pub [u8; N]);

/// A SHA-256.
pub type Hash = Bytes<32>;
/// The first half of a SHA-256 or HMAC: enough to distinguish commands, small enough to store with every
/// commit.
pub type Tag = Bytes<16>;

impl Tag {
    /// The tag of parts, each prefixed by its length.
    #[must_use]
    pub fn of(parts: &[&[u8]]) -> Self {
        let mut sha = Sha256::new();
        for part in parts {
            sha.update((part.len() as u64).to_be_bytes());
            sha.update(part);
        }
        let digest: [u8; 32] = sha.finalize().into();
        let mut tag = [0; 16];
        tag.copy_from_slice(&digest[..16]);
        Bytes(tag)
    }
}

impl<const N: usize> std::fmt::Debug for Bytes<N> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&data_encoding::HEXLOWER.encode(&self.0))
    }
}
