//! The one door into the log: load, decide, append; and when another writer was faster, once more.

use std::time::Duration;

use schema::{
    Actor, Commit, Fact, Problem, Slug, StreamId, Time, UserId, access,
    commit::{Author, CommandId, Tail},
    event::DomainEvent,
};
use tracing::debug;
use uuid::Uuid;

use super::{Appended, ExtraPut, Log};
use crate::{clock, failure::Failure};

/// How often a command is decided anew when others win the race.
pub const ATTEMPTS_MAX: u32 = 5;

const RETRY_DELAY_BASE_MS: u64 = 10;
const RETRY_DELAY_MAX_MS: u64 = 200; // a host is waiting at the door

/// The bound on a stream's events when its aggregate says nothing else.
const EVENTS_MAX: u64 = 10_000;

/// The commits that are read of a stream whose events each carry the whole state.
pub const RECENT_COMMITS: usize = 100;

/// How much of a stream is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reading {
    /// All of it.
    Whole,
    /// The first commit and the last [`RECENT_COMMITS`], because each event carries the whole state. An idempotency key is found
    /// in these alone.
    Recent,
    /// The last commit, because each event carries the whole state. Commands carry no idempotency key.
    Latest,
}

/// What a stream's facts fold to, as far as deciding needs it.
pub trait Aggregate: Default + Clone + Send + Sync {
    /// The facts.
    type Event: DomainEvent;

    /// How much of a stream is read to decide a command on it.
    const READING: Reading = Reading::Whole;

    /// The most events that commands of people may add up to in a stream. What the system does (messages, the tick, the eraser)
    /// is always recorded.
    const EVENTS_MAX: u64 = EVENTS_MAX;

    /// Whether an event is accepted beyond [`Aggregate::EVENTS_MAX`]: what ends or erases the subject is, and can follow only once.
    fn always_fits(_event: &Self::Event) -> bool {
        false
    }

    /// The state after a fact. Neither fails nor judges.
    #[must_use]
    fn evolve(self, fact: &Fact<Self::Event>) -> Self;

    /// Whether a host who saw the state before this event has seen enough to act: deliveries of messages, for one.
    fn is_aside(_event: &Self::Event) -> bool {
        false
    }
}

/// The states in which the client wants the stream to be changed (RFC 9110, section 13.1). By default, any.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Expect {
    /// One of these must be the stream's: `If-Match`.
    pub any_of: Option<States>,
    /// None of these may be the stream's: `If-None-Match`.
    pub none_of: Option<States>,
}

/// States of a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum States {
    /// Every one but that of an empty stream.
    Any,
    /// Those after the events of these numbers.
    At(Vec<u64>),
}

/// The stream as it was after the event of this number.
impl From<Option<u64>> for Expect {
    fn from(seq: Option<u64>) -> Self {
        Self { any_of: seq.map(|seq| States::At(vec![seq])), none_of: None }
    }
}

/// The events that a command leads to, and the writes that belong in the same transaction.
#[derive(Clone, Debug)]
pub struct Decision<E> {
    /// Empty when there is nothing to do; then nothing else is written either.
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

/// What a command led to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome<A> {
    /// The state after the command; when it was recognised as a repeat, after the first time.
    pub state: A,
    /// Number of the last event that this state includes.
    pub seq: u64,
    /// Whether this very call appended something: of several who race to do the same, one has done it.
    pub appended: bool,
}

/// A stream as it is now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Read<A> {
    /// What its facts fold to.
    pub state: A,
    /// Number of its last event.
    pub seq: u64,
    /// The account the data belongs to.
    pub tenant: UserId,
    /// The commits that were read.
    pub commits: Vec<Commit>,
}

/// A stream, loaded and folded.
struct Loaded<A: Aggregate> {
    commits: Vec<Commit>,
    facts: Vec<Fact<A::Event>>,
}

impl Log {
    /// Runs a command on a stream: `decide` sees the folded state and the time the commit will carry, and says which events
    /// follow, having gathered what else the decision needs. It may run several times, each on a fresher state; it is refused
    /// or commits exactly once.
    ///
    /// A stream that is not the actor's reads as not found. States that the stream must not have count first. A command whose
    /// idempotency key the stream already holds is answered from there, as RFC 9110, section 13.1.1, allows; only then do the
    /// states count of which it must have one.
    ///
    /// # Errors
    /// `Refused` with what `decide` says, 404, 412 or 422; `Conflict` after [`ATTEMPTS_MAX`] lost races; `Broken` when the
    /// table does not answer: the command may then have landed.
    pub async fn transact<A, D, F, R>(
        &self,
        stream: StreamId,
        author: &Author,
        expect: impl Into<Expect>,
        decide: D,
    ) -> Result<Outcome<A>, Failure>
    where
        A: Aggregate,
        D: Fn(A, Time) -> F + Send + Sync,
        F: Future<Output = Result<R, Failure>> + Send,
        R: Into<Decision<A::Event>> + Send,
    {
        let expect = expect.into();
        let mut sent: Vec<Uuid> = Vec::new();
        let mut lost = Failure::Conflict;
        for attempt in 0..=ATTEMPTS_MAX {
            pause(attempt).await;
            let loaded: Loaded<A> = self.fold(stream).await?;
            let tenant = loaded.commits.first().map_or(author.tenant, |first| first.tenant);
            access::may(author.actor, stream, tenant)?;
            if tenant != author.tenant {
                return Err(Failure::broken(
                    format!("write to {stream}"),
                    "it is another account's than the commit would say",
                ));
            }
            // An attempt that looked lost may have landed all the same, and so may the same command sent by someone else.
            if let Some(landed) = loaded.commits.iter().find(|commit| sent.contains(&commit.commit)) {
                return Ok(Outcome { appended: true, ..loaded.up_to(landed.last) });
            }
            loaded.check_none_of(expect.none_of.as_ref())?;
            if let Some(repeat) = recognise(&loaded.commits, author.command)? {
                return Ok(loaded.up_to(repeat.last));
            }
            if attempt == ATTEMPTS_MAX {
                break; // this last look was only for what may have landed unanswered
            }
            loaded.check_any_of(expect.any_of.as_ref())?;

            let tail = loaded.commits.last().map_or(Tail::EMPTY, Commit::tail);
            let now = tail.now(self.clock.now());
            let outcome = loaded.up_to(tail.seq);
            let Decision { events, also, extra_puts } = decide(outcome.state.clone(), now).await?.into();
            if events.is_empty() {
                return Ok(outcome);
            }
            check_room::<A>(author.actor, tail.seq, &events)?;
            for other in &also {
                access::may(other.actor, other.stream, other.tenant)?;
            }
            let commit = Commit::new(stream, &tail, now, self.clock.id(now), author, &events)
                .map_err(|cause| Failure::broken(format!("write the events of {stream}"), cause))?;
            sent.push(commit.commit);
            let commits: Vec<Commit> = std::iter::once(commit.clone()).chain(also).collect();
            match self.append(&commits, extra_puts).await {
                Ok(Appended::Landed) => return Ok(outcome.after(&commit, events)),
                Ok(Appended::Conflict) => {
                    debug!(%stream, seq = commit.seq, attempt, "another writer was faster");
                    lost = Failure::Conflict;
                }
                Err(unanswered) if unanswered.is_passing() => lost = unanswered,
                Err(broken) => return Err(broken),
            }
        }
        Err(lost)
    }

    /// A stream as it is now, strongly consistent; none when nothing ever happened there. Whose it is, is the caller's to check.
    ///
    /// # Errors
    /// The table cannot be read, or holds what is no such stream.
    pub async fn read<A: Aggregate>(&self, stream: StreamId) -> Result<Option<Read<A>>, Failure> {
        let loaded: Loaded<A> = self.fold(stream).await?;
        let Some(last) = loaded.commits.last() else { return Ok(None) };
        let Outcome { state, seq, .. } = loaded.up_to(last.last);
        Ok(Some(Read { state, seq, tenant: last.tenant, commits: loaded.commits }))
    }

    async fn fold<A: Aggregate>(&self, stream: StreamId) -> Result<Loaded<A>, Failure> {
        let commits = match A::READING {
            Reading::Whole => self.load(stream).await?,
            Reading::Recent => self.first_and_recent(stream, RECENT_COMMITS).await?,
            Reading::Latest => self.latest(stream).await?.into_iter().collect(),
        };
        let mut facts = Vec::with_capacity(commits.len());
        for commit in &commits {
            facts.extend(commit.facts().map_err(|cause| Failure::broken(format!("read {stream}"), cause))?);
        }
        Ok(Loaded { commits, facts })
    }
}

impl<A> Read<A> {
    /// Who writes because of an event of this stream, in the name of the request that led to it.
    #[must_use]
    pub fn because_of(&self, seq: u64, actor: Actor) -> Author {
        match self.commits.iter().find(|commit| commit.holds(seq)) {
            Some(cause) => cause.as_cause(seq, actor),
            None => Author {
                tenant: self.tenant,
                actor,
                command: None,
                correlation: String::new(),
                causation: None,
            },
        }
    }
}

impl<A: Aggregate> Loaded<A> {
    /// The state as it was after event `seq`.
    fn up_to(&self, seq: u64) -> Outcome<A> {
        let state = self.facts.iter().take_while(|fact| fact.seq <= seq).fold(A::default(), A::evolve);
        Outcome { state, seq, appended: false }
    }

    fn check_any_of(&self, states: Option<&States>) -> Result<(), Problem> {
        let Some((states, last)) = states.zip(self.facts.last()) else { return Ok(()) };
        if self.is_at(states) {
            return Ok(());
        }
        let detail = format!("If-Match names no state that holds; it is at {} now.", last.seq);
        Err(Problem::new(Slug::PreconditionFailed, detail))
    }

    fn check_none_of(&self, states: Option<&States>) -> Result<(), Problem> {
        let Some((states, last)) = states.zip(self.facts.last()) else { return Ok(()) };
        if !self.is_at(states) {
            return Ok(());
        }
        let detail = format!("If-None-Match names a state that holds; it is at {} now.", last.seq);
        Err(Problem::new(Slug::PreconditionFailed, detail))
    }

    /// Whether the stream is in one of these states: nothing but asides came after it.
    fn is_at(&self, states: &States) -> bool {
        let last = self.facts.last().map_or(0, |fact| fact.seq);
        let newer = |known| self.facts.iter().filter(move |fact| fact.seq > known);
        match states {
            States::Any => last > 0,
            States::At(seqs) => {
                seqs.iter().any(|&known| known <= last && newer(known).all(|fact| A::is_aside(&fact.event)))
            }
        }
    }
}

impl<A: Aggregate> Outcome<A> {
    fn after(self, commit: &Commit, events: Vec<A::Event>) -> Self {
        let numbered = events.into_iter().zip(commit.seq..);
        let state = numbered.fold(self.state, |state, (event, seq)| {
            state.evolve(&Fact { stream: commit.stream, seq, at: commit.at, tenant: commit.tenant, event })
        });
        Self { state, seq: commit.last, appended: true }
    }
}

/// Refuses a person's command on a stream that has no room for its events.
fn check_room<A: Aggregate>(actor: Actor, last: u64, events: &[A::Event]) -> Result<(), Problem> {
    let is_system = matches!(actor, Actor::System(_));
    if is_system || last + events.len() as u64 <= A::EVENTS_MAX || events.iter().all(A::always_fits) {
        return Ok(());
    }
    Err(Problem::history_full(A::EVENTS_MAX))
}

/// The commit that this command already produced, if any.
fn recognise(commits: &[Commit], command: Option<CommandId>) -> Result<Option<&Commit>, Problem> {
    let Some(command) = command else { return Ok(None) };
    let Some(commit) = commits.iter().find(|commit| commit.command == Some(command.key)) else {
        return Ok(None);
    };
    match (command.request, commit.request) {
        (Some(asked), Some(answered)) if asked != answered => Err(Problem::new(
            Slug::IdempotencyKeyReused,
            "This Idempotency-Key was used for another request; use a fresh one.",
        )),
        _ => Ok(Some(commit)),
    }
}

/// Waits before an attempt that is not the first: longer each time, and never as long as a rival that lost with us.
async fn pause(attempt: u32) {
    if attempt > 0 {
        let ceiling = (RETRY_DELAY_BASE_MS << attempt).min(RETRY_DELAY_MAX_MS);
        let jitter = u64::from(u16::from_be_bytes(clock::random())) % ceiling;
        tokio::time::sleep(Duration::from_millis(jitter)).await;
    }
}
