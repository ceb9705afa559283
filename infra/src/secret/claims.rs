//! The key that hashes claimed e-mail addresses. It is never replaced, because the stored claims depend on it.

use std::{path::Path, sync::Arc};

use data_encoding::BASE64URL_NOPAD;
use schema::value::Email;

use super::{CODE_BYTES, code};
use crate::{crypto::Secret, failure::Failure, file, key_files};

/// The claims key, or nothing in a function that does not need it. Clones share it.
#[derive(Clone)]
pub struct Claims(Option<Arc<Secret>>);

impl Claims {
    pub(super) fn new(secret: Secret) -> Self {
        Self(Some(Arc::new(secret)))
    }

    pub(crate) fn unused() -> Self {
        Self(None)
    }

    /// Reads the key file of a directory. Never creates it.
    ///
    /// # Errors
    /// The file cannot be read, or holds no key.
    pub fn load(directory: &Path) -> Result<Self, Failure> {
        let path = directory.join(key_files::CLAIMS);
        let doing = || format!("read the secret {}", path.display());
        let bytes = file::read_secret(&path).map_err(|cause| Failure::broken(doing(), cause))?;
        let secret = Secret::take(bytes)
            .ok_or_else(|| Failure::broken(doing(), "the file does not hold exactly 32 bytes"))?;
        Ok(Self::new(secret))
    }

    /// Returns the keyed hash under which an e-mail address is claimed.
    ///
    /// # Errors
    /// The process did not load the key.
    pub fn of_email(&self, email: &Email) -> Result<String, Failure> {
        self.hash("claim", email.normalised().as_bytes()).map(|hash| BASE64URL_NOPAD.encode(&hash))
    }

    /// Returns a keyed hash of the content of a request that holds credentials. No password can be guessed from it without
    /// the key. The key never changes, so a repeated request is recognised at any time.
    ///
    /// # Errors
    /// The process did not load the key.
    pub fn of_credentials(&self, said: &[u8]) -> Result<[u8; CODE_BYTES], Failure> {
        self.hash("credentials", said)
    }

    /// Returns a value that tells this key from any other and reveals nothing of it.
    pub(crate) fn check_value(&self) -> Result<String, Failure> {
        self.hash("check", b"").map(|hash| BASE64URL_NOPAD.encode(&hash))
    }

    fn hash(&self, purpose: &str, part: &[u8]) -> Result<[u8; CODE_BYTES], Failure> {
        let secret = self.0.as_deref().ok_or_else(|| {
            Failure::broken(
                "hash a value under the claims key",
                "the process did not load it; see Need::Claims",
            )
        })?;
        Ok(code(secret, purpose, &[part]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_claim_ignores_the_case_of_the_address() {
        let directory = tempfile::tempdir().unwrap();
        key_files::make(directory.path()).unwrap();
        let of = |email: &str| {
            Claims::load(directory.path()).unwrap().of_email(&Email::parse(email).unwrap()).unwrap()
        };
        assert_eq!(of("Ana@Example.com"), of("ana@example.COM"));
        assert_ne!(of("ana@example.com"), of("ben@example.com"));
    }

    #[test]
    fn hashing_without_the_claims_key_is_an_error() {
        let refused = Claims::unused().of_email(&Email::parse("ana@example.com").unwrap()).unwrap_err();
        assert_eq!(
            refused.chain(),
            "hash a value under the claims key: the process did not load it; see Need::Claims"
        );
    }
}
