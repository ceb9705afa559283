//! The form of the decisions' tests: given some events, when a command is decided, then these events follow.

use std::{fmt::Debug, sync::LazyLock};

use infra::log::{Aggregate, Decider};
use schema::{
    Fact, Rank, Sealed, Time, UserId, WaitlistId, check,
    event::DomainEvent,
    id::StreamId,
    sealed::Personal,
    user::{self, Registered},
    value::PartySize,
    waitee::{self, Joined, JoinedBy, Party, Why},
    waitlist::{Settings, State},
};
use uuid::Uuid;

use crate::{mail::Mail, session::Session, user::User, waitee::Waitee, waitlist::Waitlist};

/// The time at which commands are decided: an evening in November 2026.
pub(crate) const NOW_MS: i64 = 1_795_203_720_000;

/// The time of the first event of each test. The others follow a second apart.
pub(crate) const FIRST_EVENT_MS: i64 = NOW_MS - 59_000;

/// The aggregate that a command is for.
pub(crate) trait CommandFor {
    type State: Decider<Command = Self>;
}

impl CommandFor for crate::mail::Command {
    type State = Mail;
}

impl CommandFor for crate::session::Command {
    type State = Session;
}

impl CommandFor for crate::user::Command {
    type State = User;
}

impl CommandFor for crate::waitee::Command {
    type State = Waitee;
}

impl CommandFor for crate::waitlist::Command {
    type State = Waitlist;
}

/// The events before a command, and the time of the command.
pub(crate) struct Given<E> {
    events: Vec<E>,
    now: Time,
}

pub(crate) fn given<E>(events: impl IntoIterator<Item = E>) -> Given<E> {
    Given { events: events.into_iter().collect(), now: at(0) }
}

/// So many milliseconds after the time at which commands are decided.
pub(crate) fn at(ms: i64) -> Time {
    Time::from_millis(NOW_MS + ms)
}

/// The state that these events lead to.
pub(crate) fn state<A: Aggregate>(events: impl IntoIterator<Item = A::Event>) -> A {
    let stream = StreamId { category: A::Event::CATEGORY, id: Uuid::nil() };
    let facts = events.into_iter().zip(1..).map(|(event, seq)| Fact {
        stream,
        seq,
        at: Time::from_millis(FIRST_EVENT_MS + (seq as i64 - 1) * 1000),
        tenant: UserId(Uuid::nil()),
        event,
    });
    facts.fold(A::default(), |state, fact| state.evolve(&fact))
}

impl<E> Given<E> {
    /// Decides the command so many milliseconds later.
    pub(crate) fn later(self, ms: i64) -> Self {
        Self { now: at(ms), ..self }
    }

    pub(crate) fn when<C: CommandFor>(self, command: C) -> Then<C::State>
    where
        C::State: Aggregate<Event = E>,
    {
        Then(state::<C::State>(self.events).decide(&command, self.now))
    }
}

/// The decision on a command.
pub(crate) struct Then<A: Decider>(Result<Vec<A::Event>, A::Refusal>);

impl<A: Decider<Event: Debug + PartialEq, Refusal: Debug + PartialEq>> Then<A> {
    #[track_caller]
    pub(crate) fn then(self, events: impl IntoIterator<Item = A::Event>) {
        assert_eq!(self.events(), events.into_iter().collect::<Vec<_>>());
    }

    #[track_caller]
    pub(crate) fn then_nothing(self) {
        self.then([]);
    }

    #[track_caller]
    pub(crate) fn then_refused(self, refusal: A::Refusal) {
        assert_eq!(self.0, Err(refusal));
    }

    /// The events, for tests that look at a part of them.
    #[track_caller]
    pub(crate) fn events(self) -> Vec<A::Event> {
        self.0.unwrap_or_else(|refusal| panic!("refused: {refusal:?}"))
    }

    /// Whether the command leads to events.
    pub(crate) fn is_accepted(&self) -> bool {
        self.0.as_ref().is_ok_and(|events| !events.is_empty())
    }
}

pub(crate) static LIST_OPEN: LazyLock<State> =
    LazyLock::new(|| State { settings: list_settings(), open: true, created_at: Time::from_millis(0) });

pub(crate) fn list_settings() -> Settings {
    let body = br#"{"name": "Main room", "time_zone": "America/Los_Angeles", "region": "US"}"#;
    check::json::<schema::body::CreateWaitlist>(body).unwrap().parse().unwrap()
}

pub(crate) fn sealed<T: Personal>() -> Sealed<T> {
    Sealed::from_text("sealed".into())
}

pub(crate) fn registered() -> user::Event {
    user::Event::Registered(Registered { name: sealed(), email: sealed(), password: sealed() })
}

pub(crate) fn password_changed() -> user::Event {
    user::Event::PasswordChanged { password: sealed() }
}

/// A party of four without a phone or an e-mail address.
pub(crate) fn party() -> Party {
    Party::new(sealed(), PartySize::parse(4).unwrap())
}

/// The party joined a minute ago.
pub(crate) fn joined() -> waitee::Event {
    waitee::Event::Joined(Joined {
        waitlist: WaitlistId(Uuid::nil()),
        party: party(),
        day: "2026-11-20".parse().unwrap(),
        rank: Rank::joining(at(-60_000)),
        by: JoinedBy::Host,
    })
}

/// The party was called, and its hold runs out now.
pub(crate) fn called() -> waitee::Event {
    called_until(0)
}

/// The party was called, and its table is held until so many minutes from now.
pub(crate) fn called_until(minutes: i64) -> waitee::Event {
    waitee::Event::Called { hold_until: at(minutes * 60_000), remind_at: None }
}

/// A reason for a transition.
pub(crate) fn because() -> Why {
    Why { reason: Some(sealed()) }
}

/// A transition without a reason.
pub(crate) fn why() -> Why {
    Why::default()
}
