//! The time up to which reads of the past are complete.

use schema::Time;

/// How long after its time a commit is sure to be found: up to 2 s pass from the decision to the append, and
/// the rest bounds the lag of the feed and of indexes. DynamoDB does not tell when an index lags longer.
pub const COMPLETE_AFTER_MS: i64 = 10_000;

/// The latest time of which reads of the past show every commit.
#[must_use]
pub fn complete_until(now: Time) -> Time {
    now.plus_millis(-COMPLETE_AFTER_MS)
}
