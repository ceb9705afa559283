//! Places in the history of an account, and the months between two places. Commits are ordered by their ids,
//! which begin with their time.

use std::{fmt, str::FromStr};

use infra::rows::Order;
use schema::Time;
use uuid::Uuid;

/// The bits of a commit's id that follow its milliseconds.
const RANDOM_BITS: u32 = 80;
const MILLIS_MAX: i64 = (1 << 48) - 1;

/// A place: at an event, or between commits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Position {
    pub(super) commit: Uuid,
    /// Number of the event in its stream. 0 is the place before the commit's events, and the largest number
    /// the place after them.
    pub(super) event: u64,
}

/// The events between two places, without the places themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Range {
    pub(super) low: Position,
    pub(super) high: Position,
}

/// The part of a range that lies in one month.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Part {
    /// Such as `2026-11`.
    pub(super) month: String,
    pub(super) range: Range,
}

impl Position {
    /// The place before all commits of this millisecond.
    pub(super) fn before(at: Time) -> Self {
        let millis = at.millis().clamp(0, MILLIS_MAX).unsigned_abs();
        Self { commit: Uuid::from_u128(u128::from(millis) << RANDOM_BITS), event: 0 }
    }

    /// The place after a commit, as seen by a reader in this order.
    pub(super) fn behind(commit: Uuid, order: Order) -> Self {
        match order {
            Order::Ascending => Self { commit, event: u64::MAX },
            Order::Descending => Self { commit, event: 0 },
        }
    }

    /// The place before a commit, as seen by a reader in this order.
    pub(super) fn ahead_of(commit: Uuid, order: Order) -> Self {
        Self::behind(commit, order.reversed())
    }

    /// The time of the commit.
    pub(super) fn at(self) -> Time {
        let millis = i64::try_from(self.commit.as_u128() >> RANDOM_BITS).unwrap_or(MILLIS_MAX);
        Time::from_millis(millis)
    }

    /// Whether it is the place before all commits of its millisecond.
    fn is_before_millisecond(self) -> bool {
        self == Self::before(self.at())
    }
}

impl Range {
    pub(super) const ALL: Self = Self {
        low: Position { commit: Uuid::nil(), event: 0 },
        high: Position { commit: Uuid::max(), event: u64::MAX },
    };

    /// The events that are in both ranges.
    #[must_use]
    pub(super) fn and(self, other: Self) -> Self {
        Self { low: self.low.max(other.low), high: self.high.min(other.high) }
    }

    pub(super) fn holds(self, position: Position) -> bool {
        self.low < position && position < self.high
    }

    /// Whether events of a commit may lie in the range, by the number of its first event.
    pub(super) fn may_hold(self, commit: Uuid, first: u64) -> bool {
        let behind = Position { commit, event: u64::MAX };
        self.low < behind && Position { commit, event: first } < self.high
    }

    /// The lowest and the highest id of commits that may have events in the range. `None` if there is no such id.
    pub(super) fn ids(self) -> Option<(Uuid, Uuid)> {
        let (low, high) = (self.low.commit.as_u128(), self.high.commit.as_u128());
        let low = if self.low.event == u64::MAX { low.checked_add(1)? } else { low };
        let high = if self.high.event == 0 { high.checked_sub(1)? } else { high };
        (low <= high).then(|| (Uuid::from_u128(low), Uuid::from_u128(high)))
    }

    /// The end at which a reader in this order begins.
    pub(super) fn begin(self, order: Order) -> Position {
        match order {
            Order::Ascending => self.low,
            Order::Descending => self.high,
        }
    }

    /// The end at which a reader in this order ends.
    pub(super) fn end(self, order: Order) -> Position {
        self.begin(order.reversed())
    }

    /// The events that a reader in this order finds after `position`.
    #[must_use]
    pub(super) fn beyond(self, position: Position, order: Order) -> Self {
        match order {
            Order::Ascending => Self { low: self.low.max(position), ..self },
            Order::Descending => Self { high: self.high.min(position), ..self },
        }
    }

    /// The first month for a reader in this order. `None` if nothing can lie in the range.
    pub(super) fn part(self, order: Order) -> Option<Part> {
        let first = self.low.at();
        let last =
            if self.high.is_before_millisecond() { self.high.at().plus_millis(-1) } else { self.high.at() };
        if self.low >= self.high || first > last {
            return None;
        }
        let at = match order {
            Order::Ascending => first,
            Order::Descending => last,
        };
        let month = Self { low: Position::before(at.month_start()), high: Position::before(at.next_month()) };
        let range = self.and(month);
        // Ids can carry later times than a `Time` can.
        (range.low < range.high).then(|| Part { month: at.month(), range })
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.commit, self.event)
    }
}

#[derive(Debug)]
pub(super) struct NotAPosition;

impl FromStr for Position {
    type Err = NotAPosition;

    fn from_str(text: &str) -> Result<Self, NotAPosition> {
        let parse = || {
            let (commit, event) = text.split_once('.')?;
            Some(Self { commit: commit.parse().ok()?, event: event.parse().ok()? })
        };
        parse().filter(|position| position.to_string() == text).ok_or(NotAPosition)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Position {
        Position::before(text.parse().unwrap())
    }

    fn months(mut range: Range, order: Order) -> Vec<String> {
        let mut months = Vec::new();
        while let Some(part) = range.part(order) {
            months.push(part.month);
            range = range.beyond(part.range.end(order), order);
        }
        months
    }

    #[test]
    fn a_range_is_cut_into_its_months_in_both_orders() {
        for (low, high, expected) in [
            (
                "2026-10-31T23:59:59.999Z",
                "2027-01-01T00:00:00.001Z",
                vec!["2026-10", "2026-11", "2026-12", "2027-01"],
            ),
            ("2026-11-01T00:00:00.000Z", "2026-12-01T00:00:00.000Z", vec!["2026-11"]),
            ("2026-11-20T19:42:00.000Z", "2026-11-20T19:42:00.001Z", vec!["2026-11"]),
            ("2026-11-20T19:42:00.000Z", "2026-11-20T19:42:00.000Z", vec![]),
            ("2026-11-20T19:42:00.000Z", "2026-11-20T19:41:00.000Z", vec![]),
        ] {
            let range = Range { low: at(low), high: at(high) };
            let mut months_up = months(range, Order::Ascending);
            assert_eq!(months_up, expected, "{low} {high}");
            months_up.reverse();
            assert_eq!(months(range, Order::Descending), months_up, "{low} {high}");
        }
    }

    #[test]
    fn a_place_inside_a_millisecond_leaves_the_rest_of_it() {
        let commit = Uuid::from_u128(at("2026-12-01T00:00:00.000Z").commit.as_u128() | 7);
        let all = Range { low: at("2026-11-01T00:00:00.000Z"), high: Position { commit, event: 3 } };
        assert_eq!(all.part(Order::Descending).unwrap().month, "2026-12");
        assert!(all.holds(Position { commit, event: 2 }) && !all.holds(Position { commit, event: 3 }));
        let behind = all.beyond(Position::behind(commit, Order::Descending), Order::Descending);
        assert!(!behind.holds(Position { commit, event: 1 }));
        let id = |place: i128| Uuid::from_u128(commit.as_u128().wrapping_add_signed(place));
        assert_eq!(all.ids(), Some((all.low.commit, commit)));
        assert_eq!(behind.ids(), Some((all.low.commit, id(-1))));
        let after = Range { low: Position::behind(commit, Order::Ascending), ..Range::ALL };
        assert_eq!(after.ids(), Some((id(1), Uuid::max())));
        let between = Range { high: Position { commit: id(1), event: 0 }, ..after };
        assert!(between.low < between.high && between.ids().is_none());
        assert_eq!(Range::ALL.part(Order::Ascending).unwrap().month, "1970-01");
    }

    #[test]
    fn nothing_lies_after_the_last_time() {
        let low = Position { commit: Uuid::from_u128(0xffff << 112), event: 0 };
        for order in [Order::Ascending, Order::Descending] {
            assert_eq!(Range { low, ..Range::ALL }.part(order), None);
        }
        let last = Range { low: at("9999-12-01T00:00:00Z"), ..Range::ALL };
        assert_eq!(months(last, Order::Ascending), ["9999-12"]);
        assert_eq!(months(last, Order::Descending), ["9999-12"]);
    }

    #[test]
    fn a_position_is_read_as_it_was_written_and_in_no_other_spelling() {
        let position = Position { commit: Uuid::from_u128(0x0192_abcd_ef00 << RANDOM_BITS), event: 12 };
        let text = position.to_string();
        assert_eq!(text.parse::<Position>().ok(), Some(position));
        for other in [
            "",
            ".",
            "12",
            &text.to_uppercase(),
            &format!("{text}.1"),
            &format!("{text}x"),
            &text.replace('-', ""),
            &text.replace(".12", ".+12"),
            &text.replace(".12", ".012"),
        ] {
            assert!(other.parse::<Position>().is_err(), "{other}");
        }
    }
}
