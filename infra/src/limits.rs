//! Bounds on tries: how often somebody, or somewhere, may ask for what is worth abusing.
//!
//! A try is counted before any work is done for it, and a try that is refused counts nothing. One item stands for one window of
//! time, so that several processes count as one; it expires with its window. One write unit per count.

mod share;

use std::{env, net::IpAddr};

use aws_sdk_dynamodb::{Client, operation::update_item::UpdateItemError, types::AttributeValue};
use schema::{Problem, table};

pub use self::share::{Share, Taken};
use crate::{clock::Clock, failure::Failure, secret::Secrets};

/// The variable that changes bounds: `sign-in-account=10/15m,join-address=30/1h`.
const VARIABLE: &str = "WAITLIST_LIMITS";

/// The variable that says how many texts an account may send a day, unless an operator said otherwise.
const TEXTS_PER_DAY: &str = "WAITLIST_TEXTS_PER_DAY";

/// An expired item may go a while after its window ended, so that no clock that is behind misses it.
const EXPIRY_SLACK_S: i64 = 600;

const DAY_S: u32 = 24 * 3_600;

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tries {
    /// Signing in with one e-mail address, or saying an account's password.
    SignInAccount,
    /// Signing in from one network address.
    SignInAddress,
    /// Registering with one e-mail address.
    RegisterAccount,
    /// Registering from one network address.
    RegisterAddress,
    /// Asking for a mail to one e-mail address.
    MailAccount,
    /// Asking for a password reset by mail to one e-mail address, in a day.
    ResetAccount,
    /// Asking for mails from one network address.
    MailAddress,
    /// Bringing back what mails hold, from one network address.
    TokenAddress,
    /// Guests' joins of one account's lists that nothing but this bound could refuse.
    JoinAccount,
    /// Joining by themselves, from one network address.
    JoinAddress,
    /// Texts of one account.
    TextAccount,
    /// Texts to one number.
    TextNumber,
    /// Mails of one account to its guests.
    GuestMailAccount,
    /// The same, while its own address is not confirmed.
    GuestMailUnconfirmed,
    /// Mails to one guest's address.
    GuestMailAddress,
}

/// How many tries there may be in how many seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bound {
    /// Tries.
    pub tries: u32,
    /// Seconds.
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

    fn as_str(self) -> &'static str {
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

    /// Enough for people, too few for machines. Of guests many stand behind one address: the restaurant's.
    fn usual(self) -> Bound {
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

/// All bounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds([Bound; Tries::ALL.len()]);

impl Default for Bounds {
    fn default() -> Self {
        Self(Tries::ALL.map(Tries::usual))
    }
}

impl Bounds {
    /// The usual bounds, changed by `WAITLIST_LIMITS` and `WAITLIST_TEXTS_PER_DAY`.
    ///
    /// # Errors
    /// The variable is not understood: the message says what is allowed.
    pub fn from_env() -> Result<Self, Failure> {
        let mut bounds = match env::var(VARIABLE) {
            Ok(text) => Self::parse(&text)
                .map_err(|cause| Failure::broken("read the configuration", format!("{VARIABLE}: {cause}")))?,
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

    /// The usual bounds, changed by a text such as `sign-in-account=10/15m,join-address=30/1h`.
    ///
    /// # Errors
    /// The text is not understood.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut bounds = Self::default();
        for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            let wrong = || {
                format!(
                    "{part:?} is no bound; write it as sign-in-account=10/15m: 1 to 1000000 tries in 1s to 24h"
                )
            };
            let (name, bound) = part.split_once('=').ok_or_else(wrong)?;
            let names = || Tries::ALL.map(Tries::as_str).join(", ");
            let tries = Tries::ALL.into_iter().find(|tries| tries.as_str() == name);
            let tries = tries.ok_or_else(|| format!("{name:?} is none of {}", names()))?;
            bounds.set(tries, parse_bound(bound).ok_or_else(wrong)?);
        }
        Ok(bounds)
    }

    /// The bound of one kind of tries.
    #[must_use]
    pub fn of(&self, tries: Tries) -> Bound {
        let at = Tries::ALL.iter().position(|one| *one == tries);
        at.and_then(|at| self.0.get(at)).copied().unwrap_or_else(|| tries.usual())
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

/// Counts tries. Clones share their connections.
#[derive(Clone, Debug)]
pub struct Limits {
    client: Client,
    table: String,
    secrets: Secrets,
    clock: Clock,
    bounds: Bounds,
}

impl Limits {
    /// The counts of the deployment `prefix`.
    #[must_use]
    pub fn new(client: Client, prefix: &str, secrets: Secrets, clock: Clock, bounds: Bounds) -> Self {
        Self { client, table: table::LIMITS.name(prefix), secrets, clock, bounds }
    }

    /// Counts a try of somebody: who that is rests only as a hash.
    ///
    /// # Errors
    /// 429 when there were too many in this window; the table does not answer.
    pub async fn count(&self, tries: Tries, who: &str) -> Result<(), Failure> {
        let counted = self.count_within(tries, who, self.bounds.of(tries)).await?;
        counted.map(drop).map_err(|seconds| Problem::too_many(seconds).into())
    }

    /// The item that counts it; or in how many seconds there may be another.
    async fn count_within(
        &self,
        tries: Tries,
        who: &str,
        Bound { tries: most, window_s }: Bound,
    ) -> Result<Result<Taken, u32>, Failure> {
        let window_s = i64::from(window_s);
        let now_s = self.clock.now().millis().div_euclid(1_000);
        let window = now_s.div_euclid(window_s);
        let ends_s = (window + 1) * window_s;
        let subject =
            format!("{}-{window_s}-{window}-{}", tries.as_str(), self.secrets.counted(tries.as_str(), who));
        let counted = self
            .client
            .update_item()
            .table_name(&self.table)
            .key("subject", AttributeValue::S(subject.clone()))
            .update_expression("SET #expires = :expires ADD #tries :one")
            .condition_expression("attribute_not_exists(#tries) OR #tries < :most")
            .expression_attribute_names("#expires", "expires_at")
            .expression_attribute_names("#tries", "tries")
            .expression_attribute_values(":expires", AttributeValue::N((ends_s + EXPIRY_SLACK_S).to_string()))
            .expression_attribute_values(":one", AttributeValue::N("1".into()))
            .expression_attribute_values(":most", AttributeValue::N(most.to_string()))
            .send()
            .await;
        match counted {
            Ok(_) => Ok(Ok(Taken(subject))),
            Err(error) => match error.as_service_error() {
                Some(UpdateItemError::ConditionalCheckFailedException(_)) => {
                    Ok(Err(u32::try_from(ends_s - now_s).unwrap_or(1)))
                }
                _ => Err(Failure::aws(format!("count {}", tries.as_str()), error)),
            },
        }
    }

    /// Counts a try from a network address: of IPv6 the first half, which is one household's. Where the address is not known,
    /// all such tries count as one's.
    ///
    /// # Errors
    /// As [`Limits::count`].
    pub async fn count_from(&self, tries: Tries, address: Option<IpAddr>) -> Result<(), Failure> {
        let from = match address.map(|address| address.to_canonical()) {
            None => "unknown".to_owned(),
            Some(IpAddr::V4(v4)) => v4.to_string(),
            Some(IpAddr::V6(v6)) => format!("{:x}", v6.to_bits() >> 64),
        };
        self.count(tries, &from).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_are_read_from_a_text() {
        let bounds = Bounds::parse("sign-in-account=3/30s, join-address=1000/24h").unwrap();
        assert_eq!(bounds.of(Tries::SignInAccount), Bound { tries: 3, window_s: 30 });
        assert_eq!(bounds.of(Tries::JoinAddress), Bound { tries: 1_000, window_s: 86_400 });
        assert_eq!(bounds.of(Tries::SignInAddress), Tries::SignInAddress.usual());
        assert_eq!(Bounds::parse("").unwrap(), Bounds::default());
    }

    #[test]
    fn a_text_that_is_no_bound_is_told_what_is() {
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
        assert!(
            Bounds::parse("sign-ins=3/1m").unwrap_err().contains("sign-in-account"),
            "names what there is"
        );
    }
}
