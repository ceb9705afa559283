//! The bounds of an account's history.

use schema::{Time, table::UserRow};

use super::range::Position;

/// The start of 2026: no deployment is older.
const FIRST_MS: i64 = 1_767_225_600_000;

/// The largest difference between the clocks of processes. Commits may be that much older than the account's
/// registration, or newer than now.
pub(super) const CLOCKS_APART_MS: i64 = 60_000;

/// The place before which there are no events of the account.
pub(super) fn oldest(account: Option<&UserRow>) -> Position {
    // Tokens of the command line can name accounts that were never registered.
    let registered_at = account.map_or(Time::from_millis(FIRST_MS), |row| row.registered_at);
    Position::before(registered_at.plus_millis(-CLOCKS_APART_MS))
}
