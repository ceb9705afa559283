//! The two traits of a stream's state: [`Aggregate`] folds it from facts, [`Decider`] decides commands on it.

use schema::{Commit, Fact, Problem, Time, event::DomainEvent};

use super::ExtraPut;

/// The bound on a stream's events when its aggregate sets none.
const EVENTS_MAX: u64 = 10_000;

/// How much of a stream is read to fold its state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reading {
    Whole,
    /// The first commit and the last [`super::RECENT_COMMITS`]: each event carries the whole state. An
    /// idempotency key is found in these commits alone.
    Recent,
    /// The last commit: each event carries the whole state. Commands carry no idempotency key.
    Latest,
}

/// The state that a stream's facts fold to.
pub trait Aggregate: Default + Clone + Send + Sync {
    type Event: DomainEvent;

    const READING: Reading = Reading::Whole;

    /// The most events that commands of people may add to a stream. Events of the system (messages, the tick,
    /// the eraser) are always appended.
    const EVENTS_MAX: u64 = EVENTS_MAX;

    /// Whether an event is accepted beyond [`Aggregate::EVENTS_MAX`], because it ends or erases the subject
    /// and occurs only once.
    fn always_fits(_event: &Self::Event) -> bool {
        false
    }

    /// The state after a fact. It accepts every fact: only decisions refuse.
    #[must_use]
    fn evolve(self, fact: &Fact<Self::Event>) -> Self;

    /// Whether an `If-Match` with the state before this event still holds after it. It does for events of
    /// messages.
    fn keeps_etag(_event: &Self::Event) -> bool {
        false
    }
}

/// An aggregate that decides commands without I/O.
pub trait Decider: Aggregate {
    type Command: Send + Sync;
    type Refusal: Into<Problem> + Send;

    /// The events that a command leads to at the time `now`; none for a repeated command.
    ///
    /// # Errors
    /// The state does not allow the command.
    fn decide(&self, command: &Self::Command, now: Time) -> Result<Vec<Self::Event>, Self::Refusal>;
}

/// The events that a command leads to, with writes that belong in the same transaction.
#[derive(Clone, Debug)]
pub struct Decision<E> {
    /// When empty, nothing at all is written.
    pub events: Vec<E>,
    /// First commits of other streams.
    pub also: Vec<Commit>,
    /// Puts into other tables.
    pub extra_puts: Vec<ExtraPut>,
}

impl<E> From<Vec<E>> for Decision<E> {
    fn from(events: Vec<E>) -> Self {
        Self { events, also: Vec::new(), extra_puts: Vec::new() }
    }
}
