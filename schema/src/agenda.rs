//! The open duties of a visit, an account or a mail, and their times. They are folded from events, so log and
//! rows agree.

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

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Duty {
    /// Send a message, or record why it is not sent.
    Deliver(MessageId),
    /// Mark the party as a no-show: the hold ran out.
    NoShow,
    /// End the visit: it has lasted too long.
    Expire,
    /// Delete the key of an erased account or guest.
    Forget,
}

impl Duty {
    /// The name of the duty in logs.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Deliver(_) => "deliver",
            Self::NoShow => "no-show",
            Self::Expire => "expire",
            Self::Forget => "forget",
        }
    }

    /// The message that the duty is about.
    #[must_use]
    pub fn message(self) -> Option<MessageId> {
        match self {
            Self::Deliver(message) => Some(message),
            Self::NoShow | Self::Expire | Self::Forget => None,
        }
    }
}

/// The open duties of one visit, account or mail.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Agenda {
    #[serde(default, skip_serializing_if = "Ledger::is_empty")]
    pub messages: Ledger,
    /// The hold of a table, while the party is called.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hold: Option<Hold>,
    /// The time at which the tick ends the visit, if it is not over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ends_at: Option<Time>,
    /// Whether the party was seated, left, was removed or did not come.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub over: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub erased_at: Option<Time>,
    /// Whether the key is deleted.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub forgotten: bool,
}

impl Agenda {
    /// The next duty and its time.
    #[must_use]
    pub fn next(&self) -> Option<(Time, Duty)> {
        self.duties(Entry::due_at).min_by_key(|(at, _)| *at)
    }

    /// The time from which the tick finds the stream: the minute in which a duty falls due, or is overdue if
    /// the reactor has it first. It is rounded to a minute so that rows change seldom; a worker that gets the
    /// duty early waits for the rest.
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

    /// The agenda after an event of a visit.
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
                self.restart_if_late(event, fact.at);
                self.messages.record(event, fact.at);
            }
        }
        self
    }

    /// The agenda after an event of an account.
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

    /// The agenda after an event of a mail to an owner.
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

    /// Ends the hold: the reminder is withdrawn, and a call with an unknown outcome is not sent again.
    fn end_call(&mut self) {
        self.hold = None;
        self.messages.withdraw(Kind::Reminder);
        self.messages.lapse(Kind::TableReady);
    }
}

#[cfg(test)]
mod tests;
