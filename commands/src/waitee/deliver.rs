//! Which messages a guest is to get, and what is recorded about them.

use schema::{
    Time,
    message::{Kind, MessageId, Skip},
    waitee::Event,
};

use super::{Visit, Waitee};
use crate::delivery;

/// What follows for the visit. What became of a message is recorded in every state.
#[must_use]
pub fn deliver(waitee: &Waitee, command: &delivery::Command, now: Time) -> Vec<Event> {
    let Some(visit) = &waitee.0 else { return Vec::new() };
    let wanted = |message| visit.wants(message, now).is_ok();
    delivery::decide(&visit.agenda, command, wanted, now).into_iter().map(Event::Notification).collect()
}

impl Visit {
    /// Whether a message still has a purpose: the party was called by it, has not answered, and their table is still held.
    ///
    /// # Errors
    /// Why not.
    pub fn wants(&self, message: MessageId, now: Time) -> Result<(), Skip> {
        let is_call = |call: u64| match message.kind {
            Kind::TableReady | Kind::Reminder => call == message.cause,
            Kind::Welcome | Kind::Confirmation | Kind::PasswordReset => false,
        };
        match self.agenda.hold {
            Some(hold) if is_call(hold.call) && now < hold.until => Ok(()),
            Some(hold) if is_call(hold.call) => Err(Skip::Late),
            _ => Err(Skip::Needless),
        }
    }
}
