//! An account: who it is, what signs it in, and whether it is still there.

mod decide;
mod deliver;
pub(crate) mod handler;
mod operator;
pub(crate) mod password;
pub(crate) mod public;

use infra::log::Aggregate;
use schema::{
    Fact, Sealed,
    agenda::Agenda,
    user::Event,
    value::{Email, Name, PasswordHash},
};

pub use self::{
    decide::{Command, Refusal, decide},
    deliver::deliver,
    operator::{Operator, cap_texts, set_operator},
    public::REGISTERED_SEQ,
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
    /// Its key is gone for good; what becomes of a mail that was on its way is still recorded.
    Forgotten(Agenda),
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
    /// How many texts it may send a day, when somebody said.
    pub texts_per_day: Option<u32>,
    /// What is to be done about it.
    pub agenda: Agenda,
}

impl User {
    /// What is to be done about it; nothing when it never was.
    #[must_use]
    pub fn agenda(&self) -> Option<&Agenda> {
        match self {
            Self::None => None,
            Self::Kept(account) | Self::Erased(account) => Some(&account.agenda),
            Self::Forgotten(agenda) => Some(agenda),
        }
    }

    /// The account, while it is there.
    #[must_use]
    pub fn kept(&self) -> Option<&Account> {
        match self {
            Self::Kept(account) => Some(account),
            Self::None | Self::Erased(_) | Self::Forgotten(_) => None,
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
                texts_per_day: None,
                agenda: Agenda::default().of_account(fact),
            }),
            (Self::Kept(account) | Self::Erased(account), Event::Forgotten {}) => {
                Self::Forgotten(account.agenda.of_account(fact))
            }
            (Self::Kept(account), Event::Erased {}) => Self::Erased(account.evolve(fact)),
            (Self::Kept(account), _) => Self::Kept(account.evolve(fact)),
            (Self::Erased(account), _) => Self::Erased(account.evolve(fact)),
            (Self::Forgotten(agenda), _) => Self::Forgotten(agenda.of_account(fact)),
            (Self::None, _) => Self::None,
        }
    }

    fn is_aside(event: &Event) -> bool {
        matches!(event, Event::Mail(_))
    }
}

impl Account {
    fn evolve(mut self, fact: &Fact<Event>) -> Self {
        self.agenda = self.agenda.of_account(fact);
        match &fact.event {
            Event::Renamed { name } => self.name = name.clone(),
            Event::EmailConfirmed {} => self.confirmed = true,
            Event::PasswordChanged { password } => {
                self.password = password.clone();
                self.password_seq = fact.seq;
            }
            Event::OperatorGranted {} => self.operator = true,
            Event::OperatorRevoked {} => self.operator = false,
            Event::TextsCapped { texts_per_day } => self.texts_per_day = Some(*texts_per_day),
            Event::Registered(_)
            | Event::ConfirmationAsked {}
            | Event::PasswordResetAsked {}
            | Event::Erased {}
            | Event::Forgotten {} => {}
            Event::Mail(_) => {}
        }
        self
    }
}
