//! Personal data in its stored form: encrypted, and left out of debug output.

use std::{fmt, marker::PhantomData};

use serde::{Deserialize, Serialize};

/// A value that identifies or describes a person. It is stored only sealed.
pub trait Personal: Sized {
    /// The field that the ciphertext is bound to, so that a sealed note does not open as a name.
    const FIELD: &'static str;

    fn clear(&self) -> &str;

    /// Makes the value from opened text, without a check: it was parsed before it was sealed.
    fn from_clear(text: String) -> Self;
}

/// A personal value encrypted under a guest's or account's key: base64url of key kind (1 byte), nonce (12
/// bytes) and AEAD ciphertext with its tag.
///
/// The kind and the stream determine the key. Only `infra::vault` opens it.
#[derive(Serialize, Deserialize)]
#[serde(transparent, bound = "")]
pub struct Sealed<T> {
    text: String,
    #[serde(skip)]
    of: PhantomData<fn() -> T>,
}

impl<T: Personal> Sealed<T> {
    /// Wraps text that the vault has sealed.
    #[must_use]
    pub fn from_text(text: String) -> Self {
        Self { text, of: PhantomData }
    }

    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }
}

/// The result of opening a sealed value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Opened<T> {
    Clear(T),
    /// The key is gone, because the person was erased.
    Erased,
    /// The key does not open it: the text was altered, or sealed for another field or stream.
    Damaged,
}

impl<T> Opened<T> {
    pub fn clear(self) -> Option<T> {
        match self {
            Self::Clear(value) => Some(value),
            Self::Erased | Self::Damaged => None,
        }
    }
}

impl<T> Clone for Sealed<T> {
    fn clone(&self) -> Self {
        Self { text: self.text.clone(), of: PhantomData }
    }
}

impl<T> PartialEq for Sealed<T> {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl<T> Eq for Sealed<T> {}

impl<T> fmt::Debug for Sealed<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sealed(..)")
    }
}
