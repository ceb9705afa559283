//! The read model of mails to owners: one row per mail, for those that are due and for the account page.

mod project;
pub(crate) mod query;

use schema::{MailId, Time, UserId, agenda::Agenda, mail::Kind, message::Entry, table};
use serde::{Deserialize, Serialize};

use crate::projection::row;

/// The read model `mails`.
#[derive(Clone, Copy, Debug)]
pub struct Mails;

/// The row of a mail. It holds nothing personal: the address stands in the account's row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MailRow {
    pub id: MailId,
    /// Number of the last event it shows.
    pub seq: u64,
    /// Version of the fold that wrote it.
    pub v: u32,
    /// The account that the mail goes to.
    pub tenant: UserId,
    pub kind: Kind,
    pub asked_at: Time,
    pub agenda: Agenda,
    /// Partition key of the index `confirming`: the account, for a mail whose link confirms the address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confirms: Option<UserId>,
    /// Sort key of the index `confirming`: the time it was asked for, and the id.
    pub made: String,
    /// Partition key of the index `due`, while the mail is to be sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due_in: Option<String>,
    /// Sort key of the index `due`: the time from which the tick finds it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due_at: Option<Time>,
}

row!(MailRow, table::MAILS);

impl MailRow {
    /// The state of the mail, in the contract's word.
    fn status(&self, now: Time) -> &'static str {
        self.agenda.messages.entries().last().map_or("due", |entry: &Entry| entry.status(now))
    }
}
