//! What may be done with an account.

use schema::{
    Problem, Sealed, Slug,
    user::{Event, Registered},
    value::{Name, PasswordHash},
};

use super::User;

/// What somebody wants of an account. Who they are, and that they know its password, was checked before.
#[derive(Clone, Debug)]
pub enum Command {
    /// Have it.
    Register(Registered),
    /// Be called differently.
    Rename(Sealed<Name>),
    /// Say, by the link in the welcome mail, that the address is theirs.
    ConfirmEmail,
    /// Have that mail once more.
    AskConfirmation,
    /// Have a mail with a link to set a new password.
    AskPasswordReset,
    /// Sign in by another password.
    ChangePassword(Sealed<PasswordHash>),
    /// Let it do what is system-wide.
    GrantOperator,
    /// Let it no longer.
    RevokeOperator,
    /// Send so many texts a day.
    CapTexts(u32),
    /// Be forgotten.
    Erase,
    /// Its key is gone, and its address free.
    Forget,
}

/// Why not.
#[derive(Debug, PartialEq, Eq)]
pub enum Refusal {
    /// There is no such account, or no longer.
    NotFound,
    /// There is nothing left to confirm.
    AlreadyConfirmed,
}

/// Decides.
///
/// # Errors
/// The command is refused.
pub fn decide(user: &User, command: &Command) -> Result<Vec<Event>, Refusal> {
    let account = match (user, command) {
        (User::None, Command::Register(registered)) => {
            return Ok(vec![Event::Registered(registered.clone())]);
        }
        (_, Command::Register(_))
        | (User::Erased(_) | User::Forgotten(_), Command::Erase)
        | (User::Forgotten(_), Command::Forget) => {
            return Ok(vec![]);
        }
        (User::Erased(_), Command::Forget) => return Ok(vec![Event::Forgotten {}]),
        (User::None | User::Erased(_) | User::Forgotten(_), _) | (User::Kept(_), Command::Forget) => {
            return Err(Refusal::NotFound);
        }
        (User::Kept(account), _) => account,
    };
    match command {
        Command::Register(_) | Command::Forget => Ok(vec![]),
        Command::Rename(name) => Ok(vec![Event::Renamed { name: name.clone() }]),
        Command::ConfirmEmail | Command::AskConfirmation if account.confirmed => {
            Err(Refusal::AlreadyConfirmed)
        }
        Command::ConfirmEmail => Ok(vec![Event::EmailConfirmed {}]),
        Command::AskConfirmation => Ok(vec![Event::ConfirmationAsked {}]),
        Command::AskPasswordReset => Ok(vec![Event::PasswordResetAsked {}]),
        Command::ChangePassword(password) => Ok(vec![Event::PasswordChanged { password: password.clone() }]),
        Command::GrantOperator if account.operator => Ok(vec![]),
        Command::GrantOperator => Ok(vec![Event::OperatorGranted {}]),
        Command::RevokeOperator if !account.operator => Ok(vec![]),
        Command::RevokeOperator => Ok(vec![Event::OperatorRevoked {}]),
        Command::CapTexts(most) if account.texts_per_day == Some(*most) => Ok(vec![]),
        Command::CapTexts(most) => Ok(vec![Event::TextsCapped { texts_per_day: *most }]),
        Command::Erase => Ok(vec![Event::Erased {}]),
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
        assert_eq!(after(confirmed.clone(), Command::ConfirmEmail), Err(Refusal::AlreadyConfirmed));
        assert_eq!(after(confirmed, Command::AskConfirmation), Err(Refusal::AlreadyConfirmed));
    }

    #[test]
    fn a_password_is_known_by_the_event_it_came_with() {
        let password_seq =
            |events| given::<User>(events).when(|user, _| user.kept().map(|account| account.password_seq));
        assert_eq!(password_seq(vec![registered(), Event::EmailConfirmed {}]), Some(1));
        assert_eq!(
            password_seq(vec![
                registered(),
                Event::PasswordResetAsked {},
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
                Command::AskConfirmation,
                Command::AskPasswordReset,
                Command::ChangePassword(hash()),
                Command::GrantOperator,
                Command::RevokeOperator,
            ] {
                assert_eq!(after(events.clone(), command.clone()), Err(Refusal::NotFound), "{command:?}");
            }
        }
    }
}
