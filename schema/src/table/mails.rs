//! The rows of mails to owners.

use serde::{Deserialize, Serialize};

use super::{DUE, DueKeys, Index, KeyType::S, Projected, RowTable, by_time, row};
use crate::{MailId, Time, UserId, agenda::Agenda, mail::Kind, message::Status, projection};

/// The mails of an account whose link confirms its address, by time. Other mails, which strangers can ask
/// for, are not in it.
pub const CONFIRMING: Index =
    Index { name: "confirming", hash: ("confirms", S), range: ("made", S), projected: Projected::All };

/// Rows of the read model `mails`.
pub const MAILS: RowTable = RowTable { projection: projection::Name::Mails, indexes: &[CONFIRMING, DUE] };

/// The row of a mail. It holds nothing personal: the address stands in the account's row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MailRow {
    pub id: MailId,
    pub seq: u64,
    pub v: u32,
    pub tenant: UserId,
    pub kind: Kind,
    pub asked_at: Time,
    pub agenda: Agenda,
    /// Partition key of the index `confirming`: the account, if the mail's link confirms its address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confirms: Option<UserId>,
    /// Sort key of the index `confirming`.
    pub made: String,
    /// Set while the mail is to be sent.
    #[serde(flatten)]
    pub due: Option<DueKeys>,
}

row!(MailRow, MAILS, oldest 1);

impl MailRow {
    /// The sort key of the index `confirming`.
    #[must_use]
    pub fn made(asked_at: Time, id: MailId) -> String {
        by_time(asked_at, id)
    }

    /// The state of the mail.
    #[must_use]
    pub fn status(&self, now: Time) -> Status {
        self.agenda.messages.entries().last().map_or(Status::Due, |entry| entry.status(now))
    }
}
