//! Personal data as it rests: sealed, and never shown by accident.

use std::{fmt, marker::PhantomData};

use serde::{Deserialize, Serialize};

/// A value that identifies or describes a person, and so is stored only sealed.
pub trait Personal: Sized {
    /// The field that the ciphertext is bound to: a sealed note cannot be passed off as a name.
    const FIELD: &'static str;

    /// The value in clear.
    fn clear(&self) -> &str;

    /// The value that was sealed. It was parsed before sealing, so it is taken as it is.
    fn from_clear(text: String) -> Self;
}

/// A personal value under a subject's key: base64url of key kind (1 byte), nonce (12) and AEAD ciphertext with its tag.
///
/// Which key of that kind follows from the stream it stands in. Only `infra::vault` opens it.
#[derive(Serialize, Deserialize)]
#[serde(transparent, bound = "")]
pub struct Sealed<T> {
    text: String,
    #[serde(skip)]
    of: PhantomData<fn() -> T>,
}

impl<T: Personal> Sealed<T> {
    /// Wraps what the vault has sealed.
    #[must_use]
    pub fn from_text(text: String) -> Self {
        Self { text, of: PhantomData }
    }

    /// The stored text, as the vault needs it to open.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }
}

/// A sealed value, looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Opened<T> {
    /// The value.
    Clear(T),
    /// The key is gone: the person was forgotten.
    Erased,
    /// The key is there and does not fit: the stored text was altered or is not this field's.
    Damaged,
}

impl<T> Opened<T> {
    /// The value, when there is one to show.
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
