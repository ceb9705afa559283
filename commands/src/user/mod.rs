//! An account: who it is, what signs it in, and whether it is still there.

mod decide;
pub(crate) mod handler;
mod operator;
pub(crate) mod password;
pub(crate) mod public;

use infra::log::Aggregate;
use schema::{
    Fact, Sealed,
    user::Event,
    value::{Email, Name, PasswordHash},
};

pub use self::{
    decide::{Command, Refusal, decide},
    operator::{Operator, set_operator},
};

/// What deciding needs to know of an account.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum User {
    /// It never was.
    #[default]
    None,
    /// It is there.
    Kept(Account),
    /// It is about to be forgotten.
    Erased(Account),
    /// Its key is gone for good.
    Forgotten,
}

/// An account that is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// What its owner is called.
    pub name: Sealed<Name>,
    /// Where to write.
    pub email: Sealed<Email>,
    /// What its password is checked against.
    pub password: Sealed<PasswordHash>,
    /// Number of the event that the password came with: what a reset's link hangs on.
    pub password_seq: u64,
    /// Whether the address is known to be its owner's.
    pub confirmed: bool,
    /// Whether it may do what is system-wide.
    pub operator: bool,
}

impl User {
    /// The account, while it is there.
    #[must_use]
    pub fn kept(&self) -> Option<&Account> {
        match self {
            Self::Kept(account) => Some(account),
            Self::None | Self::Erased(_) | Self::Forgotten => None,
        }
    }
}

impl Aggregate for User {
    type Event = Event;

    fn evolve(self, fact: &Fact<Event>) -> Self {
        match (self, &fact.event) {
            (_, Event::Registered(registered)) => Self::Kept(Account {
                name: registered.name.clone(),
                email: registered.email.clone(),
                password: registered.password.clone(),
                password_seq: fact.seq,
                confirmed: false,
                operator: false,
            }),
            (_, Event::Forgotten {}) => Self::Forgotten,
            (Self::Kept(account), Event::Erased {}) => Self::Erased(account),
            (Self::Kept(account), event) => Self::Kept(account.evolve(fact.seq, event)),
            (other, _) => other,
        }
    }
}

impl Account {
    fn evolve(mut self, seq: u64, event: &Event) -> Self {
        match event {
            Event::Renamed { name } => self.name = name.clone(),
            Event::EmailConfirmed {} => self.confirmed = true,
            Event::PasswordChanged { password } => {
                self.password = password.clone();
                self.password_seq = seq;
            }
            Event::OperatorGranted {} => self.operator = true,
            Event::OperatorRevoked {} => self.operator = false,
            Event::Registered(_) | Event::ConfirmationAsked {} | Event::PasswordResetAsked {} | Event::Erased {} | Event::Forgotten {} => {}
        }
        self
    }
}
