//! A mail to an account's owner, from being asked for to its outcome.

mod decide;
mod deliver;
pub(crate) mod handler;

use infra::log::Aggregate;
use schema::{
    Fact, Time,
    agenda::Agenda,
    mail::{Asked, Event},
};

pub use self::decide::{Command, Refusal};
use crate::delivery::HasAgenda;

/// The state of a mail; `None` before it was asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mail(pub Option<Wanted>);

/// A mail that was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    pub asked: Asked,
    pub asked_at: Time,
    pub agenda: Agenda,
}

impl Aggregate for Mail {
    type Event = Event;

    fn evolve(self, fact: &Fact<Event>) -> Self {
        match (self.0, &fact.event) {
            (None, Event::Asked(asked)) => Self(Some(Wanted {
                asked: *asked,
                asked_at: fact.at,
                agenda: Agenda::default().of_mail(fact),
            })),
            (Some(wanted), _) => Self(Some(Wanted { agenda: wanted.agenda.of_mail(fact), ..wanted })),
            (None, Event::Message(_)) => Self(None),
        }
    }

    fn keeps_etag(event: &Event) -> bool {
        matches!(event, Event::Message(_))
    }
}

impl HasAgenda for Mail {
    fn agenda(&self) -> Option<&Agenda> {
        self.0.as_ref().map(|wanted| &wanted.agenda)
    }
}
