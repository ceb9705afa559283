//! A visit: one party's stay on a list, from joining until it is seated or leaves.

mod decide;
mod deliver;
pub(crate) mod guest;
pub(crate) mod handler;
mod join;
mod place;
mod refusal;
mod seal;
pub mod system;

use infra::log::Aggregate;
use schema::{
    Fact, Rank, Time, WaitlistId,
    agenda::Agenda,
    waitee::{Event, Party, State},
};

pub use self::{
    decide::{Command, ErasureCommand, GuestCommand, HostCommand, Join, TickCommand},
    place::Target,
    refusal::Refusal,
};
use crate::delivery::HasAgenda;

/// The state of a visit; `None` before the party joined.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Waitee(pub Option<Visit>);

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Visit {
    pub waitlist: WaitlistId,
    pub state: State,
    /// The place in line.
    pub rank: Rank,
    pub party: Party,
    pub agenda: Agenda,
    /// Whether the guest was erased.
    pub erased: bool,
    /// Whether the guest's key is deleted.
    pub forgotten: bool,
}

impl Aggregate for Waitee {
    type Event = Event;

    /// A visit has ten to fifty events. This many are a hundred calls with their messages.
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

    fn keeps_etag(event: &Event) -> bool {
        matches!(event, Event::Notification(_))
    }
}

impl HasAgenda for Waitee {
    fn agenda(&self) -> Option<&Agenda> {
        self.0.as_ref().map(|visit| &visit.agenda)
    }
}

impl Visit {
    /// Whether the visit has lasted as long as it may, in any state.
    fn is_over(&self, now: Time) -> bool {
        self.agenda.ends_at.is_some_and(|at| at <= now)
    }

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
