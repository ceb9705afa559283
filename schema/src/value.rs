//! Values that are valid by construction: parsed when a request arrives, and trusted from then on.

mod characters;
mod described;
mod email;
mod password;
mod phone;
mod text;
mod web_address;
mod whole;
mod zone;

pub use self::{
    characters::is_misleading,
    described::Dialled,
    password::Password,
    phone::Region,
    text::label,
    web_address::is_in as holds_web_address,
    whole::Whole,
    zone::{DayStart, Zone},
};

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use serde_with::{DeserializeFromStr, SerializeDisplay};

use crate::sealed::Personal;

/// A refused value. The text says what is allowed, in words that a client can show.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Invalid(pub String);

const NAME_CHARS_MAX: usize = 100;
const NOTE_CHARS_MAX: usize = 500;
const REASON_CHARS_MAX: usize = 200;

macro_rules! personal_text {
    ($(#[$doc:meta])* $name:ident, $field:literal) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash)]
        pub struct $name(String);

        impl Personal for $name {
            const FIELD: &'static str = $field;

            fn clear(&self) -> &str {
                &self.0
            }

            fn from_clear(text: String) -> Self {
                Self(text)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "(..)"))
            }
        }
    };
}

personal_text! {
    /// The name of a person, 1 to 100 characters.
    Name, "name"
}
personal_text! {
    /// A host's note about a party, 1 to 500 characters.
    Note, "note"
}
personal_text! {
    /// A host's reason for a command, 1 to 200 characters.
    Reason, "reason"
}
personal_text! {
    /// An e-mail address in ASCII, at most 254 bytes.
    Email, "email"
}
personal_text! {
    /// A telephone number in E.164 form.
    Phone, "phone"
}

personal_text! {
    /// The stored hash of a password, a PHC string. Only `commands` makes and checks it.
    PasswordHash, "password"
}

impl Name {
    /// # Errors
    /// The text is empty or too long, holds control characters or invisible ones, or would become a link in
    /// mail programs.
    pub fn parse(raw: &str) -> Result<Self, Invalid> {
        text::name(raw, NAME_CHARS_MAX).map(Self)
    }
}

impl Note {
    /// # Errors
    /// The text is empty or too long, or holds control characters or ones that turn the direction of writing.
    pub fn parse(raw: &str) -> Result<Self, Invalid> {
        text::prose(raw, NOTE_CHARS_MAX).map(Self)
    }
}

impl Reason {
    /// # Errors
    /// The text is empty or too long, or holds control characters or ones that turn the direction of writing.
    pub fn parse(raw: &str) -> Result<Self, Invalid> {
        text::prose(raw, REASON_CHARS_MAX).map(Self)
    }
}

/// A language of messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, SerializeDisplay, DeserializeFromStr)]
pub enum Language {
    En,
    Es,
}

impl Language {
    pub const ALL: [Self; 2] = [Self::En, Self::Es];
}

impl FromStr for Language {
    type Err = Invalid;

    fn from_str(raw: &str) -> Result<Self, Invalid> {
        let found = Self::ALL.into_iter().find(|language| language.to_string() == raw);
        found.ok_or_else(|| {
            Invalid(format!("must be one of: {}", Self::ALL.map(|one| one.to_string()).join(", ")))
        })
    }
}

impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::En => "en",
            Self::Es => "es",
        })
    }
}

/// The name of a list, 1 to 100 characters. It is public and no personal data.
///
/// A stored name is read without a check, so that events stay readable when new names are judged more
/// strictly.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ListName(String);

impl FromStr for ListName {
    type Err = Invalid;

    fn from_str(raw: &str) -> Result<Self, Invalid> {
        text::name(raw, NAME_CHARS_MAX).map(Self)
    }
}

impl fmt::Display for ListName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A whole number between two bounds, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct Bounded<const MIN: u32, const MAX: u32>(u32);

impl<const MIN: u32, const MAX: u32> Bounded<MIN, MAX> {
    pub const MAX: u32 = MAX;

    /// # Errors
    /// The number lies outside the bounds.
    pub fn parse(raw: i64) -> Result<Self, Invalid> {
        let number = u32::try_from(raw).ok().filter(|n| (MIN..=MAX).contains(n));
        number.map(Self).ok_or_else(|| Invalid(format!("must be a whole number from {MIN} to {MAX}")))
    }

    /// As [`Bounded::parse`], for a number in a request body.
    ///
    /// # Errors
    /// The number lies outside the bounds.
    pub fn read(raw: Whole) -> Result<Self, Invalid> {
        Self::parse(raw.0)
    }

    #[must_use]
    pub fn get(self) -> u32 {
        self.0
    }
}

impl<'de, const MIN: u32, const MAX: u32> Deserialize<'de> for Bounded<MIN, MAX> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(i64::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

/// The number of people in a party.
pub type PartySize = Bounded<1, 100>;
/// The most parties on a list's board.
pub type Capacity = Bounded<1, 400>;
/// The minutes for which a called party's table is held.
pub type HoldMinutes = Bounded<1, 120>;
/// The minutes between a reminder and the end of the hold.
pub type RemindMinutes = Bounded<1, 119>;
/// Quoted minutes of waiting.
pub type QuoteMinutes = Bounded<0, 600>;
/// The write units that a rebuild may consume in a second.
pub type WriteUnits = Bounded<1, 1_000_000>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_trimmed_bounded_and_without_control_characters() {
        assert_eq!(Name::parse("  Ana María ").unwrap().clear(), "Ana María");
        for raw in ["", "   ", "\u{7}\u{8}", "a\u{0}b", "two\nlines", &"x".repeat(101)] {
            assert!(Name::parse(raw).is_err(), "{raw}");
        }
        assert!(Note::parse("window seat\nhigh chair").is_ok());
        assert!(
            "Joe's Pizza Co.".parse::<ListName>().is_ok() && "joes-pizza.com".parse::<ListName>().is_err()
        );
    }

    #[test]
    fn a_stored_list_name_is_read_even_if_it_would_be_refused_now() {
        let stored: ListName = serde_json::from_str("\"joes-pizza.com\"").unwrap();
        assert_eq!(stored.to_string(), "joes-pizza.com");
    }

    #[test]
    fn personal_values_are_left_out_of_debug_output() {
        assert_eq!(format!("{:?}", Name::parse("Ana").unwrap()), "Name(..)");
    }

    #[test]
    fn a_refused_number_is_answered_with_its_bounds() {
        assert_eq!(PartySize::parse(0).unwrap_err().0, "must be a whole number from 1 to 100");
        assert!(PartySize::parse(1_000_000).is_err());
        assert_eq!(PartySize::parse(100).unwrap().get(), 100);
    }
}
