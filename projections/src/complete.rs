//! The time up to which reads of the past are complete.

use schema::Time;

/// How long after its time a commit is sure to be found: the append begins at most 2 s later and takes at most
/// 3 s; the other 5 s are for the lag of the feed and of indexes. DynamoDB does not tell when an index lags longer.
pub const COMPLETE_AFTER_MS: i64 = 10_000;

/// The latest time up to which reads of the past show every commit.
#[must_use]
pub fn complete_until(now: Time) -> Time {
    now.plus_millis(-COMPLETE_AFTER_MS)
}
