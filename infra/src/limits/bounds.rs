//! Kinds of counted attempts, and how many of each are allowed in a window of time.

use std::env;

use crate::failure::Failure;

/// The variable that changes bounds: `sign-in-account=10/15m,join-address=30/1h`.
const LIMITS: &str = "WAITLIST_LIMITS";

/// The variable that sets how many texts an account may send a day. An operator can set another number for one account.
const TEXTS_PER_DAY: &str = "WAITLIST_TEXTS_PER_DAY";

pub(super) const DAY_S: u32 = 24 * 3_600;

/// A kind of attempt that is counted. The names end in what the count is kept for: an account, or a network or e-mail
/// address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tries {
    /// Sign-ins with one e-mail address, and other requests that state the account's password.
    SignInAccount,
    SignInAddress,
    /// Registrations with one e-mail address.
    RegisterAccount,
    RegisterAddress,
    /// Requests for a mail to one e-mail address.
    MailAccount,
    /// Requests for a password reset by mail to one e-mail address. Counted per day, besides `MailAccount`.
    ResetAccount,
    MailAddress,
    /// Uses of tokens from mails.
    TokenAddress,
    /// Guests joining the lists of one account. Counted only when nothing else would refuse the join.
    JoinAccount,
    /// Guests joining by themselves.
    JoinAddress,
    /// Texts sent by one account.
    TextAccount,
    /// Texts to one number.
    TextNumber,
    /// Mails of one account to its guests.
    GuestMailAccount,
    /// Mails to guests of one account whose own address is not confirmed.
    GuestMailUnconfirmed,
    /// Mails to one guest's address.
    GuestMailAddress,
}

/// A number of attempts in a window of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bound {
    pub tries: u32,
    pub window_s: u32,
}

impl Tries {
    const ALL: [Self; 15] = [
        Self::SignInAccount,
        Self::SignInAddress,
        Self::RegisterAccount,
        Self::RegisterAddress,
        Self::MailAccount,
        Self::ResetAccount,
        Self::MailAddress,
        Self::TokenAddress,
        Self::JoinAccount,
        Self::JoinAddress,
        Self::TextAccount,
        Self::TextNumber,
        Self::GuestMailAccount,
        Self::GuestMailUnconfirmed,
        Self::GuestMailAddress,
    ];

    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::SignInAccount => "sign-in-account",
            Self::SignInAddress => "sign-in-address",
            Self::RegisterAccount => "register-account",
            Self::RegisterAddress => "register-address",
            Self::MailAccount => "mail-account",
            Self::ResetAccount => "reset-account",
            Self::MailAddress => "mail-address",
            Self::TokenAddress => "token-address",
            Self::JoinAccount => "join-account",
            Self::JoinAddress => "join-address",
            Self::TextAccount => "text-account",
            Self::TextNumber => "text-number",
            Self::GuestMailAccount => "guest-mail-account",
            Self::GuestMailUnconfirmed => "guest-mail-unconfirmed",
            Self::GuestMailAddress => "guest-mail-address",
        }
    }

    /// The default bound: enough for people, too few for machines. Many guests share one network address, the
    /// restaurant's.
    fn default_bound(self) -> Bound {
        let (tries, window_s) = match self {
            Self::SignInAccount => (10, 900),
            Self::SignInAddress => (100, 900),
            Self::RegisterAccount => (5, 3_600),
            Self::RegisterAddress => (60, 3_600),
            Self::MailAccount => (5, 3_600),
            Self::ResetAccount => (20, DAY_S),
            Self::MailAddress => (20, 3_600),
            Self::TokenAddress => (60, 3_600),
            Self::JoinAccount => (600, 3_600),
            Self::JoinAddress => (60, 3_600),
            Self::TextAccount => (200, DAY_S),
            Self::TextNumber | Self::GuestMailAddress => (10, DAY_S),
            Self::GuestMailAccount => (500, DAY_S),
            Self::GuestMailUnconfirmed => (20, DAY_S),
        };
        Bound { tries, window_s }
    }
}

/// The bounds of all kinds of attempts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds([Bound; Tries::ALL.len()]);

impl Default for Bounds {
    fn default() -> Self {
        Self(Tries::ALL.map(Tries::default_bound))
    }
}

impl Bounds {
    /// Reads `WAITLIST_LIMITS` and `WAITLIST_TEXTS_PER_DAY`. Bounds that neither sets keep their defaults.
    ///
    /// # Errors
    /// A variable is malformed; the error says what is allowed.
    pub fn from_env() -> Result<Self, Failure> {
        let mut bounds = match env::var(LIMITS) {
            Ok(text) => Self::parse(&text)
                .map_err(|cause| Failure::broken("read the configuration", format!("{LIMITS}: {cause}")))?,
            Err(_) => Self::default(),
        };
        if let Ok(text) = env::var(TEXTS_PER_DAY) {
            let tries = text.parse().ok().filter(|texts| (1..=1_000_000).contains(texts));
            let advice = format!("{TEXTS_PER_DAY} must be a whole number from 1 to 1000000");
            bounds.set(
                Tries::TextAccount,
                Bound {
                    tries: tries.ok_or_else(|| Failure::broken("read the configuration", advice))?,
                    window_s: DAY_S,
                },
            );
        }
        Ok(bounds)
    }

    fn set(&mut self, tries: Tries, bound: Bound) {
        if let Some(place) = Tries::ALL.iter().position(|one| *one == tries) {
            self.0[place] = bound;
        }
    }

    /// Parses changes to the default bounds, such as `sign-in-account=10/15m,join-address=30/1h`.
    ///
    /// # Errors
    /// The text is malformed; the error says what is allowed.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut bounds = Self::default();
        for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            let wrong = || {
                format!(
                    "{part:?} is not a bound; write it as sign-in-account=10/15m: 1 to 1000000 attempts in 1s to 24h"
                )
            };
            let (name, bound) = part.split_once('=').ok_or_else(wrong)?;
            let names = || Tries::ALL.map(Tries::as_str).join(", ");
            let tries = Tries::ALL.into_iter().find(|tries| tries.as_str() == name);
            let tries =
                tries.ok_or_else(|| format!("{name:?} is not a kind of attempt; use one of {}", names()))?;
            bounds.set(tries, parse_bound(bound).ok_or_else(wrong)?);
        }
        Ok(bounds)
    }

    #[must_use]
    pub fn of(&self, tries: Tries) -> Bound {
        let at = Tries::ALL.iter().position(|one| *one == tries);
        at.and_then(|at| self.0.get(at)).copied().unwrap_or_else(|| tries.default_bound())
    }
}

fn parse_bound(text: &str) -> Option<Bound> {
    let (tries, window) = text.split_once('/')?;
    let unit = match window.chars().last()? {
        's' => 1,
        'm' => 60,
        'h' => 3_600,
        _ => return None,
    };
    let window_s = window[..window.len() - 1]
        .parse::<u32>()
        .ok()?
        .checked_mul(unit)
        .filter(|window| (1..=DAY_S).contains(window))?;
    Some(Bound { tries: tries.parse().ok().filter(|tries| (1..=1_000_000).contains(tries))?, window_s })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_are_read_from_a_text() {
        let bounds = Bounds::parse("sign-in-account=3/30s, join-address=1000/24h").unwrap();
        assert_eq!(bounds.of(Tries::SignInAccount), Bound { tries: 3, window_s: 30 });
        assert_eq!(bounds.of(Tries::JoinAddress), Bound { tries: 1_000, window_s: 86_400 });
        assert_eq!(bounds.of(Tries::SignInAddress), Tries::SignInAddress.default_bound());
        assert_eq!(Bounds::parse("").unwrap(), Bounds::default());
    }

    #[test]
    fn a_malformed_bound_is_refused_and_the_error_lists_the_kinds() {
        for text in [
            "sign-in-account",
            "sign-in-account=3",
            "sign-in-account=0/1m",
            "sign-in-account=3/25h",
            "sign-in-account=3/5",
            "=1/1m",
        ] {
            assert!(Bounds::parse(text).is_err(), "{text}");
        }
        let refused = Bounds::parse("sign-ins=3/1m").unwrap_err();
        assert!(refused.contains("sign-in-account"), "{refused}");
    }
}
