//! Instants in UTC, to the millisecond.

use std::{fmt, ops::RangeInclusive, str::FromStr};

use chrono::{DateTime, Datelike as _, Months, NaiveDate, NaiveTime, SecondsFormat, Utc};
use serde_with::{DeserializeFromStr, SerializeDisplay};

use crate::described::described;

const MINUTE_MS: i64 = 60_000;

/// The first and the last millisecond that RFC 3339 can write in UTC, in the years 0000 and 9999.
const MILLIS: RangeInclusive<i64> = -62_167_219_200_000..=253_402_300_799_999;

/// An instant in UTC, in whole milliseconds; written as RFC 3339 with three decimals.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, SerializeDisplay, DeserializeFromStr)]
pub struct Time(DateTime<Utc>);

described!(Time, {
    "description": "An instant in UTC, in RFC 3339 with milliseconds.",
    "type": "string",
    "format": "date-time",
    "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\\.[0-9]{3}Z$",
    "examples": ["2026-11-21T03:00:00.000Z"],
});

#[derive(Debug, thiserror::Error)]
#[error("must be an RFC 3339 time such as 2026-11-20T19:42:00Z")]
pub struct NotATime;

impl Time {
    /// The instant `ms` milliseconds after the Unix epoch, clamped to the years 0000 to 9999: what is written can be
    /// read again.
    #[must_use]
    pub fn from_millis(ms: i64) -> Self {
        let ms = ms.clamp(*MILLIS.start(), *MILLIS.end());
        Self(DateTime::from_timestamp_millis(ms).unwrap_or_default())
    }

    /// Milliseconds since the Unix epoch.
    #[must_use]
    pub fn millis(self) -> i64 {
        self.0.timestamp_millis()
    }

    /// This instant, `ms` milliseconds later (earlier when negative).
    #[must_use]
    pub fn plus_millis(self, ms: i64) -> Self {
        Self::from_millis(self.millis().saturating_add(ms))
    }

    /// This instant, `minutes` later.
    #[must_use]
    pub fn plus_minutes(self, minutes: u32) -> Self {
        self.plus_millis(i64::from(minutes) * MINUTE_MS)
    }

    /// This instant as HTTP's `Date` has it, cut to the second (RFC 9110, section 5.6.7).
    #[must_use]
    pub fn http_date(self) -> String {
        self.0.format("%a, %d %b %Y %H:%M:%S GMT").to_string()
    }

    /// The start of the minute in which this instant lies.
    #[must_use]
    pub fn minute(self) -> Self {
        Self::from_millis(self.millis().div_euclid(MINUTE_MS).saturating_mul(MINUTE_MS))
    }

    /// The date in UTC.
    #[must_use]
    pub fn date(self) -> NaiveDate {
        self.0.date_naive()
    }

    /// `2026-11`: the month that the audit index partitions by.
    #[must_use]
    pub fn month(self) -> String {
        self.0.format("%Y-%m").to_string()
    }

    /// The start of the month in which this instant lies.
    #[must_use]
    pub fn month_start(self) -> Self {
        let day = self.0.date_naive();
        Self(day.with_day(1).unwrap_or(day).and_time(NaiveTime::MIN).and_utc())
    }

    /// The start of the month after, or the last instant in the last month.
    #[must_use]
    pub fn next_month(self) -> Self {
        let start = self.month_start().0;
        let next = start.checked_add_months(Months::new(1));
        Self::from_millis(next.map_or(*MILLIS.end(), |next| next.timestamp_millis()))
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.to_rfc3339_opts(SecondsFormat::Millis, true))
    }
}

impl FromStr for Time {
    type Err = NotATime;

    fn from_str(text: &str) -> Result<Self, NotATime> {
        let parsed = DateTime::parse_from_rfc3339(text).map_err(|_| NotATime)?;
        Ok(Self::from_millis(parsed.timestamp_millis()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_written_in_utc_with_milliseconds() {
        let text = "2026-11-20T19:42:00.007Z";
        assert_eq!(text.parse::<Time>().unwrap().to_string(), text);
        assert_eq!("2026-11-20T20:42:00.007+01:00".parse::<Time>().unwrap().to_string(), text);
    }

    #[test]
    fn every_time_that_is_written_can_be_read() {
        for ms in [i64::MIN, *MILLIS.start() - 1, -1, 0, *MILLIS.end() + 1, i64::MAX] {
            let time = Time::from_millis(ms);
            assert_eq!(time.to_string().parse::<Time>().unwrap(), time);
        }
        for (text, nearest) in [
            ("9999-12-31T23:59:59-23:59", "9999-12-31T23:59:59.999Z"),
            ("0000-01-01T00:00:00+01:00", "0000-01-01T00:00:00.000Z"),
        ] {
            let time: Time = text.parse().unwrap();
            assert_eq!(time.to_string(), nearest);
            assert!(time.next_month().to_string().parse::<Time>().is_ok());
        }
    }

    #[test]
    fn a_month_ends_where_the_next_begins() {
        for (at, month, start, next) in [
            ("2026-11-20T19:42:00.007Z", "2026-11", "2026-11-01", "2026-12-01"),
            ("2026-12-31T23:59:59.999Z", "2026-12", "2026-12-01", "2027-01-01"),
            ("2028-02-29T00:00:00.000Z", "2028-02", "2028-02-01", "2028-03-01"),
        ] {
            let at: Time = at.parse().unwrap();
            assert_eq!(at.month(), month);
            assert_eq!(at.month_start().to_string(), format!("{start}T00:00:00.000Z"));
            assert_eq!(at.next_month().to_string(), format!("{next}T00:00:00.000Z"));
        }
    }

    #[test]
    fn the_minute_of_an_instant_is_its_start() {
        let minute = |text: &str| text.parse::<Time>().unwrap().minute().to_string();
        assert_eq!(minute("2026-11-20T19:42:59.999Z"), "2026-11-20T19:42:00.000Z");
        assert_eq!(minute("2026-11-20T19:42:00Z"), "2026-11-20T19:42:00.000Z");
    }
}
