//! The two primitives everything in the vault is made of: AES-256-GCM under random nonces, and keys derived by HKDF-SHA256.

use std::hint::black_box;

use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey},
    hkdf,
};

use crate::clock::random;

const KEY_BYTES: usize = 32;

/// Sets our derivations apart from any other use of HKDF.
const SALT: &[u8] = b"waitlist vault 1";

/// 32 secret bytes. They stay in one place on the heap and are wiped when dropped.
///
/// Wiping is best effort: what a provider's answer or a register still holds is out of reach.
pub(crate) struct Secret(Box<[u8; KEY_BYTES]>);

impl Secret {
    pub(super) fn generate() -> Self {
        Self(Box::new(random()))
    }

    /// Takes over bytes that were just opened, wiping where they came from; `None` when they are no key.
    pub(crate) fn take(mut bytes: Vec<u8>) -> Option<Self> {
        let key = <[u8; KEY_BYTES]>::try_from(bytes.as_slice()).ok().map(|key| Self(Box::new(key)));
        wipe(&mut bytes);
        key
    }

    pub(crate) fn bytes(&self) -> &[u8; KEY_BYTES] {
        &self.0
    }

    /// The key for one purpose. Nobody who has it learns this secret or the key for another purpose.
    #[expect(
        clippy::expect_used,
        reason = "HKDF refuses nothing but outputs of more than 255 blocks; this is one"
    )]
    pub(crate) fn derive(&self, purpose: &[u8]) -> Self {
        let prk = hkdf::Salt::new(hkdf::HKDF_SHA256, SALT).extract(self.bytes());
        let mut key = Self(Box::new([0; KEY_BYTES]));
        prk.expand(&[purpose], hkdf::HKDF_SHA256)
            .and_then(|okm| okm.fill(&mut *key.0))
            .expect("one block of output");
        key
    }
}

impl Drop for Secret {
    fn drop(&mut self) {
        wipe(&mut *self.0);
    }
}

/// The black box keeps the compiler from dropping a write that nobody reads.
fn wipe(bytes: &mut [u8]) {
    bytes.fill(0);
    black_box(bytes);
}

/// Seals under one key: nonce, ciphertext, tag.
///
/// Nonces are random, so a key is good for some 2^32 sealings; a subject sees a few thousand.
pub(super) struct Cipher(LessSafeKey);

impl Cipher {
    #[expect(clippy::expect_used, reason = "the key's length is its type's")]
    pub(super) fn new(key: &Secret) -> Self {
        Self(LessSafeKey::new(UnboundKey::new(&AES_256_GCM, key.bytes()).expect("a key of 32 bytes")))
    }

    /// Seals `clear`; it opens only with the same `bound_to`.
    #[expect(clippy::expect_used, reason = "AES-GCM refuses only texts of 64 GiB")]
    pub(super) fn seal(&self, bound_to: &[u8], clear: &[u8]) -> Vec<u8> {
        let nonce: [u8; NONCE_LEN] = random();
        let mut text = clear.to_vec();
        self.0
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(bound_to), &mut text)
            .expect("a text of less than 64 GiB");
        [nonce.as_slice(), &text].concat()
    }

    /// The clear text; `None` when a bit of it, of the key or of `bound_to` differs.
    pub(super) fn open(&self, bound_to: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
        let (nonce, text) = sealed.split_first_chunk::<NONCE_LEN>()?;
        let mut text = text.to_vec();
        let clear = self
            .0
            .open_in_place(Nonce::assume_unique_for_key(*nonce), Aad::from(bound_to), &mut text)
            .ok()?
            .len();
        text.truncate(clear);
        Some(text)
    }
}

/// Several parts as one text that no other parts give: each behind its length.
pub(crate) fn framed(parts: &[&[u8]]) -> Vec<u8> {
    parts.iter().flat_map(|part| [(part.len() as u64).to_be_bytes().as_slice(), part].concat()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_purpose_has_a_key_of_its_own() {
        let secret = Secret::generate();
        assert_eq!(secret.derive(b"seal").bytes(), secret.derive(b"seal").bytes());
        assert_ne!(secret.derive(b"seal").bytes(), secret.derive(b"mac").bytes());
        assert_ne!(secret.derive(b"seal").bytes(), secret.bytes());
        assert_ne!(secret.derive(b"seal").bytes(), Secret::generate().derive(b"seal").bytes());
    }

    #[test]
    fn a_secret_has_32_bytes() {
        assert!(Secret::take(vec![7; 31]).is_none());
        assert!(Secret::take(vec![7; 33]).is_none());
        assert_eq!(Secret::take(vec![7; 32]).unwrap().bytes(), &[7; 32]);
    }

    #[test]
    fn what_is_too_short_to_be_sealed_does_not_open() {
        let cipher = Cipher::new(&Secret::generate());
        for bytes in 0..NONCE_LEN + 16 {
            assert!(cipher.open(b"", &vec![0; bytes]).is_none(), "{bytes} bytes");
        }
    }

    #[test]
    fn parts_do_not_run_into_each_other() {
        assert_ne!(framed(&[b"ab", b"c"]), framed(&[b"a", b"bc"]));
        assert_ne!(framed(&[b"ab"]), framed(&[b"ab", b""]));
    }
}
