//! Time zones: the wall clock of a place, and the business days by it.

use std::{fmt, str::FromStr, sync::LazyLock};

use chrono::NaiveDate;
use jiff::{
    Timestamp,
    civil::{Date, Time as WallTime},
    tz::{AmbiguousOffset, TimeZone, TimeZoneDatabase},
};
use serde_with::{DeserializeFromStr, SerializeDisplay};

use super::Invalid;
use crate::{Time, described::described};

/// The rules compiled into this program. The machine's own rules are not read, because they may be older.
static RULES: LazyLock<TimeZoneDatabase> = LazyLock::new(TimeZoneDatabase::bundled);

/// A time zone of the IANA database.
#[derive(Clone, Debug, PartialEq, Eq, SerializeDisplay, DeserializeFromStr)]
pub struct Zone(TimeZone);

/// The wall-clock minute at which a business day starts: `04:00`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, SerializeDisplay, DeserializeFromStr)]
pub struct DayStart(WallTime);

impl Zone {
    /// The wall clock's time at an instant, in the format of C's `strftime`.
    #[must_use]
    pub fn wall_clock(&self, at: Time, format: &str) -> String {
        self.0.to_datetime(timestamp(at)).strftime(format).to_string()
    }

    /// Whether a reader at `now` understands `until` from its wall-clock time: not if the clock is set
    /// forward or back in between, nor if it shows that time again later.
    #[must_use]
    pub fn tells(&self, until: Time, now: Time) -> bool {
        let (now, until) = (timestamp(now), timestamp(until));
        let offset = self.0.to_offset(until);
        let shown_again = match self.0.to_ambiguous_timestamp(self.0.to_datetime(until)).offset() {
            AmbiguousOffset::Fold { before, .. } => before == offset,
            AmbiguousOffset::Unambiguous { .. } | AmbiguousOffset::Gap { .. } => false,
        };
        offset == self.0.to_offset(now) && !shown_again
    }

    /// The business day of an instant: the latest one that has begun. If days start at 04:00, a party that
    /// joins at 01:30 belongs to the evening before.
    ///
    /// A day begins at one instant, so days never go back when the wall clock does. A start in a repeated
    /// hour is the first one; a start in a skipped hour moves by as much as was skipped.
    #[must_use]
    pub fn business_day(&self, at: Time, starts: DayStart) -> NaiveDate {
        let at = timestamp(at);
        let today = self.0.to_datetime(at).date();
        let has_begun = |day: &Date| {
            let begins = self.0.to_timestamp(day.to_datetime(starts.0));
            begins.is_ok_and(|begins| begins <= at)
        };
        // Tomorrow may have begun if the clock went back past midnight. Yesterday may not have begun if a
        // whole day was skipped.
        let latest = today.tomorrow().unwrap_or(today);
        let mut days = std::iter::successors(Some(latest), |day| day.yesterday().ok());
        let day = days.by_ref().take(4).find(has_begun).unwrap_or(today);
        let (month, day_of_month) = (day.month().unsigned_abs(), day.day().unsigned_abs());
        NaiveDate::from_ymd_opt(day.year().into(), month.into(), day_of_month.into()).unwrap_or_default()
    }
}

/// The instant in the rules' type, which ends with the year 9999; a later instant becomes the last one.
fn timestamp(at: Time) -> Timestamp {
    let nearest = if at.millis() < 0 { Timestamp::MIN } else { Timestamp::MAX };
    Timestamp::from_millisecond(at.millis()).unwrap_or(nearest)
}

described!(Zone, {
    "description": "A time zone of the IANA database.",
    "type": "string",
    "enum": Zone::all(),
});

impl Zone {
    /// The names of all zones.
    fn all() -> Vec<String> {
        let names = RULES.available().map(|name| name.as_str().to_owned());
        names.filter(|name| name.parse::<Self>().is_ok()).collect()
    }
}

impl FromStr for Zone {
    type Err = Invalid;

    fn from_str(raw: &str) -> Result<Self, Invalid> {
        let found = RULES.get(raw).ok().filter(|zone| zone.iana_name() == Some(raw));
        found.map(Self).ok_or_else(|| Invalid("must be a time zone such as America/Los_Angeles".into()))
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.iana_name().unwrap_or_default())
    }
}

described!(DayStart, {
    "description": "The wall-clock time at which a business day starts.",
    "type": "string",
    "pattern": "^([01][0-9]|2[0-3]):[0-5][0-9]$",
    "examples": ["04:00"],
});

impl FromStr for DayStart {
    type Err = Invalid;

    fn from_str(raw: &str) -> Result<Self, Invalid> {
        // The parser takes several spellings; only the one that is shown is accepted.
        let parsed = WallTime::strptime("%H:%M", raw).ok().map(Self).filter(|start| start.to_string() == raw);
        parsed.ok_or_else(|| Invalid("must be a time of day such as 04:00".into()))
    }
}

impl fmt::Display for DayStart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.strftime("%H:%M"))
    }
}

#[cfg(test)]
mod tests;
