//! What is to be done about a visit or an account, and when: folded from its facts, so that log and rows agree on it.

use serde::{Deserialize, Serialize};

use crate::{
    Fact, Time,
    message::{Entry, Kind, Ledger, MessageId},
    user, waitee,
};

/// A visit ends so long after joining, whatever became of it.
pub const VISIT_MS: i64 = 24 * 3_600_000;

/// How long the eraser has before somebody looks after an erasure.
const ERASURE_MS: i64 = 5 * 60_000;

/// Something is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Duty {
    /// Send a message, or say why not.
    Deliver(MessageId),
    /// The table was held long enough: the guest did not come.
    NoShow,
    /// The visit has lasted for too long.
    Expire,
    /// Somebody is to be forgotten, and is not yet.
    Forget,
}

/// What is to be done about one visit or account.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Agenda {
    /// Its messages.
    #[serde(default, skip_serializing_if = "Ledger::is_empty")]
    pub messages: Ledger,
    /// The call that a table is held for, while it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hold: Option<Hold>,
    /// When a visit ends that is not over by then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ends_at: Option<Time>,
    /// Whether the visit is over.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub over: bool,
    /// Whether somebody is to be forgotten, and since when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub erased_at: Option<Time>,
    /// Whether they are.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub forgotten: bool,
}

/// A table is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hold {
    /// Number of the event that called the party.
    pub call: u64,
    /// For how long.
    pub until: Time,
}

impl Agenda {
    /// What is to be done next, and from when on.
    #[must_use]
    pub fn next(&self) -> Option<(Time, Duty)> {
        self.duties(Entry::due_at).min_by_key(|(at, _)| *at)
    }

    /// When the minute's look has to find it: the minute in which it is due, or somebody is late with it. In whole minutes it seldom
    /// changes, and who is told too early waits for the rest.
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
        let no_show = self.hold.filter(|_| alive).map(|hold| (hold.until, Duty::NoShow));
        let expire = self.ends_at.filter(|_| alive && !self.over).map(|at| (at, Duty::Expire));
        messages.chain(no_show).chain(expire).chain(forget)
    }

    /// After a fact about a visit.
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
            Event::Notification(event) => self.messages.record(event, fact.at),
        }
        self
    }

    /// After a fact about an account.
    #[must_use]
    pub fn of_account(mut self, fact: &Fact<user::Event>) -> Self {
        use user::Event;
        let mut want = |kind| self.messages.want(MessageId { kind, cause: fact.seq }, fact.at);
        match &fact.event {
            Event::Registered(_) => want(Kind::Welcome),
            Event::ConfirmationAsked {} => want(Kind::Confirmation),
            Event::PasswordResetAsked {} => want(Kind::PasswordReset),
            Event::EmailConfirmed {} => {
                self.messages.lapse(Kind::Welcome);
                self.messages.lapse(Kind::Confirmation);
            }
            Event::PasswordChanged { .. } => self.messages.lapse(Kind::PasswordReset),
            Event::Erased {} => self.erased_at = Some(fact.at),
            Event::Forgotten {} => self.forgotten = true,
            Event::Renamed { .. }
            | Event::OperatorGranted {}
            | Event::OperatorRevoked {}
            | Event::TextsCapped { .. } => {}
            Event::Mail(event) => self.messages.record(event, fact.at),
        }
        self
    }

    /// Nobody waits for the party any more: a reminder has nothing to remind of, and what may have told them is not sent again.
    fn end_call(&mut self) {
        self.hold = None;
        self.messages.withdraw(Kind::Reminder);
        self.messages.lapse(Kind::TableReady);
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::{
        Rank, Sealed, StreamId, UserId, WaiteeId, WaitlistId,
        message::{self, Channel, LEASE_MS, Sent, Skip, Skipped, Started},
        value::PartySize,
        waitee::{Event, Joined, JoinedBy, Party, Why},
    };

    const MINUTE_MS: i64 = 60_000;

    fn at(minutes: i64) -> Time {
        Time::from_millis(minutes * MINUTE_MS)
    }

    fn joined() -> Event {
        Event::Joined(Joined {
            waitlist: WaitlistId(Uuid::nil()),
            party: Party::new(Sealed::from_text("sealed".into()), PartySize::parse(2).unwrap()),
            day: "2026-11-20".parse().unwrap(),
            rank: Rank::joining(at(0)),
            by: JoinedBy::Host,
        })
    }

    /// At minute 1, for ten minutes, with a reminder after seven.
    fn called() -> Event {
        Event::Called { hold_until: at(11), remind_at: Some(at(8)) }
    }

    fn started(cause: u64, minutes: i64) -> Event {
        let message = MessageId { kind: Kind::TableReady, cause };
        Event::Notification(message::Event::Started(Started {
            message,
            attempt: 1,
            channel: Channel::Sms,
            until: at(minutes).plus_millis(LEASE_MS),
        }))
    }

    fn sent(kind: Kind) -> Event {
        let message = MessageId { kind, cause: 2 };
        Event::Notification(message::Event::Sent(Sent {
            message,
            attempt: 1,
            channel: Channel::Sms,
            provider_id: "one".into(),
        }))
    }

    /// After these, a minute apart.
    fn after(events: &[Event]) -> Agenda {
        let stream: StreamId = WaiteeId(Uuid::nil()).into();
        let fact = |(event, seq): (&Event, u64)| Fact {
            stream,
            seq,
            at: at(i64::try_from(seq).unwrap() - 1),
            tenant: UserId(Uuid::nil()),
            event: event.clone(),
        };
        events.iter().zip(1..).map(fact).fold(Agenda::default(), |agenda, fact| agenda.of_visit(&fact))
    }

    fn deliver(kind: Kind) -> Duty {
        Duty::Deliver(MessageId { kind, cause: 2 })
    }

    #[test]
    fn a_party_that_is_called_is_told_then_reminded_then_given_up() {
        let day = at(24 * 60);
        assert_eq!(after(&[joined()]).next(), Some((day, Duty::Expire)));
        assert_eq!(after(&[joined(), called()]).next(), Some((at(1), deliver(Kind::TableReady))));
        assert_eq!(
            after(&[joined(), called(), started(2, 2)]).next(),
            Some((at(3), deliver(Kind::TableReady))),
            "then nobody knows"
        );
        let told = [joined(), called(), started(2, 2), sent(Kind::TableReady)];
        assert_eq!(after(&told).next(), Some((at(8), deliver(Kind::Reminder))));
        let reminded = [&told[..], &[sent(Kind::Reminder)]].concat();
        assert_eq!(after(&reminded).next(), Some((at(11), Duty::NoShow)));
        assert_eq!(after(&[&reminded[..], &[Event::NoShow(Why::default())]].concat()).next(), None);
    }

    #[test]
    fn who_answers_is_neither_reminded_nor_given_up_nor_told_again() {
        let begun = [joined(), called(), started(2, 2)];
        assert_eq!(
            after(&[&begun[..], &[Event::Confirmed(Why::default())]].concat()).next(),
            Some((at(24 * 60), Duty::Expire))
        );
        assert_eq!(after(&[&begun[..], &[Event::Seated(Why::default())]].concat()).next(), None);
        let restored =
            [&begun[..], &[Event::Seated(Why::default()), Event::Restored(Why::default())]].concat();
        assert_eq!(after(&restored).next(), Some((at(24 * 60), Duty::Expire)));
    }

    #[test]
    fn what_was_due_and_never_begun_is_still_to_be_looked_at() {
        let seated = after(&[joined(), called(), Event::Seated(Why::default())]);
        assert_eq!(
            seated.next(),
            Some((at(1), deliver(Kind::TableReady))),
            "whoever looks says why it is not sent"
        );
        let message = MessageId { kind: Kind::TableReady, cause: 2 };
        let skipped = Skipped { message, attempt: None, why: Skip::Needless };
        let skipped = Event::Notification(message::Event::Skipped(skipped));
        assert_eq!(after(&[joined(), called(), Event::Seated(Why::default()), skipped]).next(), None);
    }

    #[test]
    fn of_who_is_erased_nothing_is_due_but_the_forgetting() {
        let erased = [joined(), called(), Event::Erased {}];
        assert_eq!(after(&erased).next(), Some((at(2).plus_millis(ERASURE_MS), Duty::Forget)));
        assert_eq!(after(&[&erased[..], &[Event::Forgotten {}]].concat()).next(), None);
    }

    #[test]
    fn a_look_leaves_a_message_to_whoever_saw_its_cause_for_as_long_as_a_lease() {
        assert_eq!(after(&[joined(), called()]).sought_at(), Some(at(2)));
        assert_eq!(after(&[joined(), called(), started(2, 2)]).sought_at(), Some(at(3)));
        let told = after(&[joined(), called(), started(2, 2), sent(Kind::TableReady)]);
        assert_eq!(told.sought_at(), Some(at(8)), "a reminder follows from nothing that anybody sees");
    }
}
