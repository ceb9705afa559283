//! Made-up facts and the commits they stand in: what tests of the log write, without a handler.

use infra::{Clock, log::Aggregate};
use schema::{
    Actor, Commit, DomainEvent, Fact, Rank, Sealed, StreamId, Time, UserId, WaiteeId, WaitlistId,
    commit::{Author, CommandId, Tag, Tail},
    value::PartySize,
    waitee::{Event, Joined, JoinedBy, Party, Why},
};
use uuid::Uuid;

use crate::stage::EVENING;

/// The account of these tests' streams.
pub const TENANT: UserId = UserId(Uuid::from_u128(7));

/// A stream of a visit that nobody else writes to.
#[must_use]
pub fn fresh_stream() -> StreamId {
    WaiteeId(Clock::system().id(evening())).into()
}

/// The account itself, with a request id of the usual length.
#[must_use]
pub fn author() -> Author {
    Author {
        tenant: TENANT,
        actor: Actor::User(TENANT),
        command: None,
        correlation: Clock::system().id(evening()).to_string(),
        causation: None,
    }
}

/// The account, sending the `n`-th command of a test under an idempotency key.
#[must_use]
pub fn sending(n: usize) -> Author {
    let key = Tag::of(&[b"key", &n.to_be_bytes()]);
    Author {
        command: Some(CommandId { key, request: Some(Tag::of(&[b"request", &n.to_be_bytes()])) }),
        ..author()
    }
}

/// The key that [`sending`] gives the `n`-th command.
#[must_use]
pub fn key(n: usize) -> Option<Tag> {
    sending(n).command.map(|command| command.key)
}

/// A party of two joined.
#[must_use]
pub fn joined() -> Event {
    Event::Joined(Joined {
        waitlist: WaitlistId(Uuid::from_u128(8)),
        party: Party::new(Sealed::from_text("Z3NlYWxlZA".into()), PartySize::parse(2).unwrap()),
        day: "2026-11-20".parse().unwrap(),
        rank: Rank::joining(evening()),
        by: JoinedBy::Host,
    })
}

/// The party was called.
#[must_use]
pub fn called() -> Event {
    Event::Called { hold_until: evening().plus_minutes(10), remind_at: None }
}

/// The party was seated, for a reason whose sealed text has this many bytes.
#[must_use]
pub fn seated(reason_bytes: usize) -> Event {
    Event::Seated(Why { reason: Some(Sealed::from_text("s".repeat(reason_bytes))) })
}

/// The commit that follows here, a millisecond later.
#[must_use]
pub fn next<E: DomainEvent>(stream: StreamId, tail: &Tail, author: &Author, events: &[E]) -> Commit {
    let at = tail.now(evening());
    Commit::new(stream, tail, at, Clock::system().id(at), author, events).unwrap()
}

/// The past of one visit: a party that joined and was then called, again and again; `count` commits, rightly chained.
#[must_use]
pub fn visit(stream: StreamId, count: usize) -> Vec<Commit> {
    let mut commits = vec![next(stream, &Tail::EMPTY, &author(), &[joined()])];
    while commits.len() < count {
        let follower = next(stream, &commits[commits.len() - 1].tail(), &author(), &[called()]);
        commits.push(follower);
    }
    commits
}

/// Whether these commits are a whole, unaltered stream; the place in the list of the first that does not fit.
///
/// # Errors
/// The first that does not fit.
pub fn walk(commits: &[Commit]) -> Result<Tail, usize> {
    let mut tail = Tail::EMPTY;
    for (place, commit) in commits.iter().enumerate() {
        tail = tail.follow(commit).map_err(|_| place)?;
    }
    Ok(tail)
}

/// An aggregate that remembers which events it has seen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seen(pub Vec<u64>);

impl Aggregate for Seen {
    type Event = Event;

    fn evolve(mut self, fact: &Fact<Event>) -> Self {
        self.0.push(fact.seq);
        self
    }
}

fn evening() -> Time {
    EVENING.parse().unwrap()
}
