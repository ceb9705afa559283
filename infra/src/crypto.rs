//! AES-256-GCM under random nonces, and keys derived by HKDF-SHA256.

use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey},
    hkdf,
};
use zeroize::Zeroizing;

use crate::clock::random;

const KEY_BYTES: usize = 32;

/// Separates our derivations from any other use of HKDF.
const SALT: &[u8] = b"waitlist vault 1";

/// 32 secret bytes in one place on the heap, wiped when dropped.
///
/// Copies in registers, or in a provider's answer, are not wiped.
pub(crate) struct Secret(Box<Zeroizing<[u8; KEY_BYTES]>>);

impl Secret {
    pub(crate) fn generate() -> Self {
        Self(Box::new(Zeroizing::new(random())))
    }

    /// Takes over the bytes and wipes the vector. Returns `None` when they are not 32 bytes.
    pub(crate) fn take(bytes: Vec<u8>) -> Option<Self> {
        let bytes = Zeroizing::new(bytes);
        let key = <[u8; KEY_BYTES]>::try_from(bytes.as_slice()).ok()?;
        Some(Self(Box::new(Zeroizing::new(key))))
    }

    pub(crate) fn bytes(&self) -> &[u8; KEY_BYTES] {
        &self.0
    }

    /// Derives the key for one purpose. It reveals neither this secret nor the key for another purpose.
    #[expect(
        clippy::expect_used,
        reason = "HKDF refuses nothing but outputs of more than 255 blocks; this is one"
    )]
    pub(crate) fn derive(&self, purpose: &[u8]) -> Self {
        let prk = hkdf::Salt::new(hkdf::HKDF_SHA256, SALT).extract(self.bytes());
        let mut key = Box::new(Zeroizing::new([0; KEY_BYTES]));
        prk.expand(&[purpose], hkdf::HKDF_SHA256)
            .and_then(|okm| okm.fill(&mut **key))
            .expect("one block of output");
        Self(key)
    }
}

/// Seals texts under one key. A sealed text is nonce, ciphertext and tag.
///
/// Nonces are random, so a key is safe for about 2^32 sealings; a subject needs a few thousand.
pub(crate) struct Cipher(LessSafeKey);

impl Cipher {
    #[expect(clippy::expect_used, reason = "the key's length is its type's")]
    pub(crate) fn new(key: &Secret) -> Self {
        Self(LessSafeKey::new(UnboundKey::new(&AES_256_GCM, key.bytes()).expect("a key of 32 bytes")))
    }

    /// Seals `clear`; the result opens only with the same `bound_to`.
    #[expect(clippy::expect_used, reason = "AES-GCM refuses only texts of 64 GiB")]
    pub(crate) fn seal(&self, bound_to: &[u8], clear: &[u8]) -> Vec<u8> {
        let nonce: [u8; NONCE_LEN] = random();
        let mut text = clear.to_vec();
        self.0
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(bound_to), &mut text)
            .expect("a text of less than 64 GiB");
        [nonce.as_slice(), &text].concat()
    }

    /// Returns the clear text, or `None` when the sealed text, the key or `bound_to` differs in any bit.
    pub(crate) fn open(&self, bound_to: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
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

/// Joins parts, each preceded by its length, so that different lists of parts never give the same bytes.
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
    fn a_secret_is_taken_from_exactly_32_bytes() {
        assert!(Secret::take(vec![7; 31]).is_none());
        assert!(Secret::take(vec![7; 33]).is_none());
        assert_eq!(Secret::take(vec![7; 32]).unwrap().bytes(), &[7; 32]);
    }

    #[test]
    fn ciphertext_shorter_than_nonce_and_tag_does_not_open() {
        let cipher = Cipher::new(&Secret::generate());
        for bytes in 0..NONCE_LEN + 16 {
            assert!(cipher.open(b"", &vec![0; bytes]).is_none(), "{bytes} bytes");
        }
    }

    #[test]
    fn different_parts_are_framed_differently() {
        assert_ne!(framed(&[b"ab", b"c"]), framed(&[b"a", b"bc"]));
        assert_ne!(framed(&[b"ab"]), framed(&[b"ab", b""]));
    }
}
