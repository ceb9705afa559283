//! Passwords, prepared so that the same password is recognised from every keyboard.

use std::fmt;

use super::{
    Invalid,
    characters::{composed, is_line_end},
};
use crate::described::{class, described};

const CHARS_MIN: usize = 8;
const CHARS_MAX: usize = 128; // bounds the work of hashing; no passphrase needs more

/// A password of 8 to 128 characters, prepared by the profile OpaqueString of RFC 8265. It is never stored or
/// shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Password(String);

impl Password {
    /// Prepares a password: spaces of other scripts become plain ones, and letters with accents are composed
    /// (form NFC). Some systems send `é` as one code point, others as two; both are the same password.
    ///
    /// # Errors
    /// The password is too short or too long, or holds control characters. Its strength is checked by
    /// `commands`.
    pub fn parse(raw: &str) -> Result<Self, Invalid> {
        if raw.chars().any(char::is_control) {
            return Err(Invalid("must not contain control characters".into()));
        }
        let spaced: String = raw.chars().map(|c| if is_space(c) { ' ' } else { c }).collect();
        let prepared = composed(&spaced).into_owned();
        if (CHARS_MIN..=CHARS_MAX).contains(&prepared.chars().count()) {
            return Ok(Self(prepared));
        }
        Err(Invalid(format!("must be {CHARS_MIN} to {CHARS_MAX} characters")))
    }

    #[must_use]
    pub fn clear(&self) -> &str {
        &self.0
    }
}

described!(Password, {
    "description": "A password, without control characters. A new one must also be hard to guess.",
    "type": "string",
    "format": "password",
    "minLength": CHARS_MIN,
    "maxLength": CHARS_MAX,
    "pattern": format!("^[^{}]*$", class(char::is_control)),
    "examples": ["correct horse battery staple"],
});

/// Unicode's space separators (Zs).
fn is_space(c: char) -> bool {
    c.is_whitespace() && !c.is_control() && !is_line_end(c)
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_encoding_of_letters_and_spaces_makes_no_difference() {
        let composed = Password::parse("caf\u{e9} cr\u{e8}me").unwrap();
        assert!(Password::parse("cafe\u{301} cre\u{300}me").unwrap() == composed);
        for space in ['\u{a0}', '\u{2003}', '\u{3000}'] {
            assert!(
                Password::parse(&format!("caf\u{e9}{space}cr\u{e8}me")).unwrap() == composed,
                "{space:?}"
            );
        }
        assert!(Password::parse("Caf\u{e9} cr\u{e8}me").unwrap() != composed, "case counts");
        assert!(Password::parse("cafe creme").unwrap() != composed, "accents count");
        let wide = Password::parse("\u{ff41}bcdefgh").unwrap();
        assert!(wide != Password::parse("abcdefgh").unwrap(), "compatibility characters count");
    }

    #[test]
    fn the_length_of_a_password_is_counted_after_preparation() {
        assert!(Password::parse("e\u{301}\u{e9}e\u{301}\u{e9}").is_err(), "four letters");
        assert!(Password::parse(&"e\u{301}".repeat(128)).is_ok());
        assert!(Password::parse(&"e\u{301}".repeat(129)).is_err());
        assert!(Password::parse("tab\tulated").is_err());
    }
}
