//! The form of the decisions' tests: given some events, when a command is decided, then these events follow.

pub(crate) mod visits;

use std::{convert::identity, fmt::Debug, sync::LazyLock};

use infra::log::{Aggregate, Decider};
use schema::{
    Fact, Sealed, Time, UserId, check,
    event::DomainEvent,
    id::StreamId,
    sealed::Personal,
    user::{Event as UserEvent, Registered},
    waitlist::{Settings, State},
};
use uuid::Uuid;

use crate::{
    delivery, mail, session, user,
    waitee::{self, Waitee},
    waitlist,
};

/// The time at which commands are decided: an evening in November 2026.
pub(crate) const NOW_MS: i64 = 1_795_203_720_000;

/// The time of the first event of each test. The others follow a second apart.
pub(crate) const FIRST_EVENT_MS: i64 = NOW_MS - 59_000;

/// A command, or one of a group of commands, with the aggregate that it is for.
pub(crate) trait CommandFor {
    type State: Decider;

    fn command(self) -> <Self::State as Decider>::Command;
}

macro_rules! commands {
    ($($command:ty => $state:ty, $wrap:expr;)*) => {
        $(impl CommandFor for $command {
            type State = $state;

            fn command(self) -> <$state as Decider>::Command {
                $wrap(self)
            }
        })*
    };
}

commands! {
    mail::Command => mail::Mail, identity;
    session::Command => session::Session, identity;
    user::Command => user::User, identity;
    waitlist::Command => waitlist::Waitlist, identity;
    waitee::Join => Waitee, waitee::Command::Join;
    waitee::HostCommand => Waitee, waitee::Command::Host;
    waitee::GuestCommand => Waitee, waitee::Command::Guest;
    waitee::TickCommand => Waitee, waitee::Command::Tick;
    waitee::ErasureCommand => Waitee, waitee::Command::Erasure;
    delivery::Command => Waitee, waitee::Command::Deliver;
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
        Then(state::<C::State>(self.events).decide(&command.command(), self.now))
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

pub(crate) fn registered() -> UserEvent {
    UserEvent::Registered(Registered { name: sealed(), email: sealed(), password: sealed() })
}

pub(crate) fn password_changed() -> UserEvent {
    UserEvent::PasswordChanged { password: sealed() }
}
