//! Ranks: strings that sort in the order of the line.
//!
//! A party that joins gets its rank from the time of joining, so joining reads nothing. A party that moves
//! gets a string strictly between those of its new neighbours (fractional indexing,
//! <https://www.figma.com/blog/realtime-editing-of-ordered-sequences/>).

use serde::{Deserialize, Serialize};

use crate::Time;

const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const TIME_DIGITS: u32 = 8; // 62^8 ms are 6,900 years

/// The longest rank. Some 600 moves into the same gap reach it.
pub const RANK_BYTES_MAX: usize = 128;

/// A place in line. Ranks compare as text; the visit's id orders equal ranks.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Rank(String);

impl Rank {
    /// The rank of a party that joins at this time, behind all that joined earlier.
    #[must_use]
    pub fn joining(at: Time) -> Self {
        let mut rest = u64::try_from(at.millis()).unwrap_or(0);
        let mut digits = vec![0u8; TIME_DIGITS as usize];
        for digit in digits.iter_mut().rev() {
            *digit = (rest % 62) as u8;
            rest /= 62;
        }
        digits.push(31); // a rank never ends in the lowest digit, so there is always room before it
        Self::from_digits(&digits)
    }

    /// A rank strictly between two others; `None` stands for the head or the end of the line.
    ///
    /// Returns `None` if there is no room: the two are equal, in the wrong order, or so close that the result
    /// would exceed [`RANK_BYTES_MAX`].
    #[must_use]
    pub fn between(before: Option<&Self>, after: Option<&Self>) -> Option<Self> {
        let low = before.map(Self::digits).unwrap_or_default();
        let high = after.map(Self::digits);
        if high.as_ref().is_some_and(|high| low >= *high) {
            return None;
        }
        let digits = midpoint(&low, high.as_deref());
        (digits.len() <= RANK_BYTES_MAX).then(|| Self::from_digits(&digits))
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn digits(&self) -> Vec<u8> {
        self.0.bytes().map(|byte| DIGITS.iter().position(|d| *d == byte).unwrap_or(0) as u8).collect()
    }

    fn from_digits(digits: &[u8]) -> Self {
        Self(digits.iter().map(|d| char::from(DIGITS[usize::from(*d)])).collect())
    }
}

/// The shortest digits about half-way between two fractions; without `high`, between `low` and one.
fn midpoint(low: &[u8], high: Option<&[u8]>) -> Vec<u8> {
    let mut out = Vec::new();
    let mut high = high;
    for place in 0.. {
        let below = low.get(place).copied().unwrap_or(0);
        let above = high.map_or(62, |high| high.get(place).copied().unwrap_or(0));
        if above.saturating_sub(below) > 1 {
            out.push(below + (above - below) / 2);
            break;
        }
        out.push(below);
        if above > below {
            high = None; // once below `high`, only `low` bounds what follows
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn later_joins_get_later_ranks() {
        let at = |ms| Rank::joining(Time::from_millis(ms));
        assert!(at(1_795_000_000_000) < at(1_795_000_000_001));
        assert!(at(0) < at(9_999_999_999_999));
    }

    #[test]
    fn there_is_no_rank_between_equal_ranks() {
        let rank = Rank::joining(Time::from_millis(1));
        assert_eq!(Rank::between(Some(&rank), Some(&rank)), None);
    }

    #[test]
    fn moving_into_one_gap_too_often_returns_none() {
        let low = Rank::joining(Time::from_millis(1));
        let mut high = Rank::joining(Time::from_millis(2));
        let mut halvings = 0;
        while let Some(rank) = Rank::between(Some(&low), Some(&high)) {
            assert!(low < rank && rank < high);
            high = rank;
            halvings += 1;
        }
        assert!(halvings > 500, "{halvings}");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        #[test]
        fn any_insertions_keep_one_strict_order(places in prop::collection::vec(any::<prop::sample::Index>(), 1..200)) {
            let mut line: Vec<Rank> = vec![Rank::joining(Time::from_millis(1_795_000_000_000))];
            for place in places {
                let at = place.index(line.len() + 1);
                let before = at.checked_sub(1).map(|i| line[i].clone());
                let Some(rank) = Rank::between(before.as_ref(), line.get(at)) else { continue };
                line.insert(at, rank);
                prop_assert!(line.windows(2).all(|pair| pair[0] < pair[1]), "{line:?}");
                prop_assert!(!line[at].as_str().ends_with('0'));
            }
        }
    }
}
