//! The delivery of a mail to an owner: its events, and whether the mail still has a purpose.

use schema::{
    Time,
    mail::{Event, Kind},
    message::{self, Skip},
};

use super::Wanted;
use crate::{delivery, user::Account};

/// The events that follow from a step of the delivery. An outcome is recorded in every state.
pub(super) fn deliver(wanted: &Wanted, command: &delivery::Command, now: Time) -> Vec<Event> {
    let is_wanted = |_| now < wanted.link_ends_at();
    delivery::decide(&wanted.agenda, command, is_wanted, now).into_iter().map(Event::Message).collect()
}

impl Wanted {
    /// When the mail's link expires. From then on the mail has no purpose.
    pub fn link_ends_at(&self) -> Time {
        let good_for_ms = message::Kind::from(self.asked.kind).good_for_ms();
        self.asked_at.plus_millis(good_for_ms.unwrap_or(0))
    }

    /// Whether the mail still has a purpose for this account; if not, the reason to skip it.
    pub fn suits(&self, account: &Account, now: Time) -> Result<(), Skip> {
        let is_spent = match self.asked.kind {
            Kind::Welcome | Kind::Confirmation => account.confirmed,
            Kind::PasswordReset => account.password_seq > self.asked.user_seq,
        };
        if is_spent {
            Err(Skip::Needless)
        } else if now < self.link_ends_at() {
            Ok(())
        } else {
            Err(Skip::Late)
        }
    }
}

#[cfg(test)]
mod tests {
    use schema::{
        mail::Asked,
        message::{Channel, MessageId},
        user::Event as UserEvent,
    };

    use super::*;
    use crate::{
        mail::{Command, Mail},
        spec::{at, given, password_changed, registered, state},
        user::User,
    };

    const HOUR_MS: i64 = 3_600_000;

    fn asked(kind: Kind) -> Event {
        Event::Asked(Asked { kind, user_seq: 1 })
    }

    fn suits(kind: Kind, account: Option<UserEvent>, later_ms: i64) -> Result<(), Skip> {
        let user: User = state([registered()].into_iter().chain(account));
        state::<Mail>([asked(kind)]).0.unwrap().suits(user.kept().unwrap(), at(later_ms))
    }

    #[test]
    fn a_mail_is_skipped_when_its_link_was_used_or_has_expired() {
        let confirmed = || Some(UserEvent::EmailConfirmed {});
        for kind in [Kind::Welcome, Kind::Confirmation] {
            assert_eq!(suits(kind, Some(password_changed()), 0), Ok(()));
            assert_eq!(suits(kind, confirmed(), 0), Err(Skip::Needless));
            assert_eq!(suits(kind, None, 7 * 24 * HOUR_MS), Err(Skip::Late));
        }
        assert_eq!(suits(Kind::PasswordReset, confirmed(), 0), Ok(()));
        assert_eq!(suits(Kind::PasswordReset, Some(password_changed()), 0), Err(Skip::Needless));
        assert_eq!(suits(Kind::PasswordReset, None, HOUR_MS), Err(Skip::Late));
    }

    #[test]
    fn a_mail_is_started_only_before_its_link_expires() {
        let start = || {
            let message = MessageId { kind: message::Kind::PasswordReset, cause: 1 };
            Command::Deliver(delivery::Command::Start { message, channel: Channel::Email })
        };
        assert!(given([asked(Kind::PasswordReset)]).when(start()).is_accepted());
        given([asked(Kind::PasswordReset)]).later(HOUR_MS).when(start()).then_nothing();
    }
}
