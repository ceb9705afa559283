//! Places in the index `audit`, whose keys are ids of commits as text. An item that was added or altered may have any
//! other key.

use infra::rows::Order;
use uuid::{Uuid, fmt::Hyphenated};

use super::range::Position;

const DIGITS: u32 = 32;
const DIGIT_BITS: u32 = 4;
/// The places of the hyphens in an id's text.
const HYPHENS: [usize; 4] = [8, 13, 18, 23];

/// The place after a key of the index that is no commit's id, as seen by a reader in this order. The key lies between
/// two ids; the place is at the next of them, because there is no commit before it. `None` if no id follows.
pub(super) fn behind(key: &str, order: Order) -> Option<Position> {
    let floor = floor(key);
    match order {
        Order::Ascending => {
            let next = floor.map_or(Some(0), |id| id.as_u128().checked_add(1))?;
            Some(Position { commit: Uuid::from_u128(next), event: 0 })
        }
        Order::Descending => floor.map(|commit| Position { commit, event: u64::MAX }),
    }
}

/// The last id whose text is not behind this one, in the order of bytes. `None` if all ids are.
fn floor(text: &str) -> Option<Uuid> {
    let bytes = text.as_bytes();
    let (mut digits, mut left): (u128, u32) = (0, DIGITS);
    for place in 0..Hyphenated::LENGTH {
        let byte = bytes.get(place).copied();
        let (digit, is_same) = match byte {
            Some(b'-') if HYPHENS.contains(&place) => continue,
            Some(byte) if HYPHENS.contains(&place) && byte > b'-' => return Some(last(digits, left)),
            Some(byte @ b'0'..=b'9') if !HYPHENS.contains(&place) => (byte - b'0', true),
            Some(byte @ b'a'..=b'f') if !HYPHENS.contains(&place) => (byte - b'a' + 10, true),
            Some(byte) if byte > b'f' => (15, false),
            Some(byte) if byte > b'9' => (9, false),
            // The text is before all ids that begin with these digits.
            _ => return first(digits, left).checked_sub(1).map(Uuid::from_u128),
        };
        (digits, left) = ((digits << DIGIT_BITS) | u128::from(digit), left - 1);
        if !is_same {
            return Some(last(digits, left));
        }
    }
    Some(Uuid::from_u128(digits))
}

/// The first id that begins with these digits, as a number; `left` digits follow them.
fn first(digits: u128, left: u32) -> u128 {
    digits.checked_shl(left * DIGIT_BITS).unwrap_or(0)
}

/// The last id that begins with these digits.
fn last(digits: u128, left: u32) -> Uuid {
    let rest = u128::MAX.checked_shr((DIGITS - left) * DIGIT_BITS).unwrap_or(0);
    Uuid::from_u128(first(digits, left) | rest)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The beginning of an id's text, and then another text.
    fn keys() -> impl Strategy<Value = String> {
        let end = prop_oneof![Just(String::new()), "[ -~]{1,3}", ".{1,2}", "[0-9a-f-]{1,40}"];
        (any::<u128>(), 0..=Hyphenated::LENGTH, end)
            .prop_map(|(id, kept, end)| format!("{}{end}", &Uuid::from_u128(id).to_string()[..kept]))
    }

    proptest! {
        #[test]
        fn no_id_lies_between_a_key_and_the_place_after_it(key in keys()) {
            let text = |id: u128| Uuid::from_u128(id).to_string();
            let floor = floor(&key).map(|id| id.as_u128());
            prop_assert!(floor.is_none_or(|id| text(id) <= key), "{floor:?}");
            let next = floor.map_or(Some(0), |id| id.checked_add(1));
            prop_assert!(next.is_none_or(|id| text(id) > key), "{next:?}");
            let up = next.map(|id| Position { commit: Uuid::from_u128(id), event: 0 });
            prop_assert_eq!(behind(&key, Order::Ascending), up);
            let down = floor.map(|id| Position { commit: Uuid::from_u128(id), event: u64::MAX });
            prop_assert_eq!(behind(&key, Order::Descending), down);
        }
    }

    #[test]
    fn no_id_follows_a_key_beyond_all_ids() {
        assert_eq!((behind("", Order::Descending), behind("zzzz", Order::Ascending)), (None, None));
        assert_eq!(floor(&Uuid::max().to_string()), Some(Uuid::max()));
    }
}
