//! The read model of visits: one row per visit, for the board, one party, and the parties of a day.

mod doubles;
pub(crate) mod guest;
mod project;
pub(crate) mod query;

use chrono::NaiveDate;
use schema::{
    Rank, Time, UserId, WaiteeId, WaitlistId,
    agenda::Agenda,
    table,
    waitee::{JoinedBy, Party, State},
};
use serde::{Deserialize, Serialize};

use crate::projection::row;

/// The read model `waitees`.
#[derive(Clone, Copy, Debug)]
pub struct Waitees;

/// A visit, as it is remembered. Personal data stays sealed, exactly as in the events.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WaiteeRow {
    pub id: WaiteeId,
    /// Number of the last event it shows.
    pub seq: u64,
    /// Version of the fold that wrote it.
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
    /// Whether the guest is forgotten, or about to be.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub erased: bool,
    /// What is to be done about it; its messages among that.
    #[serde(default)]
    pub agenda: Agenda,
    /// Key of the index `due`: one of a few, while something is to be done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due_in: Option<String>,
    /// Place in the index `due`: when the minute's look has to find it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due_at: Option<Time>,
    /// Key of the index `active`: the list, while the party is on its board.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub board: Option<WaitlistId>,
    /// Place in the index `active`: rank and id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
    /// Key of the index `day`: list and business day.
    pub list_day: String,
    /// Place in the index `day`: when the party joined, and its id.
    pub arrival: String,
}

impl WaiteeRow {
    /// When the party was told that it would sit.
    #[must_use]
    pub fn quoted_at(&self) -> Option<Time> {
        self.party.quoted_minutes.map(|minutes| self.joined_at.plus_minutes(minutes.get()))
    }
}

row!(WaiteeRow, table::WAITEES);
