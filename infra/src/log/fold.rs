//! Loading a stream and folding it to its state.

use schema::{Actor, Commit, Fact, Problem, Slug, StreamId, UserId, commit::Author};

use super::{Aggregate, Log, Reading};
use crate::failure::Failure;

/// The commits that [`Reading::Recent`] reads, besides the first.
pub const RECENT_COMMITS: usize = 100;

/// The states in which the client wants the stream to be changed (RFC 9110, section 13.1). By default, any.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Expect {
    /// `If-Match`: the stream must be in one of these states.
    pub any_of: Option<States>,
    /// `If-None-Match`: the stream must be in none of these states.
    pub none_of: Option<States>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum States {
    /// Every state of a stream that has events.
    Any,
    /// The states after the events with these numbers.
    At(Vec<u64>),
}

/// `If-Match` with the state after the event of this number.
impl From<Option<u64>> for Expect {
    fn from(seq: Option<u64>) -> Self {
        Self { any_of: seq.map(|seq| States::At(vec![seq])), none_of: None }
    }
}

/// The result of a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome<A> {
    /// The state after the command. A command that was recognised as a repeat gets the state after its first
    /// run.
    pub state: A,
    /// Number of the last event that this state includes.
    pub seq: u64,
    /// Whether this call appended something. Of several concurrent calls with the same command, one has.
    pub appended: bool,
}

/// A stream as it is now.
pub struct Read<A: Aggregate> {
    pub state: A,
    /// Number of its last event.
    pub seq: u64,
    /// The account the data belongs to.
    pub tenant: UserId,
    /// The commits that were read, and the facts in them.
    pub commits: Vec<Commit>,
    pub facts: Vec<Fact<A::Event>>,
}

impl<A: Aggregate> Read<A> {
    /// Author for a commit caused by event `seq`; keeps the original request's correlation id if the event's
    /// commit was read.
    #[must_use]
    pub fn author_caused_by(&self, seq: u64, actor: Actor) -> Author {
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

impl Log {
    /// Reads a stream, strongly consistent. `None` when it has no events. The caller checks the tenant.
    ///
    /// # Errors
    /// The table cannot be read, or the stream's items are damaged.
    pub async fn read<A: Aggregate>(&self, stream: StreamId) -> Result<Option<Read<A>>, Failure> {
        Ok(self.fold::<A>(stream, A::READING).await?.into_read())
    }

    /// As [`Log::read`], but reads the last commit alone: for aggregates whose events each carry the whole
    /// state.
    ///
    /// # Errors
    /// As [`Log::read`].
    pub async fn read_latest<A: Aggregate>(&self, stream: StreamId) -> Result<Option<Read<A>>, Failure> {
        Ok(self.fold::<A>(stream, Reading::Latest).await?.into_read())
    }

    pub(super) async fn fold<A: Aggregate>(
        &self,
        stream: StreamId,
        reading: Reading,
    ) -> Result<Loaded<A>, Failure> {
        let commits = match reading {
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

/// A stream's commits and their facts.
pub(super) struct Loaded<A: Aggregate> {
    pub(super) commits: Vec<Commit>,
    facts: Vec<Fact<A::Event>>,
}

impl<A: Aggregate> Loaded<A> {
    fn into_read(self) -> Option<Read<A>> {
        let &Commit { last, tenant, .. } = self.commits.last()?;
        let Outcome { state, seq, .. } = self.up_to(last);
        Some(Read { state, seq, tenant, commits: self.commits, facts: self.facts })
    }

    /// The state as it was after event `seq`.
    pub(super) fn up_to(&self, seq: u64) -> Outcome<A> {
        let state = self.facts.iter().take_while(|fact| fact.seq <= seq).fold(A::default(), A::evolve);
        Outcome { state, seq, appended: false }
    }

    pub(super) fn check_any_of(&self, states: Option<&States>) -> Result<(), Problem> {
        let is_met = states.is_none_or(|states| self.is_at(states));
        self.require(is_met, "If-Match names no state that holds")
    }

    pub(super) fn check_none_of(&self, states: Option<&States>) -> Result<(), Problem> {
        let is_met = !states.is_some_and(|states| self.is_at(states));
        self.require(is_met, "If-None-Match names a state that holds")
    }

    /// Refuses when a condition is not met. A stream without events meets every condition.
    fn require(&self, is_met: bool, fault: &str) -> Result<(), Problem> {
        match self.facts.last() {
            Some(last) if !is_met => {
                let detail = format!("{fault}; it is at {} now.", last.seq);
                Err(Problem::new(Slug::PreconditionFailed, detail))
            }
            Some(_) | None => Ok(()),
        }
    }

    /// Whether the stream is in one of these states. Events that keep the ETag leave it in the state before
    /// them.
    fn is_at(&self, states: &States) -> bool {
        let last = self.facts.last().map_or(0, |fact| fact.seq);
        let newer = |known| self.facts.iter().filter(move |fact| fact.seq > known);
        match states {
            States::Any => last > 0,
            States::At(seqs) => {
                seqs.iter().any(|&known| known <= last && newer(known).all(|fact| A::keeps_etag(&fact.event)))
            }
        }
    }
}

impl<A: Aggregate> Outcome<A> {
    pub(super) fn after(self, commit: &Commit, events: Vec<A::Event>) -> Self {
        let numbered = events.into_iter().zip(commit.seq..);
        let state = numbered.fold(self.state, |state, (event, seq)| {
            state.evolve(&Fact { stream: commit.stream, seq, at: commit.at, tenant: commit.tenant, event })
        });
        Self { state, seq: commit.last, appended: true }
    }
}
