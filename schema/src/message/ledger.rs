//! The state of messages, folded from their events.

use serde::{Deserialize, Serialize};

use super::{Bounce, Channel, Event, IfUnknown, Kind, LEASE_MS, MessageId, Skip, Status};
use crate::Time;

/// The most messages in a ledger. The log holds all of them.
const REMEMBERED_MAX: usize = 24;

/// The state of one message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "standing", rename_all = "kebab-case")]
pub enum Standing {
    /// It may be sent from `from` on.
    Due {
        from: Time,
    },
    /// A sender holds the lease. After `until` the outcome is unknown; `again` says whether the message is
    /// then sent again.
    Started {
        until: Time,
        again: bool,
    },
    /// The carrier accepted it; `by` is the last attempt that reported so.
    Sent {
        by: u32,
    },
    /// The carrier refused it. It is tried again at `again_at`, if that is set.
    Failed {
        code: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        again_at: Option<Time>,
    },
    Skipped {
        reason: Skip,
    },
    Bounced {
        reason: Bounce,
    },
}

/// A message in the ledger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    pub id: MessageId,
    /// Set by the first attempt; `None` if the message is skipped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<Channel>,
    /// The number of attempts so far.
    pub attempt: u32,
    /// Whether an earlier attempt ended without a known outcome.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub in_doubt: bool,
    /// The time from which it was to be sent.
    pub wanted_at: Time,
    /// The time of its last change.
    pub at: Time,
    #[serde(flatten)]
    pub standing: Standing,
}

impl Entry {
    /// The time of the next attempt; `None` if the message is settled or left to a person.
    #[must_use]
    pub fn due_at(&self) -> Option<Time> {
        match &self.standing {
            Standing::Due { from } => Some(*from),
            Standing::Started { until, again } => again.then_some(*until),
            Standing::Failed { again_at, .. } => *again_at,
            Standing::Sent { .. } | Standing::Skipped { .. } | Standing::Bounced { .. } => None,
        }
    }

    /// The end of the current lease, or of one that expired without an outcome.
    #[must_use]
    pub fn lease_until(&self) -> Option<Time> {
        match self.standing {
            Standing::Started { until, .. } => Some(until),
            _ => None,
        }
    }

    /// The state at `now`. Unknown: the lease expired without an outcome, or the
    /// message finally failed or was skipped but an earlier attempt may have sent it.
    #[must_use]
    pub fn status(&self, now: Time) -> Status {
        match &self.standing {
            Standing::Due { .. } | Standing::Failed { again_at: Some(_), .. } => Status::Due,
            Standing::Started { until, .. } if now < *until => Status::Started,
            Standing::Started { .. } => Status::Unknown,
            Standing::Sent { .. } => Status::Sent,
            Standing::Failed { again_at: None, .. } | Standing::Skipped { .. } if self.in_doubt => {
                Status::Unknown
            }
            Standing::Failed { again_at: None, .. } => Status::Failed,
            Standing::Skipped { .. } => Status::Skipped,
            Standing::Bounced { .. } => Status::Bounced,
        }
    }

    /// The reason of a failure, a skip or a bounce.
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

    /// Whether the guest was told, or was not told for a reason of theirs or the account's. False while the
    /// message is still to be sent, if it was skipped as late, and if every attempt failed. An unknown
    /// outcome counts as told.
    pub(crate) fn had_its_chance(&self) -> bool {
        match &self.standing {
            Standing::Due { .. }
            | Standing::Started { again: true, .. }
            | Standing::Failed { again_at: Some(_), .. } => false,
            Standing::Skipped { reason: Skip::Late } => self.in_doubt,
            Standing::Failed { again_at: None, .. } => {
                self.in_doubt || self.attempt < self.id.kind.attempts_max()
            }
            Standing::Started { again: false, .. }
            | Standing::Sent { .. }
            | Standing::Skipped { .. }
            | Standing::Bounced { .. } => true,
        }
    }

    /// Whether no further event of it is expected. A message with a lease may still get its outcome.
    fn is_settled(&self) -> bool {
        self.due_at().is_none() && self.lease_until().is_none()
    }

    /// The time from which the tick finds it. A message that is due with its cause is left to the reactor at
    /// first.
    pub(crate) fn sought_at(&self) -> Option<Time> {
        match &self.standing {
            Standing::Due { from } if self.id.kind != Kind::Reminder => Some(from.plus_millis(LEASE_MS)),
            _ => self.due_at(),
        }
    }
}

/// The messages of one stream, in the order in which they became due.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Ledger(Vec<Entry>);

impl Ledger {
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        &self.0
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Finds a message. `None` if it was never due, or was dropped because the ledger was full.
    #[must_use]
    pub fn entry(&self, id: MessageId) -> Option<&Entry> {
        self.0.iter().find(|entry| entry.id == id)
    }

    /// Adds a message that is to be sent from `from` on.
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

    /// The position of the message to drop: the oldest settled one, else the oldest that was never started,
    /// else the oldest.
    fn least_missed(&self) -> usize {
        let oldest = |wanted: fn(&Entry) -> bool| self.0.iter().position(wanted);
        let is_unstarted = |entry: &Entry| matches!(entry.standing, Standing::Due { .. });
        oldest(Entry::is_settled).or_else(|| oldest(is_unstarted)).unwrap_or(0)
    }

    /// The messages that are still to be sent and have no lease: never started, or to be tried again.
    pub fn unsent(&self) -> impl Iterator<Item = MessageId> {
        let is_unsent = |entry: &&Entry| {
            matches!(entry.standing, Standing::Due { .. } | Standing::Failed { again_at: Some(_), .. })
        };
        self.0.iter().filter(is_unsent).map(|entry| entry.id)
    }

    /// Drops messages of this kind that were never started.
    pub(crate) fn withdraw(&mut self, kind: Kind) {
        self.0.retain(|entry| entry.id.kind != kind || !matches!(entry.standing, Standing::Due { .. }));
    }

    /// Sets the time from which a message was to be sent.
    pub(crate) fn want_since(&mut self, id: MessageId, at: Time) {
        for entry in self.0.iter_mut().filter(|entry| entry.id == id) {
            entry.wanted_at = at;
        }
    }

    /// Postpones messages of this kind that were never started.
    pub(crate) fn postpone(&mut self, kind: Kind, ms: i64) {
        for entry in self.0.iter_mut().filter(|entry| entry.id.kind == kind) {
            if let Standing::Due { from } = &mut entry.standing {
                *from = from.plus_millis(ms);
                (entry.wanted_at, entry.at) = (*from, *from);
            }
        }
    }

    /// Ends the purpose of messages of this kind: an unknown outcome is not followed by another attempt.
    pub(crate) fn lapse(&mut self, kind: Kind) {
        for entry in self.0.iter_mut().filter(|entry| entry.id.kind == kind) {
            if let Standing::Started { again, .. } = &mut entry.standing {
                *again = false;
            }
        }
    }

    /// Applies an event. A message that is known to be sent stays sent, even if an earlier attempt reports a
    /// failure later.
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
                // The holder of the expired lease may have sent it, so the outcome stays unknown.
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
mod tests;
