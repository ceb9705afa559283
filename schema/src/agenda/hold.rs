//! The time for which a table is held, which a guest who is told late has in full.

use serde::{Deserialize, Serialize};

use super::Agenda;
use crate::{
    Time,
    message::{self, Entry, Kind, LEASE_MS, MessageId},
};

/// A message that a table is ready is late when it is started this long after the hold began. The hold then
/// begins anew.
const LATE_MS: i64 = LEASE_MS;

/// How long after the hold began a guest may still be told that the table is ready, if the hold does not last
/// longer.
const TOLD_LATE_MAX_MS: i64 = 30 * 60_000;

/// A table is held for a party that was called.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hold {
    /// Number of the event that called the party.
    pub call: u64,
    pub until: Time,
}

impl Agenda {
    /// The hold of a guest who is told at `at`: as it is, or its whole length from then on if that is late.
    #[must_use]
    pub fn hold_told_at(&self, at: Time) -> Option<Hold> {
        let hold = self.hold?;
        let late_ms = self.about_hold().map_or(0, |entry| at.millis() - entry.wanted_at.millis());
        if late_ms <= LATE_MS {
            return Some(hold);
        }
        Some(Hold { until: hold.until.plus_millis(late_ms), ..hold })
    }

    /// Until when a message of this kind about the hold has a purpose.
    #[must_use]
    pub fn good_until(&self, kind: Kind) -> Option<Time> {
        let until = self.hold?.until;
        let late = self.about_hold().filter(|_| kind == Kind::TableReady);
        Some(late.map_or(until, |entry| until.max(entry.wanted_at.plus_millis(TOLD_LATE_MAX_MS))))
    }

    /// When the party becomes a no-show: when the hold runs out. Never while the guest may still be told that
    /// the table is ready, nor when they were not told for a fault that is neither theirs nor the account's.
    #[must_use]
    pub fn no_show_at(&self) -> Option<Time> {
        let hold = self.hold?;
        self.about_hold().is_none_or(Entry::had_its_chance).then_some(hold.until)
    }

    /// A guest who is told late has the whole hold from then on, and the reminder moves with it.
    pub(super) fn hold_anew_if_late(&mut self, event: &message::Event, at: Time) {
        let (message::Event::Started(started), Some(hold)) = (event, self.hold) else { return };
        let Some(told) = self.hold_told_at(at).filter(|told| *told != hold) else { return };
        if started.message != table_ready(hold) {
            return;
        }
        self.messages.put_off(Kind::Reminder, told.until.millis() - hold.until.millis());
        self.messages.want_since(started.message, at);
        self.hold = Some(told);
    }

    /// The message that the table is ready; `wanted_at` is when the hold began.
    fn about_hold(&self) -> Option<&Entry> {
        self.messages.entry(table_ready(self.hold?))
    }
}

fn table_ready(hold: Hold) -> MessageId {
    MessageId { kind: Kind::TableReady, cause: hold.call }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: i64) -> Time {
        Time::from_millis(ms)
    }

    /// Called at 0, with a table held for so many minutes.
    fn held(minutes: i64) -> Agenda {
        let mut agenda =
            Agenda { hold: Some(Hold { call: 2, until: at(minutes * 60_000) }), ..Agenda::default() };
        agenda.messages.want(MessageId { kind: Kind::TableReady, cause: 2 }, at(0));
        agenda
    }

    #[test]
    fn a_guest_who_is_told_within_a_minute_has_what_is_left_of_the_hold_and_later_all_of_it() {
        for (told_ms, until_ms) in [(60_000, 600_000), (60_001, 660_001), (900_000, 1_500_000)] {
            assert_eq!(held(10).hold_told_at(at(told_ms)), Some(Hold { call: 2, until: at(until_ms) }));
        }
        assert_eq!(Agenda::default().hold_told_at(at(1)), None);
    }

    #[test]
    fn it_is_worth_telling_for_half_an_hour_or_for_as_long_as_the_table_is_held() {
        assert_eq!(held(10).good_until(Kind::TableReady), Some(at(30 * 60_000)));
        assert_eq!(held(10).good_until(Kind::Reminder), Some(at(10 * 60_000)));
        assert_eq!(held(120).good_until(Kind::TableReady), Some(at(120 * 60_000)));
    }
}
