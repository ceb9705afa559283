//! Given some facts, when a command is decided, then: the form of the domain's own tests.

use std::sync::LazyLock;

use infra::log::Aggregate;
use schema::{
    Fact, Rank, Sealed, Time, UserId, WaitlistId, check,
    event::DomainEvent,
    id::StreamId,
    waitee::{self, Joined, JoinedBy, Party, Why},
    waitlist::{Settings, State},
};
use uuid::Uuid;

pub(crate) const NOW_MS: i64 = 1_795_203_720_000; // an evening in November 2026

pub(crate) static LIST_OPEN: LazyLock<State> =
    LazyLock::new(|| State { settings: list_settings(), open: true, created_at: Time::from_millis(0) });

pub(crate) fn list_settings() -> Settings {
    let body = br#"{"name": "Main room", "time_zone": "America/Los_Angeles", "region": "US"}"#;
    check::json::<schema::body::CreateWaitlist>(body).unwrap().parse().unwrap()
}

pub(crate) struct Given<A>(A);

/// How long before now the events of a test begin.
const PAST_MS: i64 = 60_000;

/// The state that these events lead to, a second apart, all within the last minute.
pub(crate) fn given<A: Aggregate>(events: Vec<A::Event>) -> Given<A> {
    Given(state(events))
}

/// As [`given`], for the state that a decision about another stream needs.
pub(crate) fn state<A: Aggregate>(events: Vec<A::Event>) -> A {
    let stream = StreamId { category: A::Event::CATEGORY, id: Uuid::nil() };
    let facts = events.into_iter().zip(1..).map(|(event, seq)| Fact {
        stream,
        seq,
        at: Time::from_millis(NOW_MS - PAST_MS + seq as i64 * 1000),
        tenant: UserId(Uuid::nil()),
        event,
    });
    facts.fold(A::default(), |state, fact| state.evolve(&fact))
}

impl<A: Aggregate> Given<A> {
    pub(crate) fn when<T>(self, decide: impl Fn(&A, Time) -> T) -> T {
        decide(&self.0, Time::from_millis(NOW_MS))
    }
}

pub(crate) fn joined_at(ms: i64) -> waitee::Event {
    waitee::Event::Joined(Joined {
        waitlist: WaitlistId(Uuid::nil()),
        party: Party::new(Sealed::from_text("sealed".into()), schema::value::PartySize::parse(4).unwrap()),
        day: "2026-11-20".parse().unwrap(),
        rank: Rank::joining(Time::from_millis(ms)),
        by: JoinedBy::Host,
    })
}

pub(crate) fn because() -> Why {
    Why { reason: Some(Sealed::from_text("sealed".into())) }
}
