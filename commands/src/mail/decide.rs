//! Asking for a mail to an owner.

use schema::{
    Problem, Slug,
    mail::{Asked, Event, Kind},
};

use super::Mail;
use crate::user::User;

#[derive(Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The account does not exist, or was erased.
    NotFound,
    /// The account's address is confirmed already.
    AlreadyConfirmed,
}

/// Asks for a mail of this kind to the owner of `user`, whose last event is `user_seq`.
///
/// # Errors
/// The mail has no reader or no purpose.
pub fn decide(mail: &Mail, kind: Kind, user: &User, user_seq: u64) -> Result<Vec<Event>, Refusal> {
    if mail.0.is_some() {
        return Ok(vec![]);
    }
    let account = user.kept().ok_or(Refusal::NotFound)?;
    if kind.confirms() && account.confirmed {
        return Err(Refusal::AlreadyConfirmed);
    }
    Ok(vec![Event::Asked(Asked { kind, user_seq })])
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
    use schema::user::{Event as UserEvent, Registered};

    use super::*;
    use crate::spec::{given, state};

    fn registered() -> UserEvent {
        UserEvent::Registered(Registered {
            name: schema::Sealed::from_text("name".into()),
            email: schema::Sealed::from_text("email".into()),
            password: schema::Sealed::from_text("password".into()),
        })
    }

    fn ask(kind: Kind, account: Vec<UserEvent>, mail: Vec<Event>) -> Result<Vec<Event>, Refusal> {
        let seq = account.len() as u64;
        let user = state::<User>(account);
        given::<Mail>(mail).when(|mail, _| decide(mail, kind, &user, seq))
    }

    fn asked(kind: Kind, user_seq: u64) -> Event {
        Event::Asked(Asked { kind, user_seq })
    }

    #[test]
    fn a_mail_is_asked_for_once() {
        let (confirmation, one) = (Kind::Confirmation, || vec![registered()]);
        assert_eq!(ask(confirmation, one(), vec![]), Ok(vec![asked(confirmation, 1)]));
        assert_eq!(ask(confirmation, one(), vec![asked(confirmation, 1)]), Ok(vec![]));
    }

    #[test]
    fn a_confirmed_address_needs_no_link_but_its_owner_may_forget_the_password() {
        let confirmed = || vec![registered(), UserEvent::EmailConfirmed {}];
        assert_eq!(ask(Kind::Confirmation, confirmed(), vec![]), Err(Refusal::AlreadyConfirmed));
        assert_eq!(ask(Kind::PasswordReset, confirmed(), vec![]), Ok(vec![asked(Kind::PasswordReset, 2)]));
    }

    #[test]
    fn an_account_that_is_not_there_gets_no_mail() {
        let erased = vec![registered(), UserEvent::Erased {}];
        let forgotten = [erased.clone(), vec![UserEvent::Forgotten {}]].concat();
        for account in [vec![], erased, forgotten] {
            for kind in [Kind::Confirmation, Kind::PasswordReset] {
                assert_eq!(ask(kind, account.clone(), vec![]), Err(Refusal::NotFound));
            }
        }
    }
}
