//! Decisions about an account.

use schema::{
    Problem, Sealed,
    user::{Event, Registered},
    value::{Name, PasswordHash},
};

use super::User;

/// A command to an account. Credentials were checked before.
#[derive(Clone, Debug)]
pub enum Command {
    Register(Registered),
    Rename(Sealed<Name>),
    /// The owner followed a mailed link: the address is theirs.
    ConfirmEmail,
    ChangePassword(Sealed<PasswordHash>),
    GrantOperator,
    RevokeOperator,
    /// Limits the texts per day.
    CapTexts(u32),
    Erase,
    /// The key is gone and the address is free.
    Forget,
}

#[derive(Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The account does not exist, or was erased.
    NotFound,
}

/// The events that a command leads to; none for a repetition.
///
/// # Errors
/// The command is refused.
pub fn decide(user: &User, command: &Command) -> Result<Vec<Event>, Refusal> {
    let account = match (user, command) {
        (User::None, Command::Register(registered)) => {
            return Ok(vec![Event::Registered(registered.clone())]);
        }
        (_, Command::Register(_))
        | (User::Erased(_) | User::Forgotten, Command::Erase)
        | (User::Forgotten, Command::Forget) => {
            return Ok(vec![]);
        }
        (User::Erased(_), Command::Forget) => return Ok(vec![Event::Forgotten {}]),
        (User::None | User::Erased(_) | User::Forgotten, _) | (User::Kept(_), Command::Forget) => {
            return Err(Refusal::NotFound);
        }
        (User::Kept(account), _) => account,
    };
    Ok(match command {
        Command::Register(_) | Command::Forget => vec![],
        Command::Rename(name) => vec![Event::Renamed { name: name.clone() }],
        Command::ConfirmEmail if account.confirmed => vec![],
        Command::ConfirmEmail => vec![Event::EmailConfirmed {}],
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

impl From<Refusal> for Problem {
    fn from(Refusal::NotFound: Refusal) -> Self {
        Self::not_found()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::given;

    fn registered() -> Event {
        Event::Registered(Registered {
            name: Sealed::from_text("name".into()),
            email: Sealed::from_text("email".into()),
            password: Sealed::from_text("password".into()),
        })
    }

    fn after(events: Vec<Event>, command: Command) -> Result<Vec<Event>, Refusal> {
        given::<User>(events).when(|user, _| decide(user, &command))
    }

    fn hash() -> Sealed<PasswordHash> {
        Sealed::from_text("another".into())
    }

    #[test]
    fn somebody_registers_once() {
        let Event::Registered(first) = registered() else { unreachable!() };
        assert_eq!(after(vec![], Command::Register(first.clone())), Ok(vec![registered()]));
        assert_eq!(after(vec![registered()], Command::Register(first)), Ok(vec![]));
    }

    #[test]
    fn an_address_is_confirmed_once() {
        assert_eq!(after(vec![registered()], Command::ConfirmEmail), Ok(vec![Event::EmailConfirmed {}]));
        let confirmed = vec![registered(), Event::EmailConfirmed {}];
        assert_eq!(after(confirmed, Command::ConfirmEmail), Ok(vec![]), "a link may be followed twice");
    }

    #[test]
    fn a_password_is_known_by_the_event_it_came_with() {
        let password_seq =
            |events| given::<User>(events).when(|user, _| user.kept().map(|account| account.password_seq));
        assert_eq!(password_seq(vec![registered(), Event::EmailConfirmed {}]), Some(1));
        assert_eq!(
            password_seq(vec![
                registered(),
                Event::EmailConfirmed {},
                Event::PasswordChanged { password: hash() }
            ]),
            Some(3)
        );
    }

    #[test]
    fn an_operator_is_granted_and_revoked_once() {
        assert_eq!(after(vec![registered()], Command::RevokeOperator), Ok(vec![]));
        assert_eq!(after(vec![registered()], Command::GrantOperator), Ok(vec![Event::OperatorGranted {}]));
        assert_eq!(after(vec![registered(), Event::OperatorGranted {}], Command::GrantOperator), Ok(vec![]));
        assert_eq!(
            after(vec![registered(), Event::OperatorGranted {}], Command::RevokeOperator),
            Ok(vec![Event::OperatorRevoked {}])
        );
    }

    #[test]
    fn nothing_but_the_forgetting_follows_an_erasure() {
        let erased = vec![registered(), Event::Erased {}];
        let forgotten = vec![registered(), Event::Erased {}, Event::Forgotten {}];
        assert_eq!(after(vec![registered()], Command::Erase), Ok(vec![Event::Erased {}]));
        assert_eq!(after(erased.clone(), Command::Erase), Ok(vec![]));
        assert_eq!(after(erased.clone(), Command::Forget), Ok(vec![Event::Forgotten {}]));
        assert_eq!(after(forgotten.clone(), Command::Forget), Ok(vec![]));
        assert_eq!(after(vec![registered()], Command::Forget), Err(Refusal::NotFound), "nobody asked for it");
        for events in [vec![], erased, forgotten] {
            for command in [
                Command::Rename(Sealed::from_text("other".into())),
                Command::ConfirmEmail,
                Command::ChangePassword(hash()),
                Command::GrantOperator,
                Command::RevokeOperator,
            ] {
                assert_eq!(after(events.clone(), command.clone()), Err(Refusal::NotFound), "{command:?}");
            }
        }
    }
}
