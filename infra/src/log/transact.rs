//! The only way to append: load, decide, append, and again from the start when another writer was faster.

use std::time::Duration;

use schema::{
    Actor, Commit, Problem, StreamId, Time, access,
    commit::{Author, CommandId, Tail},
};
use tracing::debug;
use uuid::Uuid;

use super::{
    Aggregate, Appended, Decider, Decision, Log,
    fold::{Expect, Loaded, Outcome},
};
use crate::{clock, failure::Failure};

/// How often a command is decided when other writers win each race, or deciding takes too long.
pub const ATTEMPTS_MAX: u32 = 5;

/// The oldest decision that is appended: the time from a commit's `at` to its append, in milliseconds. Deciding
/// may wait for the vault, for KMS or for a password's hash.
///
/// The account-wide history is read in the order of `at`, up to a time at which it is complete. An older commit
/// would appear behind readers that have passed its `at`. The append itself takes up to the time-out of a call.
pub const DECISION_AGE_MAX_MS: i64 = 2_000;

const RETRY_DELAY_BASE_MS: u64 = 10;
const RETRY_DELAY_MAX_MS: u64 = 200; // a host waits for the answer

impl Log {
    /// Runs a command on a stream.
    ///
    /// # Errors
    /// As [`Log::transact`].
    pub async fn execute<A: Decider>(
        &self,
        stream: StreamId,
        author: &Author,
        expect: impl Into<Expect>,
        command: &A::Command,
    ) -> Result<Outcome<A>, Failure> {
        let decide = |state: A, now| async move { Ok(state.decide(command, now).map_err(Into::into)?) };
        self.transact(stream, author, expect, decide).await
    }

    /// Runs a command that needs I/O to be built from the state: to seal values, or to read another stream.
    /// `command` may run several times, each time on a fresher state.
    ///
    /// # Errors
    /// As [`Log::transact`].
    pub async fn execute_with<A, C, F>(
        &self,
        stream: StreamId,
        author: &Author,
        expect: impl Into<Expect>,
        command: C,
    ) -> Result<Outcome<A>, Failure>
    where
        A: Decider,
        C: Fn(A) -> F + Send + Sync,
        F: Future<Output = Result<A::Command, Failure>> + Send,
    {
        let command = &command;
        let decide = |state: A, now| async move {
            let command = command(state.clone()).await?;
            Ok(state.decide(&command, now).map_err(Into::into)?)
        };
        self.transact(stream, author, expect, decide).await
    }

    /// Appends the events that `decide` returns for the folded state and the time of the commit. `decide` may
    /// run several times, each time on a fresher state; the events are appended once or not at all. A decision
    /// older than [`DECISION_AGE_MAX_MS`] is not appended but made anew: its events hold times that derive from
    /// its `now`.
    ///
    /// Checks in this order: access (another account's stream reads as not found), `none_of` of `expect`,
    /// then the idempotency key: a command that the stream already holds is answered from there, as RFC 9110,
    /// section 13.1.1, allows. Then `any_of`.
    ///
    /// # Errors
    /// `Refused` with the problem of `decide`, 404, 412 or 422; `Conflict` after [`ATTEMPTS_MAX`] lost races;
    /// `Broken` when the table does not answer: the events may then have been appended; also when the last of
    /// [`ATTEMPTS_MAX`] decisions took too long.
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
            let loaded: Loaded<A> = self.fold(stream, A::READING).await?;
            let tenant = loaded.commits.first().map_or(author.tenant, |first| first.tenant);
            access::may(author.actor, stream, tenant)?;
            if tenant != author.tenant {
                let cause = "the stream belongs to another account than the author names";
                return Err(Failure::broken(format!("write to {stream}"), cause));
            }
            // An attempt whose answer was lost may have been appended.
            if let Some(landed) = loaded.commits.iter().find(|commit| sent.contains(&commit.commit)) {
                return Ok(Outcome { appended: true, ..loaded.up_to(landed.last) });
            }
            loaded.check_none_of(expect.none_of.as_ref())?;
            if let Some(repeat) = recognise(&loaded.commits, author.command)? {
                return Ok(loaded.up_to(repeat.last));
            }
            if attempt == ATTEMPTS_MAX {
                break; // this last read only looked for an attempt that was appended without an answer
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
            let commits: Vec<Commit> = std::iter::once(commit.clone()).chain(also).collect();
            if is_too_old(&commits, self.clock.now()) {
                debug!(%stream, seq = commit.seq, attempt, "deciding took too long; deciding again");
                if sent.is_empty() {
                    lost = too_slow(stream); // else the failure of what was sent tells more
                }
                continue;
            }
            sent.push(commit.commit);
            match self.append(&commits, extra_puts).await {
                Ok(Appended::Landed) => return Ok(outcome.after(&commit, events)),
                Ok(Appended::Conflict) => {
                    debug!(%stream, seq = commit.seq, attempt, "another writer was faster; deciding again");
                    lost = Failure::Conflict;
                }
                Err(unanswered) if unanswered.is_passing() => lost = unanswered,
                Err(broken) => return Err(broken),
            }
        }
        Err(lost)
    }
}

/// Whether one of these commits was decided more than [`DECISION_AGE_MAX_MS`] before `now`.
fn is_too_old(commits: &[Commit], now: Time) -> bool {
    commits.iter().any(|commit| now > commit.at.plus_millis(DECISION_AGE_MAX_MS))
}

fn too_slow(stream: StreamId) -> Failure {
    Failure::passing(
        format!("decide a command on {stream}"),
        format!("it took longer than {DECISION_AGE_MAX_MS} ms; nothing was appended"),
    )
}

/// Refuses a person's command when the stream has no room for its events.
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
        (Some(asked), Some(answered)) if asked != answered => Err(Problem::key_reused()),
        _ => Ok(Some(commit)),
    }
}

/// Waits before each attempt but the first, longer each time.
async fn pause(attempt: u32) {
    if attempt > 0 {
        let most_ms = (RETRY_DELAY_BASE_MS << attempt).min(RETRY_DELAY_MAX_MS);
        clock::pause(Duration::from_millis(most_ms)).await;
    }
}
