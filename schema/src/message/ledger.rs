//! What became of the messages about somebody, folded from the facts about them.

use serde::{Deserialize, Serialize};

use super::{Bounce, Channel, Event, IfUnknown, Kind, LEASE_MS, MessageId, Skip};
use crate::Time;

/// Messages that a ledger remembers.
const REMEMBERED_MAX: usize = 24;

/// How a message stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "standing", rename_all = "kebab-case")]
pub enum Standing {
    /// It is to be sent, from then on.
    Due { from: Time },
    /// It is being sent; past `until`, nobody knows whether it was, and it is sent `again` or left to a person.
    Started { until: Time, again: bool },
    /// It was taken, by the last attempt that said so.
    Sent { by: u32 },
    /// It was turned away.
    Failed {
        code: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        again_at: Option<Time>,
    },
    /// It is not sent.
    Skipped { reason: Skip },
    /// It was sent in vain.
    Bounced { reason: Bounce },
}

/// A message in the ledger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Which.
    pub id: MessageId,
    /// The way it goes, once that is known; none when it does not go.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<Channel>,
    /// How often it was tried.
    pub attempt: u32,
    /// Whether nobody knows of an earlier attempt whether it was sent.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub in_doubt: bool,
    /// Since when it is wanted.
    pub wanted_at: Time,
    /// When it came to stand so.
    pub at: Time,
    /// How it stands.
    #[serde(flatten)]
    pub standing: Standing,
}

impl Entry {
    /// When something is to be done about it; never, when it is settled or left to a person.
    #[must_use]
    pub fn due_at(&self) -> Option<Time> {
        match &self.standing {
            Standing::Due { from } => Some(*from),
            Standing::Started { until, again } => again.then_some(*until),
            Standing::Failed { again_at, .. } => *again_at,
            Standing::Sent { .. } | Standing::Skipped { .. } | Standing::Bounced { .. } => None,
        }
    }

    /// Until when somebody has it to themselves, or had.
    #[must_use]
    pub fn lease_until(&self) -> Option<Time> {
        match self.standing {
            Standing::Started { until, .. } => Some(until),
            _ => None,
        }
    }

    /// How it stands at an instant, in the contract's word. That nobody knows says a lease that ran out; and a message that was not
    /// sent in the end, but may have been before.
    #[must_use]
    pub fn status(&self, now: Time) -> &'static str {
        match &self.standing {
            Standing::Due { .. } | Standing::Failed { again_at: Some(_), .. } => "due",
            Standing::Started { until, .. } if now < *until => "started",
            Standing::Started { .. } => "unknown",
            Standing::Sent { .. } => "sent",
            Standing::Failed { again_at: None, .. } | Standing::Skipped { .. } if self.in_doubt => "unknown",
            Standing::Failed { again_at: None, .. } => "failed",
            Standing::Skipped { .. } => "skipped",
            Standing::Bounced { .. } => "bounced",
        }
    }

    /// Why it stands so, when somebody said.
    #[must_use]
    pub fn reason(&self) -> Option<String> {
        let word = |word: serde_json::Result<serde_json::Value>| {
            word.ok().and_then(|word| word.as_str().map(str::to_owned))
        };
        match &self.standing {
            Standing::Failed { code, .. } => Some(code.clone()),
            Standing::Skipped { reason } => word(serde_json::to_value(reason)),
            Standing::Bounced { reason } => word(serde_json::to_value(reason)),
            Standing::Due { .. } | Standing::Started { .. } | Standing::Sent { .. } => None,
        }
    }

    /// Whether nothing more will become of it. Of one that is being sent, the outcome may still come.
    fn is_settled(&self) -> bool {
        self.due_at().is_none() && self.lease_until().is_none()
    }

    /// When the minute's look has to find it: what follows from an event at once is first left to the one who saw that event.
    pub(crate) fn sought_at(&self) -> Option<Time> {
        match &self.standing {
            Standing::Due { from } if self.id.kind != Kind::Reminder => Some(from.plus_millis(LEASE_MS)),
            _ => self.due_at(),
        }
    }
}

/// What became of the messages about somebody, in the order in which they became due.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Ledger(Vec<Entry>);

impl Ledger {
    /// The messages.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        &self.0
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// A message; none when it never followed from anything, or was settled long ago.
    #[must_use]
    pub fn entry(&self, id: MessageId) -> Option<&Entry> {
        self.0.iter().find(|entry| entry.id == id)
    }

    /// A message is to be sent, from then on.
    pub(crate) fn want(&mut self, id: MessageId, from: Time) {
        self.0.push(Entry {
            id,
            channel: None,
            attempt: 0,
            in_doubt: false,
            wanted_at: from,
            at: from,
            standing: Standing::Due { from },
        });
        while self.0.len() > REMEMBERED_MAX {
            self.0.remove(self.least_missed());
        }
    }

    /// Of all messages, the one to be forgotten: the oldest that is settled, else the oldest that was never begun, else the oldest.
    /// How the last mail stands whose link confirms an address is always of interest.
    fn least_missed(&self) -> usize {
        let with_link =
            self.0.iter().rposition(|entry| matches!(entry.id.kind, Kind::Welcome | Kind::Confirmation));
        let oldest = |wanted: fn(&Entry) -> bool| {
            self.0.iter().enumerate().position(|(at, entry)| Some(at) != with_link && wanted(entry))
        };
        let is_unbegun = |entry: &Entry| matches!(entry.standing, Standing::Due { .. });
        oldest(Entry::is_settled).or_else(|| oldest(is_unbegun)).unwrap_or(0)
    }

    /// Messages of this kind that nobody has started to send are not wanted any more.
    pub(crate) fn withdraw(&mut self, kind: Kind) {
        self.0.retain(|entry| entry.id.kind != kind || !matches!(entry.standing, Standing::Due { .. }));
    }

    /// Messages of this kind have no purpose any more. One of which nobody knows whether it was sent is not sent again.
    pub(crate) fn lapse(&mut self, kind: Kind) {
        for entry in self.0.iter_mut().filter(|entry| entry.id.kind == kind) {
            if let Standing::Started { again, .. } = &mut entry.standing {
                *again = false;
            }
        }
    }

    /// Something happened to a message. What is known to be sent stays sent, whatever an earlier attempt says later.
    pub(crate) fn record(&mut self, event: &Event, at: Time) {
        let Some(entry) = self.0.iter_mut().find(|entry| entry.id == event.message()) else { return };
        let standing = match event {
            Event::Started(started) => {
                entry.in_doubt |= matches!(entry.standing, Standing::Started { .. });
                entry.channel = Some(started.channel);
                entry.attempt = started.attempt;
                let again = entry.id.kind.if_unknown() == IfUnknown::SendAgain
                    && started.attempt < entry.id.kind.attempts_max();
                Standing::Started { until: started.until, again }
            }
            Event::Sent(sent) => {
                entry.channel = Some(sent.channel);
                if matches!(entry.standing, Standing::Bounced { .. }) {
                    return;
                }
                Standing::Sent { by: sent.attempt }
            }
            Event::Failed(failed) => {
                if failed.attempt != entry.attempt || !matches!(entry.standing, Standing::Started { .. }) {
                    return;
                }
                Standing::Failed { code: failed.code.clone(), again_at: failed.again_at }
            }
            Event::Skipped(skipped) => match entry.standing {
                // Somebody else may have sent it: that stays unknown.
                Standing::Started { until, .. } if skipped.attempt != Some(entry.attempt) => {
                    Standing::Started { until, again: false }
                }
                _ => {
                    entry.channel = None;
                    Standing::Skipped { reason: skipped.why }
                }
            },
            Event::Bounced(bounced) => Standing::Bounced { reason: bounced.why },
        };
        entry.standing = standing;
        entry.at = at;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::{Bounced, Failed, Sent, Skipped, Started};

    const READY: MessageId = MessageId { kind: Kind::TableReady, cause: 2 };

    fn at(ms: i64) -> Time {
        Time::from_millis(ms)
    }

    fn started(attempt: u32, until: i64) -> Event {
        Event::Started(Started { message: READY, attempt, channel: Channel::Sms, until: at(until) })
    }

    fn sent(attempt: u32) -> Event {
        Event::Sent(Sent { message: READY, attempt, channel: Channel::Sms, provider_id: "one".into() })
    }

    fn failed(attempt: u32, again_at: Option<i64>) -> Event {
        Event::Failed(Failed {
            message: READY,
            attempt,
            code: "Throttled".into(),
            again_at: again_at.map(at),
        })
    }

    fn skipped(attempt: Option<u32>) -> Event {
        Event::Skipped(Skipped { message: READY, attempt, why: Skip::Late })
    }

    fn bounced() -> Event {
        Event::Bounced(Bounced { message: READY, why: Bounce::Permanent })
    }

    fn after(events: &[Event]) -> Entry {
        let mut ledger = Ledger::default();
        ledger.want(READY, at(0));
        for (event, ms) in events.iter().zip(1..) {
            ledger.record(event, at(ms));
        }
        ledger.entry(READY).unwrap().clone()
    }

    #[test]
    fn a_message_is_due_until_it_is_settled() {
        assert_eq!(after(&[]).due_at(), Some(at(0)));
        assert_eq!(after(&[started(1, 50)]).due_at(), Some(at(50)), "then nobody knows");
        assert_eq!(after(&[started(1, 50), failed(1, Some(70))]).due_at(), Some(at(70)));
        for settled in [sent(1), failed(1, None), bounced(), skipped(Some(1))] {
            assert_eq!(after(&[started(1, 50), settled]).due_at(), None);
        }
        assert_eq!(after(&[started(Kind::TableReady.attempts_max(), 50)]).due_at(), None, "often enough");
    }

    #[test]
    fn a_lease_that_ran_out_is_unknown() {
        let entry = after(&[started(1, 50)]);
        assert_eq!((entry.status(at(49)), entry.status(at(50))), ("started", "unknown"));
        let entry = after(&[started(1, 50), skipped(None)]);
        assert_eq!(
            (entry.status(at(50)), entry.due_at()),
            ("unknown", None),
            "not sent again, and still nobody knows"
        );
    }

    #[test]
    fn what_may_have_been_sent_before_is_unknown_until_it_is_known_to_be_sent() {
        for (end, alone) in [(failed(2, None), "failed"), (skipped(Some(2)), "skipped")] {
            assert_eq!(
                after(&[started(1, 5), failed(1, Some(5)), started(2, 50), end.clone()]).status(at(9)),
                alone
            );
            assert_eq!(after(&[started(1, 5), started(2, 50), end.clone()]).status(at(9)), "unknown");
            assert_eq!(after(&[started(1, 5), started(2, 50), end, sent(1)]).status(at(9)), "sent");
        }
        assert_eq!(
            after(&[started(1, 5), started(2, 50), failed(2, Some(70))]).status(at(9)),
            "due",
            "it is tried again"
        );
    }

    #[test]
    fn what_is_known_to_be_sent_stays_so_whatever_is_said_later() {
        for late in [failed(1, None), failed(1, Some(9)), failed(2, None)] {
            assert_eq!(after(&[started(1, 5), sent(1), late.clone()]).standing, Standing::Sent { by: 1 });
            assert_eq!(
                after(&[started(1, 5), started(2, 50), sent(1), late]).standing,
                Standing::Sent { by: 1 }
            );
        }
        assert!(matches!(
            after(&[started(1, 5), started(2, 50), failed(1, None)]).standing,
            Standing::Started { .. }
        ));
        assert_eq!(after(&[started(1, 5), bounced(), sent(1)]).status(at(9)), "bounced");
    }

    #[test]
    fn reasons_are_single_words() {
        assert_eq!(after(&[skipped(None)]).reason().as_deref(), Some("late"));
        assert_eq!(after(&[started(1, 5), sent(1), bounced()]).reason().as_deref(), Some("permanent"));
        assert_eq!(after(&[started(1, 5), failed(1, None)]).reason().as_deref(), Some("Throttled"));
        assert_eq!(after(&[]).reason(), None);
    }

    #[test]
    fn a_ledger_is_bounded_and_forgets_first_what_is_settled() {
        let mut ledger = Ledger::default();
        let id = |cause| MessageId { kind: Kind::TableReady, cause };
        ledger.want(id(1), at(0));
        for cause in 2..=100 {
            ledger.want(id(cause), at(0));
            ledger.record(
                &Event::Skipped(Skipped { message: id(cause), attempt: None, why: Skip::Needless }),
                at(1),
            );
        }
        assert_eq!(ledger.entries().len(), REMEMBERED_MAX);
        assert_eq!(ledger.entry(id(1)).and_then(Entry::due_at), Some(at(0)), "what is due stays");
        for cause in 101..=200 {
            ledger.want(id(cause), at(0));
        }
        assert_eq!(ledger.entries().len(), REMEMBERED_MAX);
        assert!(ledger.entry(id(200)).is_some() && ledger.entry(id(1)).is_none(), "the latest stays");
    }

    #[test]
    fn what_is_being_sent_and_the_last_link_to_confirm_by_are_not_forgotten() {
        let mut ledger = Ledger::default();
        let welcome = MessageId { kind: Kind::Welcome, cause: 1 };
        ledger.want(welcome, at(0));
        ledger.record(&Event::Skipped(Skipped { message: welcome, attempt: None, why: Skip::Late }), at(1));
        let sending = MessageId { kind: Kind::Reminder, cause: 2 };
        ledger.want(sending, at(0));
        ledger.record(
            &Event::Started(Started { message: sending, attempt: 1, channel: Channel::Sms, until: at(50) }),
            at(1),
        );
        for cause in 3..=100 {
            ledger.want(MessageId { kind: Kind::PasswordReset, cause }, at(0));
        }
        assert!(ledger.entry(welcome).is_some() && ledger.entry(sending).is_some());
        assert_eq!(ledger.entries().len(), REMEMBERED_MAX);
    }
}
