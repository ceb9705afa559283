//! The place where a page of a verification ended, as cursors hold it.

use std::{fmt, str::FromStr};

use chrono::NaiveDate;
use schema::{StreamId, Time, commit::Chain};

use crate::position::Position;

const MONTHS: u32 = 12;

/// A place in a verification. A client that alters it gets a wrong answer, for its own requests only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// The place from which on streams are not checked yet.
    pub(super) at: At,
    /// The stream in whose middle the page ended, and its check up to there.
    pub(super) inside: Option<(StreamId, Chain)>,
}

/// A place among the streams of an account or a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum At {
    Start,
    /// In a business day of a list, after this arrival; at the beginning of the day if that is empty.
    Day(NaiveDate, String),
    /// In a month of an account, before the commit with this id; at the end of the month if that is empty.
    Month(Month, String),
    /// After the only stream.
    End,
}

/// A stream to check, and the place after it.
#[derive(Clone, Debug)]
pub(super) struct Step {
    pub(super) stream: StreamId,
    pub(super) after: At,
}

/// A month, such as `2026-11`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Month(u32);

impl Month {
    /// The month of a time. `None` outside the years of four digits.
    pub(super) fn of(at: Time) -> Option<Self> {
        at.month().parse().ok()
    }

    pub(super) fn previous(self) -> Self {
        Self(self.0.saturating_sub(1))
    }
}

impl fmt::Display for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}", self.0 / MONTHS, self.0 % MONTHS + 1)
    }
}

#[derive(Debug)]
pub(super) struct NotAPlace;

impl FromStr for Month {
    type Err = NotAPlace;

    fn from_str(text: &str) -> Result<Self, NotAPlace> {
        let parse = || {
            let (year, month) = text.split_once('-')?;
            let (year, month): (u32, u32) = (year.parse().ok()?, month.parse().ok()?);
            (year <= 9_999 && (1..=MONTHS).contains(&month)).then(|| Self(year * MONTHS + month - 1))
        };
        parse().filter(|month| month.to_string() == text).ok_or(NotAPlace)
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.at {
            At::Start => write!(f, "s|")?,
            At::Day(day, arrival) => write!(f, "d{day}/{arrival}|")?,
            At::Month(month, commit) => write!(f, "m{month}/{commit}|")?,
            At::End => write!(f, "e|")?,
        }
        if let Some((stream, chain)) = self.inside {
            write!(f, "{stream}|{}", Position { after: 0, chain })?;
        }
        Ok(())
    }
}

impl FromStr for Place {
    type Err = NotAPlace;

    fn from_str(text: &str) -> Result<Self, NotAPlace> {
        let parse = || {
            let (at, inside) = text.split_once('|')?;
            let at = match at {
                "s" => At::Start,
                "e" => At::End,
                _ => {
                    let (first, text) = at.split_once('/')?;
                    match first.split_at_checked(1)? {
                        ("d", day) => At::Day(day.parse().ok()?, text.to_owned()),
                        ("m", month) => At::Month(month.parse().ok()?, text.to_owned()),
                        _ => return None,
                    }
                }
            };
            let inside = match inside.split_once('|') {
                Some((stream, position)) => {
                    Some((stream.parse().ok()?, position.parse::<Position>().ok()?.chain))
                }
                None => None,
            };
            Some(Self { at, inside })
        };
        parse().filter(|place| place.to_string() == text).ok_or(NotAPlace)
    }
}

#[cfg(test)]
mod tests {
    use schema::{
        WaiteeId,
        commit::{Broken, Bytes, Tail},
        id::Category,
    };
    use uuid::Uuid;

    use super::*;
    use crate::cursor::PLACE_BYTES_MAX;

    #[test]
    fn a_place_is_read_as_it_was_written() {
        let arrival = "2026-11-21T03:00:00.000Z#01920000-0000-7000-8000-000000000000".to_owned();
        let month = Month::of("2026-01-21T03:00:00Z".parse().unwrap()).unwrap();
        for at in [
            At::Start,
            At::End,
            At::Day("2026-11-20".parse().unwrap(), arrival),
            At::Month(month, Uuid::from_u128(7).to_string()),
            At::Month(month.previous(), String::new()),
        ] {
            for inside in [None, Some((WaiteeId(Uuid::from_u128(7)).into(), Chain::START))] {
                let place = Place { at: at.clone(), inside };
                assert_eq!(place.to_string().parse::<Place>().unwrap(), place);
            }
        }
        assert_eq!(month.previous().to_string(), "2025-12");
    }

    #[test]
    fn the_longest_place_fits_into_a_cursor() {
        let end = "9999-12-31T23:59:59.999Z".parse::<Time>().unwrap();
        let arrival = format!("{end}#{}", Uuid::from_u128(7));
        let head = Tail { seq: u64::MAX, at: Some(end), hash: Bytes([7; 32]) };
        let chain = Chain { head, key: u64::MAX - 1, broken: Some((u64::MAX, Broken::Gap)) };
        let ats = [At::Day(end.date(), arrival), At::Month(Month::of(end).unwrap(), Uuid::max().to_string())];
        for (at, category) in
            ats.into_iter().flat_map(|at| Category::ALL.map(|category| (at.clone(), category)))
        {
            let inside = Some((StreamId { category, id: Uuid::max() }, chain));
            let text = Place { at, inside }.to_string();
            assert!(text.len() <= PLACE_BYTES_MAX, "{} bytes: {text}", text.len());
        }
    }

    #[test]
    fn any_other_text_is_no_place() {
        for text in
            ["", "s", "x|", "s||", "d2026-11-31/|", "d2026-11-20|", "m2026-13/|", "m2026-1/|", "s|waitee-7|0"]
        {
            assert!(text.parse::<Place>().is_err(), "{text}");
        }
    }
}
