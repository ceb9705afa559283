//! Facts and commits that tests write into the log without a handler.

use infra::{Clock, log::Aggregate};
use schema::{
    Actor, Commit, DomainEvent, Fact, Rank, Sealed, StreamId, Time, UserId, WaiteeId, WaitlistId,
    commit::{Author, CommandId, Tag, Tail},
    value::PartySize,
    waitee::{Event, Joined, JoinedBy, Party, Why},
};
use uuid::Uuid;

use crate::stage::EVENING;

/// The account that owns these streams.
pub const TENANT: UserId = UserId(Uuid::from_u128(7));

/// Returns the id of a new stream of category `waitee`.
#[must_use]
pub fn fresh_stream() -> StreamId {
    WaiteeId(Clock::system().id(evening())).into()
}

/// The account as author, with a request id of the usual length.
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

/// The account as author of the `n`-th command with an idempotency key.
#[must_use]
pub fn sending(n: usize) -> Author {
    let key = Tag::of(&[b"key", &n.to_be_bytes()]);
    Author {
        command: Some(CommandId { key, request: Some(Tag::of(&[b"request", &n.to_be_bytes()])) }),
        ..author()
    }
}

/// The hash of the idempotency key of the `n`-th command.
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

/// The party was seated, with a reason whose sealed text has this many bytes.
#[must_use]
pub fn seated(reason_bytes: usize) -> Event {
    Event::Seated(Why { reason: Some(Sealed::from_text("s".repeat(reason_bytes))) })
}

/// Builds the commit that follows `tail`, a millisecond later.
#[must_use]
pub fn next<E: DomainEvent>(stream: StreamId, tail: &Tail, author: &Author, events: &[E]) -> Commit {
    let at = tail.now(evening());
    Commit::new(stream, tail, at, Clock::system().id(at), author, events).unwrap()
}

/// Builds `count` chained commits of one visit: a join, then calls.
#[must_use]
pub fn visit(stream: StreamId, count: usize) -> Vec<Commit> {
    let mut commits = vec![next(stream, &Tail::EMPTY, &author(), &[joined()])];
    while commits.len() < count {
        let follower = next(stream, &commits[commits.len() - 1].tail(), &author(), &[called()]);
        commits.push(follower);
    }
    commits
}

/// Checks that these commits are a whole, unaltered stream, and returns its tail.
///
/// # Errors
/// The place in the list of the first commit that does not fit.
pub fn walk(commits: &[Commit]) -> Result<Tail, usize> {
    let mut tail = Tail::EMPTY;
    for (place, commit) in commits.iter().enumerate() {
        tail = tail.follow(commit).map_err(|_| place)?;
    }
    Ok(tail)
}

/// An aggregate that remembers the numbers of its events.
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
