//! One party's visit: from joining to the table, or away.

mod decide;
mod deliver;
pub(crate) mod guest;
pub(crate) mod handler;
mod join;
mod place;
mod refusal;
pub mod system;

use infra::log::Aggregate;
use schema::{
    Fact, Rank, WaitlistId,
    agenda::Agenda,
    waitee::{Event, Party, State},
};

pub use self::{
    decide::{Command, admit, decide},
    deliver::deliver,
    place::Target,
    refusal::Refusal,
};

/// What deciding needs to know of a visit; nothing before the party joined.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Waitee(pub Option<Visit>);

/// A visit under way or over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Visit {
    /// The list.
    pub waitlist: WaitlistId,
    /// Where it stands.
    pub state: State,
    /// The place in line.
    pub rank: Rank,
    pub party: Party,
    /// What is to be done about it.
    pub agenda: Agenda,
    /// Whether they are forgotten, or about to be.
    pub erased: bool,
    /// Whether their key is gone for good.
    pub forgotten: bool,
}

impl Aggregate for Waitee {
    type Event = Event;

    /// A visit has ten to fifty events. This many are a hundred calls, with what became of their messages.
    const EVENTS_MAX: u64 = 500;

    fn always_fits(event: &Event) -> bool {
        matches!(
            event,
            Event::Seated(_)
                | Event::Left(_)
                | Event::Removed(_)
                | Event::NoShow(_)
                | Event::Erased {}
                | Event::Forgotten {}
                | Event::Notification(_)
        )
    }

    fn evolve(self, fact: &Fact<Event>) -> Self {
        if let Event::Joined(joined) = &fact.event {
            return Self(Some(Visit {
                waitlist: joined.waitlist,
                state: State::Waiting,
                rank: joined.rank.clone(),
                party: joined.party.clone(),
                agenda: Agenda::default().of_visit(fact),
                erased: false,
                forgotten: false,
            }));
        }
        Self(self.0.map(|visit| visit.evolve(fact)))
    }

    fn is_aside(event: &Event) -> bool {
        matches!(event, Event::Notification(_))
    }
}

impl Visit {
    fn evolve(mut self, fact: &Fact<Event>) -> Self {
        self.agenda = self.agenda.of_visit(fact);
        match &fact.event {
            Event::Joined(_) => {}
            Event::DetailsChanged(details) => self.party = self.party.apply(details),
            Event::Called { .. } => self.state = State::Called,
            Event::Confirmed(_) => self.state = State::Confirmed,
            Event::Seated(_) => self.state = State::Seated,
            Event::Left(_) => self.state = State::Left,
            Event::Removed(_) => self.state = State::Removed,
            Event::NoShow(_) => self.state = State::NoShow,
            Event::Restored(_) => self.state = State::Waiting,
            Event::Moved { rank, .. } => self.rank = rank.clone(),
            Event::Erased {} => self.erased = true,
            Event::Forgotten {} => self.forgotten = true,
            Event::Notification(_) => {}
        }
        self
    }
}
