//! The body that shows a party, from its row and its guest's key.

use std::collections::HashMap;

use infra::{
    Backend, Failure,
    vault::{Subject, SubjectKey},
};
use schema::{
    Sealed, Time, UserId, WaiteeId,
    body::{Notification, Waitee},
    message::Entry,
    sealed::Personal,
    table::WaiteeRow,
};

use crate::opened;

/// The keys of the guests of these rows. An erased guest has none, even while the vault still holds the key.
pub(super) async fn keys(
    backend: &Backend,
    owner: UserId,
    rows: &[WaiteeRow],
) -> Result<HashMap<WaiteeId, SubjectKey>, Failure> {
    let shown = rows.iter().filter(|row| !row.erased);
    let subjects: Vec<Subject> = shown.map(|row| Subject::Guest { account: owner, guest: row.id }).collect();
    let keys = backend.vault.keys(&subjects).await?.into_iter();
    Ok(keys
        .filter_map(|(subject, key)| match subject {
            Subject::Guest { guest, .. } => Some((guest, key)),
            Subject::Account(_) => None,
        })
        .collect())
}

/// A party. Without the key it is shown as erased. `duplicate_of` is left to the board, which knows the other
/// parties.
pub(super) fn show(row: &WaiteeRow, key: Option<&SubjectKey>, position: Option<u32>, now: Time) -> Waitee {
    Waitee {
        id: row.id.0,
        waitlist_id: row.waitlist.0,
        name: open(row, key, Some(&row.party.name)),
        party_size: row.party.party_size.get(),
        phone: open(row, key, row.party.phone.as_ref()),
        email: open(row, key, row.party.email.as_ref()),
        note: open(row, key, row.party.note.as_ref()),
        quoted_minutes: row.party.quoted_minutes.map(|minutes| minutes.get()),
        language: row.party.language,
        state: row.state,
        position,
        duplicate_of: None,
        day: row.day.to_string(),
        joined_at: row.joined_at,
        quoted_at: row.quoted_at(),
        called_at: row.called_at,
        calls: row.calls,
        hold_until: row.hold_until,
        confirmed_at: row.confirmed_at,
        finished_at: row.finished_at,
        joined_by: row.by,
        erased: key.is_none(),
        notifications: row.agenda.messages.entries().iter().map(|entry| notification(entry, now)).collect(),
        seq: row.seq,
    }
}

fn notification(entry: &Entry, now: Time) -> Notification {
    Notification {
        id: entry.id.to_string(),
        kind: entry.id.kind.as_str(),
        channel: entry.channel,
        status: entry.status(now),
        at: entry.at,
        reason: entry.reason(),
    }
}

fn open<T: Personal>(
    row: &WaiteeRow,
    key: Option<&SubjectKey>,
    sealed: Option<&Sealed<T>>,
) -> Option<String> {
    opened::text(row.id.into(), key?, sealed?)
}
