//! The delivery of a message to a guest: its events, and whether the message still has a purpose.

use schema::{
    Time,
    message::{Kind, MessageId, Skip},
    waitee::Event,
};

use super::Visit;
use crate::delivery;

/// The events that follow from a step of a message's delivery. An outcome is recorded in every state.
pub(super) fn deliver(visit: &Visit, command: &delivery::Command, now: Time) -> Vec<Event> {
    let wanted = |message| visit.wants(message, now).is_ok();
    delivery::decide(&visit.agenda, command, wanted, now).into_iter().map(Event::Notification).collect()
}

impl Visit {
    /// Whether a message still has a purpose: it is about the latest call, the party has not answered, and it
    /// is not too late. If not, the reason to skip it.
    pub fn wants(&self, message: MessageId, now: Time) -> Result<(), Skip> {
        let is_call = |call: u64| match message.kind {
            Kind::TableReady | Kind::Reminder => call == message.cause,
            Kind::Welcome | Kind::Confirmation | Kind::PasswordReset => false,
        };
        if self.erased {
            return Err(Skip::Erased);
        }
        if !self.agenda.hold.is_some_and(|hold| is_call(hold.call)) {
            return Err(Skip::Needless);
        }
        let in_time = self.agenda.good_until(message.kind).is_some_and(|until| now < until);
        if in_time { Ok(()) } else { Err(Skip::Late) }
    }
}

#[cfg(test)]
mod tests;
