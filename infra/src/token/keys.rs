//! Key pairs and public keys of access tokens.

use std::{path::Path, sync::Arc};

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use aws_sdk_kms::primitives::Blob;
use data_encoding::BASE64URL_NOPAD;
use jsonwebtoken::DecodingKey;
use schema::{Time, UserId};
use sha2::{Digest as _, Sha256};

use super::{claims, signed, signing_input};
use crate::{failure::Failure, key_pair};

/// The name of the current key in a key directory.
pub(crate) const LOCAL_KEY: &str = "token-local";
/// The name of the previous key, which exists only after a replacement.
pub(super) const PREVIOUS_KEY: &str = "token-local-previous";
/// The DER prefix of an Ed25519 public key (RFC 8410).
const ED25519_SPKI: [u8; 12] = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];

/// An Ed25519 key pair in a file.
#[derive(Clone)]
pub struct TokenKey(Arc<Ed25519KeyPair>);

impl TokenKey {
    /// Reads the key file of a directory, or creates it.
    ///
    /// # Errors
    /// The file cannot be read or created, or holds no key.
    pub fn load_or_create(dir: &Path) -> Result<Self, Failure> {
        Self::read(&dir.join(LOCAL_KEY))
    }

    pub(super) fn read(path: &Path) -> Result<Self, Failure> {
        let pair = key_pair::read_or_create(path, "token key")?;
        Ok(Self(Arc::new(pair)))
    }

    /// Signs a token without a session.
    ///
    /// # Errors
    /// The claims cannot be serialised.
    pub fn mint(&self, owner: UserId, now: Time, ttl_s: u32) -> Result<String, Failure> {
        self.mint_for(owner, false, now, ttl_s)
    }

    /// Like [`TokenKey::mint`]; the token may allow system-wide operations.
    ///
    /// # Errors
    /// The claims cannot be serialised.
    pub fn mint_for(&self, owner: UserId, operator: bool, now: Time, ttl_s: u32) -> Result<String, Failure> {
        let text = signing_input(&self.public().kid, &claims(owner, None, operator, now, ttl_s))?;
        Ok(signed(&text, &self.sign(&text)))
    }

    pub(super) fn sign(&self, text: &str) -> Vec<u8> {
        self.0.sign(text.as_bytes()).as_ref().to_vec()
    }

    pub(super) fn public(&self) -> PublicKey {
        PublicKey::new(self.0.public_key().as_ref(), true)
    }
}

impl std::fmt::Debug for TokenKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TokenKey(..)")
    }
}

pub(super) struct PublicKey {
    pub(super) kid: String,
    pub(super) x: String,
    pub(super) key: DecodingKey,
    /// Whether tokens without a session are accepted.
    pub(super) local: bool,
}

impl PublicKey {
    pub(super) fn new(key: &[u8], local: bool) -> Self {
        let x = BASE64URL_NOPAD.encode(key);
        // The thumbprint of RFC 7638, with the members in alphabetical order.
        let thumbprint = Sha256::digest(format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{x}"}}"#));
        Self { kid: BASE64URL_NOPAD.encode(&thumbprint), x, key: DecodingKey::from_ed_der(key), local }
    }
}

pub(super) async fn public_key(client: &aws_sdk_kms::Client, id: &str) -> Result<PublicKey, Failure> {
    let doing = || "read the public key of a token key".to_owned();
    let answer =
        client.get_public_key().key_id(id).send().await.map_err(|cause| Failure::aws(doing(), cause))?;
    let der = answer.public_key.map(Blob::into_inner).unwrap_or_default();
    let key = der.strip_prefix(&ED25519_SPKI).filter(|key| key.len() == 32);
    let key = key.ok_or_else(|| {
        Failure::broken(doing(), format!("{id} is not a key of type ECC_NIST_EDWARDS25519"))
    })?;
    Ok(PublicKey::new(key, false))
}
