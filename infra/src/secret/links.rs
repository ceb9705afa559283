//! Tokens that carry a MAC and are stored nowhere, and the keyed hashes under which attempts are counted.
//!
//! Every purpose has a key of its own, derived from the current secret. After a rotation, tokens of the previous secret are
//! still accepted.

use std::{fs, io, path::Path};

use aws_lc_rs::constant_time::verify_slices_are_equal;
use data_encoding::BASE64URL_NOPAD;
use schema::{SessionId, Time, UserId, WaiteeId};
use uuid::Uuid;

use super::{Code, code};
use crate::{clock::random, crypto::Secret, failure::Failure, file};

/// File names in the key directory. The previous secret exists only after a replacement.
pub(crate) const CURRENT: &str = "secret";
const PREVIOUS: &str = "secret-previous";

/// The purpose of a token in an e-mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mailed {
    /// Confirms the e-mail address.
    Confirmation,
    /// Sets a new password.
    PasswordReset,
}

impl Mailed {
    fn purpose(self) -> &'static str {
        match self {
            Self::Confirmation => "confirmation",
            Self::PasswordReset => "password-reset",
        }
    }
}

/// A token from an e-mail, parsed but not verified: [`Links::was_mailed`] does that.
#[derive(Clone, Debug)]
pub struct MailedToken {
    pub user: UserId,
    /// The token is invalid from this time on.
    pub ends_at: Time,
    code: Code,
}

impl MailedToken {
    /// Parses a token. `None` when it does not have the form of one.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (user, ends_at, code) = split::<16, 8>(text)?;
        Some(Self {
            user: UserId(Uuid::from_bytes(user)),
            ends_at: Time::from_millis(i64::from_be_bytes(ends_at)),
            code,
        })
    }
}

/// The current secret and, after a rotation, the previous one.
pub struct Links {
    current: Secret,
    previous: Option<Secret>,
}

impl Links {
    pub(super) fn new(current: Secret, previous: Option<Secret>) -> Self {
        Self { current, previous }
    }

    /// Reads the secrets of a key directory. Makes the current secret when it is missing, as after it was renamed to be the
    /// previous one.
    ///
    /// # Errors
    /// A file cannot be read or made, or holds no secret.
    pub fn load_or_create(directory: &Path) -> Result<Self, Failure> {
        let read = |name: &str| {
            let path = directory.join(name);
            let doing = || format!("read the secret {}", path.display());
            let fresh = || Ok::<_, io::Error>(random::<32>().to_vec());
            let read = match name {
                CURRENT => file::read_or_create_secret(&path, fresh),
                _ => file::read_secret(&path),
            };
            let bytes = read.map_err(|cause| Failure::broken(doing(), cause))?;
            Secret::take(bytes)
                .ok_or_else(|| Failure::broken(doing(), "the file does not hold exactly 32 bytes"))
        };
        let previous = fs::exists(directory.join(PREVIOUS))
            .map_err(|cause| Failure::broken("look for a previous secret", cause))?;
        Ok(Self::new(read(CURRENT)?, previous.then(|| read(PREVIOUS)).transpose()?))
    }

    /// The token by which a guest follows a visit.
    #[must_use]
    pub fn visit_token(&self, visit: WaiteeId) -> String {
        let bytes = visit.0.into_bytes();
        BASE64URL_NOPAD.encode(&[bytes.as_slice(), &self.code("visit", &[&bytes])].concat())
    }

    /// The visit that a token is for. `None` when its MAC does not match.
    #[must_use]
    pub fn read_visit_token(&self, text: &str) -> Option<WaiteeId> {
        let (visit, [], code) = split::<16, 0>(text)?;
        self.is_code("visit", &[&visit], &code).then(|| WaiteeId(Uuid::from_bytes(visit)))
    }

    /// The refresh token of this number in a session.
    #[must_use]
    pub fn refresh_token(&self, session: SessionId, number: u32) -> String {
        let (session, number) = (session.0.into_bytes(), number.to_be_bytes());
        BASE64URL_NOPAD
            .encode(&[session.as_slice(), &number, &self.code("refresh", &[&session, &number])].concat())
    }

    /// Session and number of a refresh token. `None` when its MAC does not match.
    #[must_use]
    pub fn read_refresh_token(&self, text: &str) -> Option<(SessionId, u32)> {
        let (session, number, code) = split::<16, 4>(text)?;
        let ours = self.is_code("refresh", &[&session, &number], &code);
        ours.then(|| (SessionId(Uuid::from_bytes(session)), u32::from_be_bytes(number)))
    }

    /// A token for a link in an e-mail. It is invalid from `ends_at` on, and once the account has a newer event of the kind
    /// that `seq` names: its registration, or its last change of password.
    #[must_use]
    pub fn mailed_token(&self, purpose: Mailed, user: UserId, ends_at: Time, seq: u64) -> String {
        let (user, ends_at) = (user.0.into_bytes(), ends_at.millis().to_be_bytes());
        let code = self.code(purpose.purpose(), &[&user, &ends_at, &seq.to_be_bytes()]);
        BASE64URL_NOPAD.encode(&[user.as_slice(), &ends_at, &code].concat())
    }

    /// Whether the token is genuine for this purpose and `seq`. The caller checks `ends_at`.
    #[must_use]
    pub fn was_mailed(&self, purpose: Mailed, token: &MailedToken, seq: u64) -> bool {
        let (user, ends_at) = (token.user.0.into_bytes(), token.ends_at.millis().to_be_bytes());
        self.is_code(purpose.purpose(), &[&user, &ends_at, &seq.to_be_bytes()], &token.code)
    }

    /// The keyed hash under which attempts by an account, an e-mail address or a network address are counted.
    #[must_use]
    pub(crate) fn counted(&self, what: &str, who: &str) -> String {
        BASE64URL_NOPAD.encode(&self.code("limits", &[what.as_bytes(), who.as_bytes()]))
    }

    fn code(&self, purpose: &str, parts: &[&[u8]]) -> Code {
        code(&self.current, purpose, parts)
    }

    fn is_code(&self, purpose: &str, parts: &[&[u8]], found: &Code) -> bool {
        let secrets = [Some(&self.current), self.previous.as_ref()];
        secrets
            .into_iter()
            .flatten()
            .any(|secret| verify_slices_are_equal(&code(secret, purpose, parts), found).is_ok())
    }
}

/// A token's two fields and its code. `None` when the length is wrong or it is not base64url.
fn split<const A: usize, const B: usize>(text: &str) -> Option<([u8; A], [u8; B], Code)> {
    let bytes = BASE64URL_NOPAD.decode(text.as_bytes()).ok()?;
    let (first, rest) = bytes.split_first_chunk::<A>()?;
    let (second, rest) = rest.split_first_chunk::<B>()?;
    Some((*first, *second, rest.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn links() -> (tempfile::TempDir, Links) {
        let directory = tempfile::tempdir().unwrap();
        let links = Links::load_or_create(directory.path()).unwrap();
        (directory, links)
    }

    #[test]
    fn a_token_names_its_visit_and_an_altered_one_is_refused() {
        let (_directory, links) = links();
        let visit = WaiteeId(Uuid::from_u128(7));
        let token = links.visit_token(visit);
        assert_eq!(links.read_visit_token(&token), Some(visit));
        for at in 0..token.len() {
            let mut altered = token.clone().into_bytes();
            altered[at] = if altered[at] == b'A' { b'B' } else { b'A' };
            assert_eq!(links.read_visit_token(&String::from_utf8(altered).unwrap()), None, "character {at}");
        }
        for text in ["", "A", &token[1..], &format!("{token}A"), &format!("{token}="), "ü"] {
            assert_eq!(links.read_visit_token(text), None, "{text}");
        }
    }

    #[test]
    fn a_token_for_one_purpose_is_refused_for_another() {
        let (_directory, links) = links();
        let (user, end) = (UserId(Uuid::from_u128(7)), Time::from_millis(1_000));
        let token = MailedToken::parse(&links.mailed_token(Mailed::Confirmation, user, end, 1)).unwrap();
        assert_eq!((token.user, token.ends_at), (user, end));
        assert!(links.was_mailed(Mailed::Confirmation, &token, 1));
        assert!(!links.was_mailed(Mailed::PasswordReset, &token, 1));
        assert!(!links.was_mailed(Mailed::Confirmation, &token, 2), "the account has moved on");
        let later = MailedToken { ends_at: end.plus_millis(1), ..token };
        assert!(!links.was_mailed(Mailed::Confirmation, &later, 1));
    }

    #[test]
    fn a_refresh_token_names_its_session_and_number() {
        let (_directory, links) = links();
        let session = SessionId(Uuid::from_u128(7));
        assert_eq!(links.read_refresh_token(&links.refresh_token(session, 3_000)), Some((session, 3_000)));
        assert_eq!(links.read_refresh_token(&links.visit_token(WaiteeId(session.0))), None);
    }

    #[test]
    fn tokens_of_the_previous_secret_are_accepted_until_a_second_rotation() {
        let (directory, before) = links();
        let visit = WaiteeId(Uuid::from_u128(7));
        let token = before.visit_token(visit);
        fs::rename(directory.path().join(CURRENT), directory.path().join(PREVIOUS)).unwrap();
        let after = Links::load_or_create(directory.path()).unwrap();
        assert_ne!(after.visit_token(visit), token);
        assert_eq!(after.read_visit_token(&token), Some(visit));
        fs::remove_file(directory.path().join(PREVIOUS)).unwrap();
        assert_eq!(Links::load_or_create(directory.path()).unwrap().read_visit_token(&token), None);
    }
}
