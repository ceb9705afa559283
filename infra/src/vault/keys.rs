use std::{fmt, sync::Arc};

use aws_lc_rs::hmac;
use data_encoding::BASE64URL_NOPAD;
use schema::{
    Sealed, StreamId,
    commit::{Bytes, Tag},
    sealed::{Opened, Personal},
};

use super::subject::Subject;
use crate::crypto::{Cipher, Secret, framed};

/// The opened key of one account or guest: seals, opens and authenticates values. Clones share the key.
///
/// Keep it for one request at most. The vault bounds how long an erased subject stays readable, but not for a
/// caller that keeps a copy.
#[derive(Clone)]
pub struct SubjectKey(Arc<Subkeys>);

struct Subkeys {
    kind: Kind,
    seal: Cipher,
    mac: hmac::Key,
    /// Wraps the keys of guests; unused in a guest's key.
    wrap: Cipher,
}

/// The kind of subject, written as the first byte of every sealed text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Account,
    Guest,
}

impl Kind {
    fn byte(self) -> u8 {
        match self {
            Self::Account => b'a',
            Self::Guest => b'g',
        }
    }
}

impl SubjectKey {
    pub(super) fn new(subject: Subject, secret: &Secret) -> Self {
        let kind = match subject {
            Subject::Account(_) => Kind::Account,
            Subject::Guest { .. } => Kind::Guest,
        };
        Self(Arc::new(Subkeys {
            kind,
            seal: Cipher::new(&secret.derive(b"seal")),
            mac: hmac::Key::new(hmac::HMAC_SHA256, secret.derive(b"mac").bytes()),
            wrap: Cipher::new(&secret.derive(b"wrap")),
        }))
    }

    /// Seals a value for one field of one stream.
    #[must_use]
    pub fn seal<T: Personal>(&self, stream: StreamId, value: &T) -> Sealed<T> {
        let sealed = self.0.seal.seal(&place::<T>(stream), value.clear().as_bytes());
        Sealed::from_text(BASE64URL_NOPAD.encode(&[&[self.0.kind.byte()], sealed.as_slice()].concat()))
    }

    /// Opens a value. It is `Damaged` when the text was altered, or sealed for another field or stream or
    /// under another key.
    #[must_use]
    pub fn open<T: Personal>(&self, stream: StreamId, sealed: &Sealed<T>) -> Opened<T> {
        self.clear_text(&place::<T>(stream), sealed.text())
            .map_or(Opened::Damaged, |text| Opened::Clear(T::from_clear(text)))
    }

    fn clear_text(&self, place: &[u8], text: &str) -> Option<String> {
        let bytes = BASE64URL_NOPAD.decode(text.as_bytes()).ok()?;
        let (kind, sealed) = bytes.split_first()?;
        if *kind != self.0.kind.byte() {
            return None;
        }
        String::from_utf8(self.0.seal.open(place, sealed)?).ok()
    }

    /// Returns an authentication code of these parts, with which requests are compared without storing their
    /// content.
    #[must_use]
    pub fn mac(&self, purpose: &str, parts: &[&[u8]]) -> Tag {
        let mut code = hmac::Context::with_key(&self.0.mac);
        code.update(&framed(&[purpose.as_bytes()]));
        code.update(&framed(parts));
        let mut tag = [0; 16];
        tag.iter_mut().zip(code.sign().as_ref()).for_each(|(half, full)| *half = *full);
        Bytes(tag)
    }

    /// Wraps a guest's key by this account's key.
    pub(super) fn wrap(&self, guest: Subject, key: &Secret) -> Vec<u8> {
        self.0.wrap.seal(guest.to_string().as_bytes(), key.bytes())
    }

    /// Unwraps a guest's key. Returns `None` when it was altered or belongs to a guest of another account.
    pub(super) fn unwrap(&self, guest: Subject, wrapped: &[u8]) -> Option<Secret> {
        self.0.wrap.open(guest.to_string().as_bytes(), wrapped).and_then(Secret::take)
    }
}

/// Names the stream and field to which a ciphertext is bound, so that it does not open anywhere else.
fn place<T: Personal>(stream: StreamId) -> Vec<u8> {
    framed(&[stream.to_string().as_bytes(), T::FIELD.as_bytes()])
}

impl fmt::Debug for SubjectKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SubjectKey({:?}, ..)", self.0.kind)
    }
}
