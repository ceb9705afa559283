//! The purpose of a message to a guest, and what is recorded about its delivery.

use schema::{
    Time,
    message::{Kind, MessageId, Skip},
    waitee::Event,
};

use super::{Visit, Waitee};
use crate::delivery;

/// The events that follow from a step of a message's delivery. An outcome is recorded in every state.
#[must_use]
pub fn deliver(waitee: &Waitee, command: &delivery::Command, now: Time) -> Vec<Event> {
    let Some(visit) = &waitee.0 else { return Vec::new() };
    let wanted = |message| visit.wants(message, now).is_ok();
    delivery::decide(&visit.agenda, command, wanted, now).into_iter().map(Event::Notification).collect()
}

impl Visit {
    /// Whether a message still has a purpose: its call is the latest, the party has not answered, and the table is still held.
    ///
    /// # Errors
    /// The reason to skip it.
    pub fn wants(&self, message: MessageId, now: Time) -> Result<(), Skip> {
        let is_call = |call: u64| match message.kind {
            Kind::TableReady | Kind::Reminder => call == message.cause,
            Kind::Welcome | Kind::Confirmation | Kind::PasswordReset => false,
        };
        match self.agenda.hold {
            _ if self.erased => Err(Skip::Erased),
            Some(hold) if is_call(hold.call) && now < hold.until => Ok(()),
            Some(hold) if is_call(hold.call) => Err(Skip::Late),
            _ => Err(Skip::Needless),
        }
    }
}

#[cfg(test)]
mod tests;
