//! One party's visit: from joining to the table, or away.

mod decide;
pub(crate) mod guest;
pub(crate) mod handler;
mod join;
mod place;

use infra::log::Aggregate;
use schema::{
    Fact, Rank, WaitlistId,
    value::{Language, PartySize, QuoteMinutes},
    waitee::{Event, State},
};

pub use self::{
    decide::{Command, Refusal, SealedParty, admit, decide},
    place::Target,
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
    /// How many they are.
    pub party_size: PartySize,
    /// What they were quoted.
    pub quoted_minutes: Option<QuoteMinutes>,
    /// What they read.
    pub language: Option<Language>,
    /// Whether they are forgotten, or about to be.
    pub erased: bool,
    /// Whether their key is gone for good.
    pub forgotten: bool,
}

impl Aggregate for Waitee {
    type Event = Event;

    fn evolve(self, fact: &Fact<Event>) -> Self {
        if let Event::Joined(joined) = &fact.event {
            return Self(Some(Visit {
                waitlist: joined.waitlist,
                state: State::Waiting,
                rank: joined.rank.clone(),
                party_size: joined.party_size,
                quoted_minutes: joined.quoted_minutes,
                language: joined.language,
                erased: false,
                forgotten: false,
            }));
        }
        Self(self.0.map(|visit| visit.evolve(&fact.event)))
    }
}

impl Visit {
    fn evolve(mut self, event: &Event) -> Self {
        match event {
            Event::Joined(_) => {}
            Event::DetailsChanged(details) => {
                self.party_size = details.party_size.unwrap_or(self.party_size);
                self.quoted_minutes = details.quoted_minutes.unwrap_or(self.quoted_minutes);
                self.language = details.language.unwrap_or(self.language);
            }
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
        }
        self
    }
}
