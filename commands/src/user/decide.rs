//! Decisions about an account.

use schema::{
    Problem, Sealed, Slug, Time,
    user::{Event, Registered},
    value::{Name, PasswordHash},
};

use super::User;
use crate::Decider;

/// A command to an account. Passwords and tokens were checked before.
#[derive(Clone, Debug)]
pub enum Command {
    Register(Registered),
    /// `None` leaves the name as it is.
    Rename(Option<Sealed<Name>>),
    /// Confirms the address by a mailed link that is valid until a time. A link may be followed again at any
    /// time.
    ConfirmEmail {
        link_ends_at: Time,
    },
    ChangePassword(Sealed<PasswordHash>),
    GrantOperator,
    RevokeOperator,
    /// Limits the texts per day.
    CapTexts(u32),
    Erase,
    /// Records that the account's key is deleted and its address is free.
    Forget,
}

#[derive(Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The account does not exist, or was erased.
    NotFound,
    /// The mailed link has expired, or its account does not exist.
    InvalidLink,
}

impl Decider for User {
    type Command = Command;
    type Refusal = Refusal;

    fn decide(&self, command: &Command, now: Time) -> Result<Vec<Event>, Refusal> {
        let account = match (self, command) {
            (User::None, Command::Register(registered)) => {
                return Ok(vec![Event::Registered(registered.clone())]);
            }
            (_, Command::Register(_))
            | (User::Erased(_) | User::Forgotten, Command::Erase)
            | (User::Forgotten, Command::Forget) => {
                return Ok(vec![]);
            }
            (User::Erased(_), Command::Forget) => return Ok(vec![Event::Forgotten {}]),
            (User::None | User::Erased(_) | User::Forgotten, Command::ConfirmEmail { .. }) => {
                return Err(Refusal::InvalidLink);
            }
            (User::None | User::Erased(_) | User::Forgotten, _) | (User::Kept(_), Command::Forget) => {
                return Err(Refusal::NotFound);
            }
            (User::Kept(account), _) => account,
        };
        Ok(match command {
            Command::Register(_) | Command::Forget | Command::Rename(None) => vec![],
            Command::Rename(Some(name)) => vec![Event::Renamed { name: name.clone() }],
            Command::ConfirmEmail { .. } if account.confirmed => vec![],
            Command::ConfirmEmail { link_ends_at } if now >= *link_ends_at => {
                return Err(Refusal::InvalidLink);
            }
            Command::ConfirmEmail { .. } => vec![Event::EmailConfirmed {}],
            Command::ChangePassword(password) => vec![Event::PasswordChanged { password: password.clone() }],
            Command::GrantOperator if account.operator => vec![],
            Command::GrantOperator => vec![Event::OperatorGranted {}],
            Command::RevokeOperator if !account.operator => vec![],
            Command::RevokeOperator => vec![Event::OperatorRevoked {}],
            Command::CapTexts(most) if account.texts_per_day == Some(*most) => vec![],
            Command::CapTexts(most) => vec![Event::TextsCapped { texts_per_day: *most }],
            Command::Erase => vec![Event::Erased {}],
        })
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::NotFound => Self::not_found(),
            Refusal::InvalidLink => {
                Self::new(Slug::InvalidToken, "The link is spent or too old; ask for a new one.")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::{NOW_MS, given, password_changed, registered, sealed, state};

    fn register() -> Command {
        Command::Register(Registered { name: sealed(), email: sealed(), password: sealed() })
    }

    fn confirm() -> Command {
        Command::ConfirmEmail { link_ends_at: Time::from_millis(NOW_MS + 1) }
    }

    fn granted() -> Event {
        Event::OperatorGranted {}
    }

    #[test]
    fn an_account_is_registered_once() {
        given([]).when(register()).then([registered()]);
        given([registered()]).when(register()).then_nothing();
    }

    #[test]
    fn a_name_is_changed_only_when_one_is_given() {
        given([registered()]).when(Command::Rename(Some(sealed()))).then([Event::Renamed { name: sealed() }]);
        given([registered()]).when(Command::Rename(None)).then_nothing();
    }

    #[test]
    fn an_address_is_confirmed_once_and_the_link_may_be_followed_again() {
        let expired = || Command::ConfirmEmail { link_ends_at: Time::from_millis(NOW_MS) };
        given([registered()]).when(confirm()).then([Event::EmailConfirmed {}]);
        given([registered()]).when(expired()).then_refused(Refusal::InvalidLink);
        for again in [confirm(), expired()] {
            given([registered(), Event::EmailConfirmed {}]).when(again).then_nothing();
        }
    }

    #[test]
    fn the_state_records_which_event_set_the_password() {
        let password_seq = |more: Option<Event>| {
            let events = [registered(), Event::EmailConfirmed {}].into_iter().chain(more);
            state::<User>(events).kept().map(|account| account.password_seq)
        };
        assert_eq!(password_seq(None), Some(1));
        assert_eq!(password_seq(Some(password_changed())), Some(3));
    }

    #[test]
    fn an_operator_is_granted_and_revoked_once() {
        given([registered()]).when(Command::RevokeOperator).then_nothing();
        given([registered()]).when(Command::GrantOperator).then([granted()]);
        given([registered(), granted()]).when(Command::GrantOperator).then_nothing();
        given([registered(), granted()]).when(Command::RevokeOperator).then([Event::OperatorRevoked {}]);
    }

    #[test]
    fn an_account_is_erased_once_and_then_forgotten_once() {
        let erased = || [registered(), Event::Erased {}];
        let forgotten = || [registered(), Event::Erased {}, Event::Forgotten {}];
        given([registered()]).when(Command::Erase).then([Event::Erased {}]);
        given(erased()).when(Command::Erase).then_nothing();
        given(erased()).when(Command::Forget).then([Event::Forgotten {}]);
        given(forgotten()).when(Command::Forget).then_nothing();
        given([registered()]).when(Command::Forget).then_refused(Refusal::NotFound);
    }

    #[test]
    fn an_account_that_does_not_exist_or_was_erased_refuses_other_commands() {
        let erased = vec![registered(), Event::Erased {}];
        let forgotten = [erased.clone(), vec![Event::Forgotten {}]].concat();
        for events in [vec![], erased, forgotten] {
            for command in [
                Command::Rename(Some(sealed())),
                Command::Rename(None),
                Command::ChangePassword(sealed()),
                Command::GrantOperator,
                Command::RevokeOperator,
            ] {
                given(events.clone()).when(command).then_refused(Refusal::NotFound);
            }
            given(events).when(confirm()).then_refused(Refusal::InvalidLink);
        }
    }
}
