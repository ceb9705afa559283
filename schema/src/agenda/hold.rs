//! The time for which a table is held. A guest who is told late has the full time from then on.

use serde::{Deserialize, Serialize};

use super::Agenda;
use crate::{
    Time,
    message::{self, Entry, Kind, LEASE_MS, MessageId},
};

/// A table-ready message that starts later than this after the hold began restarts the hold.
const LATE_MS: i64 = LEASE_MS;

/// A table-ready message is worth sending this long after the hold began, or as long as the hold lasts.
const TOLD_LATE_MAX_MS: i64 = 30 * 60_000;

/// The hold of a table for a called party.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hold {
    /// Number of the event that called the party.
    pub call: u64,
    pub until: Time,
}

impl Agenda {
    /// The hold for a guest who is told at `at`: unchanged, or restarted at `at` if that is late.
    #[must_use]
    pub fn hold_told_at(&self, at: Time) -> Option<Hold> {
        let hold = self.hold?;
        let late_ms = self.about_hold().map_or(0, |entry| at.millis() - entry.wanted_at.millis());
        if late_ms <= LATE_MS {
            return Some(hold);
        }
        Some(Hold { until: hold.until.plus_millis(late_ms), ..hold })
    }

    /// The time until which a message of this kind about the hold has a purpose.
    #[must_use]
    pub fn good_until(&self, kind: Kind) -> Option<Time> {
        let until = self.hold?.until;
        let late = self.about_hold().filter(|_| kind == Kind::TableReady);
        Some(late.map_or(until, |entry| until.max(entry.wanted_at.plus_millis(TOLD_LATE_MAX_MS))))
    }

    /// The time at which the party becomes a no-show: the end of the hold. `None` while the table-ready
    /// message is still to be sent, and if it was not sent for a reason that is neither the guest's nor the
    /// account's.
    #[must_use]
    pub fn no_show_at(&self) -> Option<Time> {
        let hold = self.hold?;
        self.about_hold().is_none_or(Entry::had_its_chance).then_some(hold.until)
    }

    /// Restarts the hold if its message is started late; the reminder moves by as much.
    pub(super) fn restart_if_late(&mut self, event: &message::Event, at: Time) {
        let (message::Event::Started(started), Some(hold)) = (event, self.hold) else { return };
        let Some(told) = self.hold_told_at(at).filter(|told| *told != hold) else { return };
        if started.message != table_ready(hold) {
            return;
        }
        self.messages.postpone(Kind::Reminder, told.until.millis() - hold.until.millis());
        self.messages.want_since(started.message, at);
        self.hold = Some(told);
    }

    /// The table-ready message; its `wanted_at` is the begin of the hold.
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

    /// The agenda of a party called at 0, whose table is held for so many minutes.
    fn held(minutes: i64) -> Agenda {
        let mut agenda =
            Agenda { hold: Some(Hold { call: 2, until: at(minutes * 60_000) }), ..Agenda::default() };
        agenda.messages.want(MessageId { kind: Kind::TableReady, cause: 2 }, at(0));
        agenda
    }

    #[test]
    fn a_hold_is_restarted_when_the_guest_is_told_over_a_minute_late() {
        for (told_ms, until_ms) in [(60_000, 600_000), (60_001, 660_001), (900_000, 1_500_000)] {
            assert_eq!(held(10).hold_told_at(at(told_ms)), Some(Hold { call: 2, until: at(until_ms) }));
        }
        assert_eq!(Agenda::default().hold_told_at(at(1)), None);
    }

    #[test]
    fn a_table_ready_message_has_a_purpose_for_half_an_hour_or_the_whole_hold() {
        assert_eq!(held(10).good_until(Kind::TableReady), Some(at(30 * 60_000)));
        assert_eq!(held(10).good_until(Kind::Reminder), Some(at(10 * 60_000)));
        assert_eq!(held(120).good_until(Kind::TableReady), Some(at(120 * 60_000)));
    }
}
