//! The duties that a visit, an account or a mail leaves to be done, and their times. Folded from events, so that log and rows agree.

mod hold;

use serde::{Deserialize, Serialize};

pub use self::hold::Hold;
use crate::{
    Fact, Time, mail,
    message::{Entry, Kind, Ledger, MessageId},
    user, waitee,
};

/// A visit ends this long after joining, in any state.
pub const VISIT_MS: i64 = 24 * 3_600_000;

/// The time that the eraser has before an erasure counts as late.
const ERASURE_MS: i64 = 5 * 60_000;

/// One thing to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Duty {
    /// Send a message, or record why it is not sent.
    Deliver(MessageId),
    /// The hold ran out: the guest did not come.
    NoShow,
    /// The visit has lasted for too long.
    Expire,
    /// The account or guest was erased, and its key is still there.
    Forget,
}

/// The open duties of one visit, account or mail.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Agenda {
    #[serde(default, skip_serializing_if = "Ledger::is_empty")]
    pub messages: Ledger,
    /// The hold of a table, while there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hold: Option<Hold>,
    /// The time at which a visit ends, if it is not over before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ends_at: Option<Time>,
    /// Whether the visit is over.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub over: bool,
    /// The time of the erasure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub erased_at: Option<Time>,
    /// Whether the key is gone.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub forgotten: bool,
}

impl Agenda {
    /// The next duty and its time.
    #[must_use]
    pub fn next(&self) -> Option<(Time, Duty)> {
        self.duties(Entry::due_at).min_by_key(|(at, _)| *at)
    }

    /// The time from which the tick finds it: the minute in which a duty is due, or overdue when another process has it first. Whole
    /// minutes seldom change, and a worker that is told too early waits for the rest.
    #[must_use]
    pub fn sought_at(&self) -> Option<Time> {
        self.duties(Entry::sought_at).map(|(at, _)| at).min().map(Time::minute)
    }

    fn duties(&self, when: fn(&Entry) -> Option<Time>) -> impl Iterator<Item = (Time, Duty)> {
        let forget =
            self.erased_at.filter(|_| !self.forgotten).map(|at| (at.plus_millis(ERASURE_MS), Duty::Forget));
        let alive = self.erased_at.is_none();
        let messages = self.messages.entries().iter().filter(move |_| alive);
        let messages = messages.filter_map(move |entry| Some((when(entry)?, Duty::Deliver(entry.id))));
        let no_show = self.no_show_at().filter(|_| alive).map(|at| (at, Duty::NoShow));
        let expire = self.ends_at.filter(|_| alive && !self.over).map(|at| (at, Duty::Expire));
        messages.chain(no_show).chain(expire).chain(forget)
    }

    /// After an event of a visit.
    #[must_use]
    pub fn of_visit(mut self, fact: &Fact<waitee::Event>) -> Self {
        use waitee::Event;
        let id = |kind| MessageId { kind, cause: fact.seq };
        match &fact.event {
            Event::Joined(_) => self.ends_at = Some(fact.at.plus_millis(VISIT_MS)),
            Event::Called { hold_until, remind_at } => {
                self.end_call();
                self.hold = Some(Hold { call: fact.seq, until: *hold_until });
                self.messages.want(id(Kind::TableReady), fact.at);
                if let Some(remind_at) = remind_at {
                    self.messages.want(id(Kind::Reminder), *remind_at);
                }
            }
            Event::Confirmed(_) => self.end_call(),
            Event::Restored(_) => {
                self.end_call();
                self.over = false;
            }
            Event::Seated(_) | Event::Left(_) | Event::Removed(_) | Event::NoShow(_) => {
                self.end_call();
                self.over = true;
            }
            Event::Erased {} => self.erased_at = Some(fact.at),
            Event::Forgotten {} => self.forgotten = true,
            Event::DetailsChanged(_) | Event::Moved { .. } => {}
            Event::Notification(event) => {
                self.hold_anew_if_late(event, fact.at);
                self.messages.record(event, fact.at);
            }
        }
        self
    }

    /// After an event of an account.
    #[must_use]
    pub fn of_account(mut self, fact: &Fact<user::Event>) -> Self {
        use user::Event;
        match &fact.event {
            Event::Erased {} => self.erased_at = Some(fact.at),
            Event::Forgotten {} => self.forgotten = true,
            Event::Registered(_)
            | Event::Renamed { .. }
            | Event::EmailConfirmed {}
            | Event::PasswordChanged { .. }
            | Event::OperatorGranted {}
            | Event::OperatorRevoked {}
            | Event::TextsCapped { .. } => {}
        }
        self
    }

    /// After an event of a mail to an owner.
    #[must_use]
    pub fn of_mail(mut self, fact: &Fact<mail::Event>) -> Self {
        match &fact.event {
            mail::Event::Asked(asked) => {
                self.messages.want(MessageId { kind: asked.kind.into(), cause: fact.seq }, fact.at);
            }
            mail::Event::Message(event) => self.messages.record(event, fact.at),
        }
        self
    }

    /// The hold is over: a reminder has no purpose, and a call whose outcome is unknown is not sent again.
    fn end_call(&mut self) {
        self.hold = None;
        self.messages.withdraw(Kind::Reminder);
        self.messages.lapse(Kind::TableReady);
    }
}

#[cfg(test)]
mod tests;
