//! The rows of visits.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::{DUE, DueKeys, Index, KeyType::S, Projected, RowTable, by_time, row};
use crate::{
    Rank, Time, UserId, WaiteeId, WaitlistId,
    agenda::Agenda,
    projection,
    waitee::{JoinedBy, Party, State},
};

/// The board: the active parties of a list in the order of the line.
pub const ACTIVE: Index =
    Index { name: "active", hash: ("board", S), range: ("place", S), projected: Projected::All };

/// The parties of a list's business day by time of joining.
pub const DAY: Index =
    Index { name: "day", hash: ("list_day", S), range: ("arrival", S), projected: Projected::Keys };

/// Rows of the read model `waitees`.
pub const WAITEES: RowTable =
    RowTable { projection: projection::Name::Waitees, indexes: &[ACTIVE, DAY, DUE] };

/// The row of a visit. Personal data stays sealed, exactly as in the events.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WaiteeRow {
    pub id: WaiteeId,
    pub seq: u64,
    pub v: u32,
    pub tenant: UserId,
    pub waitlist: WaitlistId,
    #[serde(flatten)]
    pub party: Party,
    pub state: State,
    pub rank: Rank,
    pub day: NaiveDate,
    pub joined_at: Time,
    pub calls: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub called_at: Option<Time>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hold_until: Option<Time>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confirmed_at: Option<Time>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finished_at: Option<Time>,
    pub by: JoinedBy,
    /// Whether the guest is erased, even if the key still exists.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub erased: bool,
    /// The duties that are left, and the messages among them.
    #[serde(default)]
    pub agenda: Agenda,
    #[serde(flatten)]
    pub day_keys: DayKeys,
    /// Set while the party is on the board.
    #[serde(flatten)]
    pub board_keys: Option<BoardKeys>,
    /// Set while the tick has something to do.
    #[serde(flatten)]
    pub due: Option<DueKeys>,
}

row!(WaiteeRow, WAITEES, oldest 2);

impl WaiteeRow {
    /// The time at which the guest was told to expect the table.
    #[must_use]
    pub fn quoted_at(&self) -> Option<Time> {
        self.party.quoted_minutes.map(|minutes| self.joined_at.plus_minutes(minutes.get()))
    }

    /// The list on whose board the party is.
    #[must_use]
    pub fn board(&self) -> Option<WaitlistId> {
        self.board_keys.as_ref().map(|keys| keys.board)
    }
}

/// The keys of a row in the index `active`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BoardKeys {
    pub board: WaitlistId,
    /// Rank and id: the id orders parties of equal rank.
    pub place: String,
}

impl BoardKeys {
    #[must_use]
    pub fn new(board: WaitlistId, rank: &Rank, id: WaiteeId) -> Self {
        Self { board, place: format!("{}#{id}", rank.as_str()) }
    }

    #[must_use]
    pub fn partition(board: WaitlistId) -> String {
        board.to_string()
    }

    /// The bound below every place of this rank: '#' sorts before the digits of a rank.
    #[must_use]
    pub fn before_rank(rank: &Rank) -> String {
        format!("{}#", rank.as_str())
    }

    /// The bound above every place of this rank: '~' sorts after any id.
    #[must_use]
    pub fn after_rank(rank: &Rank) -> String {
        format!("{}#~", rank.as_str())
    }
}

/// The attributes of a row in the index `active` that locate a party, which are the same in rows of all
/// versions.
#[derive(Clone, Debug, Deserialize)]
pub struct OnBoard {
    pub id: WaiteeId,
    pub rank: Rank,
}

/// The keys of a row in the index `day`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DayKeys {
    pub list_day: String,
    pub arrival: String,
}

impl DayKeys {
    #[must_use]
    pub fn new(list: WaitlistId, day: NaiveDate, joined_at: Time, id: WaiteeId) -> Self {
        Self { list_day: Self::partition(list, day), arrival: by_time(joined_at, id) }
    }

    #[must_use]
    pub fn partition(list: WaitlistId, day: NaiveDate) -> String {
        format!("{list}#{day}")
    }

    /// The business days on which a party can have joined after `after` and up to `until`, with any settings of
    /// the list.
    pub fn days(after: Time, until: Time) -> impl Iterator<Item = NaiveDate> {
        let first = after.plus_millis(-(BEHIND_UTC_MAX_MS + DAY_START_MAX_MS)).date();
        let last = until.plus_millis(AHEAD_OF_UTC_MAX_MS).date();
        first.iter_days().take_while(move |day| *day <= last)
    }

    /// The bounds of the sort keys of parties that joined after `after` and up to `until`.
    #[must_use]
    pub fn arrivals(after: Time, until: Time) -> (String, String) {
        (after.plus_millis(1).to_string(), format!("{until}#~")) // '~' sorts after any id
    }
}

/// The zones that differ most from UTC.
const BEHIND_UTC_MAX_MS: i64 = 12 * HOUR_MS;
const AHEAD_OF_UTC_MAX_MS: i64 = 14 * HOUR_MS;

/// A business day starts at most this long after midnight.
const DAY_START_MAX_MS: i64 = 24 * HOUR_MS;

const HOUR_MS: i64 = 3_600_000;

/// The attributes that the index `day` holds.
#[derive(Clone, Debug, Deserialize)]
pub struct DayEntry {
    pub id: WaiteeId,
    pub arrival: String,
}
