//! An account: its owner's data, its credentials, and whether it still exists.

mod decide;
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
    decide::{Command, Refusal},
    operator::{Changed, cap_texts, set_operator},
    public::REGISTERED_SEQ,
};
use crate::delivery::HasAgenda;

/// The state of an account.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum User {
    /// No such account.
    #[default]
    None,
    Kept(Account),
    /// Erased, with a key that is still to be deleted.
    Erased(Account),
    /// Erased, with its key deleted.
    Forgotten,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    pub name: Sealed<Name>,
    pub email: Sealed<Email>,
    pub password: Sealed<PasswordHash>,
    /// Number of the event that set the password: a reset link is bound to it.
    pub password_seq: u64,
    /// Whether the owner has followed a link mailed to the address.
    pub confirmed: bool,
    pub operator: bool,
    /// The cap on texts per day, when an operator set one.
    pub texts_per_day: Option<u32>,
    pub agenda: Agenda,
}

impl User {
    /// The account, unless it was erased.
    pub fn kept(&self) -> Option<&Account> {
        match self {
            Self::Kept(account) => Some(account),
            Self::None | Self::Erased(_) | Self::Forgotten => None,
        }
    }
}

impl Aggregate for User {
    type Event = Event;

    /// An account has some tens of events in its life.
    const EVENTS_MAX: u64 = 1_000;

    /// A new password is always accepted, because an account must be recoverable; attempts to set one are
    /// counted.
    fn always_fits(event: &Event) -> bool {
        matches!(
            event,
            Event::EmailConfirmed {} | Event::PasswordChanged { .. } | Event::Erased {} | Event::Forgotten {}
        )
    }

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
            (Self::Kept(_) | Self::Erased(_) | Self::Forgotten, Event::Forgotten {}) => Self::Forgotten,
            (Self::Kept(account) | Self::Erased(account), Event::Erased {}) => {
                Self::Erased(account.evolve(fact))
            }
            (Self::Kept(account), _) => Self::Kept(account.evolve(fact)),
            (Self::Erased(account), _) => Self::Erased(account.evolve(fact)),
            (state @ (Self::None | Self::Forgotten), _) => state,
        }
    }
}

impl HasAgenda for User {
    fn agenda(&self) -> Option<&Agenda> {
        match self {
            Self::Kept(account) | Self::Erased(account) => Some(&account.agenda),
            Self::None | Self::Forgotten => None,
        }
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
            Event::Registered(_) | Event::Erased {} | Event::Forgotten {} => {}
        }
        self
    }
}
