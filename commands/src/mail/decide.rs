//! Decisions about a mail to an account's owner.

use schema::{
    Problem, Slug, Time,
    mail::{Asked, Event, Kind},
};

use super::{Mail, deliver::deliver};
use crate::{Decider, delivery, user::User};

#[derive(Clone, Debug)]
pub enum Command {
    /// Asks for a mail to the owner of `account`, whose last event is `user_seq`.
    Ask { kind: Kind, account: User, user_seq: u64 },
    /// Records a step of the mail's delivery.
    Deliver(delivery::Command),
}

#[derive(Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The account does not exist, or was erased.
    NotFound,
    /// The account's address is confirmed already.
    AlreadyConfirmed,
}

impl Decider for Mail {
    type Command = Command;
    type Refusal = Refusal;

    fn decide(&self, command: &Command, now: Time) -> Result<Vec<Event>, Refusal> {
        match (command, &self.0) {
            (Command::Ask { kind, account, user_seq }, None) => ask(*kind, account, *user_seq),
            (Command::Ask { .. }, Some(_)) | (Command::Deliver(_), None) => Ok(vec![]),
            (Command::Deliver(command), Some(wanted)) => Ok(deliver(wanted, command, now)),
        }
    }
}

fn ask(kind: Kind, account: &User, user_seq: u64) -> Result<Vec<Event>, Refusal> {
    match account.kept() {
        Some(account) if kind.confirms() && account.confirmed => Err(Refusal::AlreadyConfirmed),
        Some(_) => Ok(vec![Event::Asked(Asked { kind, user_seq })]),
        // A refusal would tell a stranger that the account exists and is being erased.
        None if kind == Kind::PasswordReset => Ok(vec![]),
        None => Err(Refusal::NotFound),
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::NotFound => Self::not_found(),
            Refusal::AlreadyConfirmed => Self::new(
                Slug::AlreadyConfirmed,
                "The account's e-mail address is confirmed; nothing is left to do.",
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use schema::user::Event as UserEvent;

    use super::*;
    use crate::spec::{given, registered, state};

    fn ask<const N: usize>(kind: Kind, account: [UserEvent; N]) -> Command {
        Command::Ask { kind, account: state(account), user_seq: N as u64 }
    }

    fn asked(kind: Kind, user_seq: u64) -> Event {
        Event::Asked(Asked { kind, user_seq })
    }

    #[test]
    fn a_mail_is_asked_for_once() {
        let confirmation = Kind::Confirmation;
        given([]).when(ask(confirmation, [registered()])).then([asked(confirmation, 1)]);
        given([asked(confirmation, 1)]).when(ask(confirmation, [registered()])).then_nothing();
    }

    #[test]
    fn a_confirmed_address_gets_no_confirmation_mail_but_its_owner_may_reset_the_password() {
        let confirmed = || [registered(), UserEvent::EmailConfirmed {}];
        given([]).when(ask(Kind::Confirmation, confirmed())).then_refused(Refusal::AlreadyConfirmed);
        given([]).when(ask(Kind::PasswordReset, confirmed())).then([asked(Kind::PasswordReset, 2)]);
    }

    #[test]
    fn an_account_that_does_not_exist_gets_no_mail() {
        given([]).when(ask(Kind::Confirmation, [])).then_refused(Refusal::NotFound);
        let erased = || [registered(), UserEvent::Erased {}];
        given([]).when(ask(Kind::Confirmation, erased())).then_refused(Refusal::NotFound);
        let forgotten = [registered(), UserEvent::Erased {}, UserEvent::Forgotten {}];
        given([]).when(ask(Kind::Confirmation, forgotten)).then_refused(Refusal::NotFound);
    }

    #[test]
    fn a_password_reset_of_an_account_that_does_not_exist_is_not_refused() {
        given([]).when(ask(Kind::PasswordReset, [])).then_nothing();
        given([]).when(ask(Kind::PasswordReset, [registered(), UserEvent::Erased {}])).then_nothing();
    }
}
