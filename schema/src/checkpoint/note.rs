//! Signed notes, <https://c2sp.org/signed-note>, with Ed25519. Signing and verifying is up to the caller.

use std::{fmt, str::FromStr};

use data_encoding::{BASE64, HEXLOWER};
use sha2::{Digest as _, Sha256};

use crate::commit::{Bytes, Hash};

/// The type of Ed25519 signatures.
const ED25519: u8 = 1;
const KEY_BYTES: usize = 32;
const SIGNATURE_BYTES: usize = 64;
/// An em dash and a space.
const BULLET: &str = "\u{2014} ";

/// A text, and the signatures under it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// Ends with a newline; this is what is signed.
    pub text: String,
    pub signatures: Vec<Signature>,
}

/// A line under a note. Signatures of other types than Ed25519 are kept as well.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature {
    /// Name of the key.
    pub name: String,
    /// Id of the key.
    pub key: [u8; 4],
    pub bytes: Vec<u8>,
}

/// The public key of a signer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifierKey {
    /// Not empty, without spaces and plus signs.
    name: String,
    public: [u8; KEY_BYTES],
}

/// The text is no line of a signature.
#[derive(Debug, thiserror::Error)]
#[error("must be an em dash, the name of a key and a signature in Base64")]
pub struct NotASignature;

#[derive(Debug, thiserror::Error)]
#[error("must be an Ed25519 key of the form NAME+ID+KEY, as `audit checkpoint` prints it")]
pub struct NotAKey;

impl Note {
    /// The SHA-256 of the text, by which the next checkpoint names this one.
    #[must_use]
    pub fn hash(&self) -> Hash {
        Bytes(Sha256::digest(self.text.as_bytes()).into())
    }

    /// The signatures that name this key. Others are ignored, as the format demands.
    pub fn signatures_of(&self, key: &VerifierKey) -> impl Iterator<Item = &Signature> {
        let id = key.id();
        self.signatures.iter().filter(move |signature| signature.name == key.name && signature.key == id)
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.text)?;
        self.signatures.iter().try_for_each(|signature| writeln!(f, "{signature}"))
    }
}

impl VerifierKey {
    /// # Errors
    /// The name is empty or has a space or a plus sign.
    pub fn new(name: &str, public: [u8; KEY_BYTES]) -> Result<Self, NotAKey> {
        if name.is_empty() || name.contains(|c: char| c.is_whitespace() || c.is_control() || c == '+') {
            return Err(NotAKey);
        }
        Ok(Self { name: name.to_owned(), public })
    }

    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    #[must_use]
    pub fn public(&self) -> &[u8; KEY_BYTES] {
        &self.public
    }

    /// The first bytes of the SHA-256 of name, newline, type and key.
    fn id(&self) -> [u8; 4] {
        let mut sha = Sha256::new();
        sha.update(&self.name);
        sha.update([b'\n', ED25519]);
        sha.update(self.public);
        let digest: [u8; 32] = sha.finalize().into();
        [digest[0], digest[1], digest[2], digest[3]]
    }

    /// The signature line for these bytes, which this key's owner made.
    #[must_use]
    pub fn signature(&self, bytes: [u8; SIGNATURE_BYTES]) -> Signature {
        Signature { name: self.name.clone(), key: self.id(), bytes: bytes.to_vec() }
    }
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = BASE64.encode(&[&[ED25519], self.public.as_slice()].concat());
        write!(f, "{}+{}+{key}", self.name, HEXLOWER.encode(&self.id()))
    }
}

impl FromStr for VerifierKey {
    type Err = NotAKey;

    fn from_str(text: &str) -> Result<Self, NotAKey> {
        let mut parts = text.splitn(3, '+'); // Base64 has plus signs of its own
        let (Some(name), Some(_), Some(key)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(NotAKey);
        };
        let key = BASE64.decode(key.as_bytes()).map_err(|_| NotAKey)?;
        let public = key.strip_prefix(&[ED25519]).and_then(|public| public.try_into().ok());
        let key = Self::new(name, public.ok_or(NotAKey)?)?;
        if key.to_string() == text { Ok(key) } else { Err(NotAKey) }
    }
}

impl fmt::Display for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = BASE64.encode(&[self.key.as_slice(), &self.bytes].concat());
        write!(f, "{BULLET}{} {bytes}", self.name)
    }
}

impl FromStr for Signature {
    type Err = NotASignature;

    fn from_str(text: &str) -> Result<Self, NotASignature> {
        let (name, bytes) =
            text.strip_prefix(BULLET).and_then(|rest| rest.split_once(' ')).ok_or(NotASignature)?;
        let bytes = BASE64.decode(bytes.as_bytes()).map_err(|_| NotASignature)?;
        let (key, bytes) = bytes.split_first_chunk().ok_or(NotASignature)?;
        Ok(Self { name: name.to_owned(), key: *key, bytes: bytes.to_vec() })
    }
}
