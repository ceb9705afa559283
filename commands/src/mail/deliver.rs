//! The purpose of a mail to an owner, and what is recorded about its delivery.

use schema::{
    Time,
    mail::{Event, Kind},
    message::{self, Skip},
};

use super::{Mail, Wanted};
use crate::{delivery, user::Account};

/// The events that follow from a step of the delivery. An outcome is recorded in every state.
#[must_use]
pub fn deliver(mail: &Mail, command: &delivery::Command, now: Time) -> Vec<Event> {
    let Some(wanted) = &mail.0 else { return Vec::new() };
    let is_wanted = |_| now < wanted.link_ends_at();
    delivery::decide(&wanted.agenda, command, is_wanted, now).into_iter().map(Event::Message).collect()
}

impl Wanted {
    /// The end of its link's validity; a later mail is pointless.
    #[must_use]
    pub fn link_ends_at(&self) -> Time {
        let good_for_ms = message::Kind::from(self.asked.kind).good_for_ms();
        self.asked_at.plus_millis(good_for_ms.unwrap_or(0))
    }

    /// Whether the mail still has a purpose for this account.
    ///
    /// # Errors
    /// The reason to skip it.
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
        Sealed,
        mail::Asked,
        message::{Channel, MessageId},
        user::{Event as UserEvent, Registered},
    };

    use super::*;
    use crate::{
        spec::{NOW_MS, given, state},
        user::User,
    };

    fn registered() -> UserEvent {
        UserEvent::Registered(Registered {
            name: Sealed::from_text("name".into()),
            email: Sealed::from_text("email".into()),
            password: Sealed::from_text("password".into()),
        })
    }

    fn asked(kind: Kind) -> Vec<Event> {
        vec![Event::Asked(Asked { kind, user_seq: 1 })]
    }

    fn suits(kind: Kind, account: &[UserEvent], later_ms: i64) -> Result<(), Skip> {
        let user = state::<User>([&[registered()], account].concat());
        let now = Time::from_millis(NOW_MS + later_ms);
        state::<Mail>(asked(kind)).0.unwrap().suits(user.kept().unwrap(), now)
    }

    #[test]
    fn a_mail_whose_link_was_used_or_has_ended_is_not_sent() {
        let changed = || UserEvent::PasswordChanged { password: Sealed::from_text("another".into()) };
        for kind in [Kind::Welcome, Kind::Confirmation] {
            assert_eq!(suits(kind, &[changed()], 0), Ok(()));
            assert_eq!(suits(kind, &[UserEvent::EmailConfirmed {}], 0), Err(Skip::Needless));
            assert_eq!(suits(kind, &[], 7 * 24 * 3_600_000), Err(Skip::Late));
        }
        assert_eq!(suits(Kind::PasswordReset, &[UserEvent::EmailConfirmed {}], 0), Ok(()));
        assert_eq!(suits(Kind::PasswordReset, &[changed()], 0), Err(Skip::Needless));
        assert_eq!(suits(Kind::PasswordReset, &[], 3_600_000), Err(Skip::Late));
    }

    #[test]
    fn a_mail_is_begun_while_its_link_is_good() {
        let begun = |later_ms| {
            let message = MessageId { kind: message::Kind::PasswordReset, cause: 1 };
            let start = delivery::Command::Start { message, channel: Channel::Email };
            let now = Time::from_millis(NOW_MS + later_ms);
            given::<Mail>(asked(Kind::PasswordReset)).when(|mail, _| deliver(mail, &start, now)).len()
        };
        assert_eq!((begun(0), begun(3_600_000)), (1, 0));
    }
}
