//! Which mails an owner is to get, and what is recorded about them.

use schema::{
    Time,
    message::{Kind, MessageId, Skip},
    user::Event,
};

use super::{Account, User};
use crate::delivery;

/// What follows for the account. What became of a mail is recorded in every state.
#[must_use]
pub fn deliver(user: &User, command: &delivery::Command, now: Time) -> Vec<Event> {
    let Some(agenda) = user.agenda() else { return Vec::new() };
    let wanted = |message| user.kept().is_some_and(|account| account.wants(message, now).is_ok());
    delivery::decide(agenda, command, wanted, now).into_iter().map(Event::Mail).collect()
}

impl Account {
    /// Whether a mail still has a purpose.
    ///
    /// # Errors
    /// Why not.
    pub fn wants(&self, message: MessageId, now: Time) -> Result<(), Skip> {
        let spent = match message.kind {
            Kind::Welcome | Kind::Confirmation => self.confirmed,
            Kind::PasswordReset => self.password_seq > message.cause,
            Kind::TableReady | Kind::Reminder => true,
        };
        if spent {
            return Err(Skip::Needless);
        }
        let entry = self.agenda.messages.entry(message);
        let good_until =
            entry.zip(message.kind.good_for_ms()).map(|(entry, ms)| entry.wanted_at.plus_millis(ms));
        if good_until.is_some_and(|until| now < until) { Ok(()) } else { Err(Skip::Late) }
    }
}
