//! The age of decisions: a command whose decision took too long is decided and stamped anew.

use std::sync::atomic::{AtomicU32, Ordering};

use infra::{
    Failure,
    log::{ATTEMPTS_MAX, DECISION_AGE_MAX_MS, Decision},
};
use schema::{Commit, StreamId, Time, commit::Tail, waitee::Event};
use waitlist_tests::{
    past::{Seen, author, fresh_stream, joined, next, walk},
    stage::{EVENING, Stage},
};

/// Runs a command whose first `slow` decisions take `ms` each, together with the first commit of another
/// stream. Returns its result and the number of decisions.
async fn decided(stage: &Stage, stream: StreamId, slow: u32, ms: i64) -> (Result<u64, Failure>, u32) {
    let (clock, decisions) = (&stage.backend.clock, &AtomicU32::new(0));
    let (other, author) = (fresh_stream(), &author());
    let decide = |_: Seen, now: Time| async move {
        let decision = decisions.fetch_add(1, Ordering::SeqCst);
        let called = Event::Called { hold_until: now.plus_minutes(10), remind_at: None };
        let also = Commit::new(other, &Tail::EMPTY, now, clock.id(now), author, &[joined()]).unwrap();
        if decision < slow {
            clock.advance_millis(ms);
        }
        Ok(Decision { events: vec![called], also: vec![also], extra_puts: vec![] })
    };
    let outcome = stage.backend.log.transact::<Seen, _, _, _>(stream, author, None, decide).await;
    let also = stage.commits(other).await;
    let own = stage.commits(stream).await;
    assert_eq!(
        also.first().map(|also| also.at),
        own.get(1).map(|own| own.at),
        "both have the time of one decision"
    );
    (outcome.map(|outcome| outcome.seq), decisions.load(Ordering::SeqCst))
}

/// Returns a stream of one event, a minute before now.
async fn begun(stage: &Stage) -> StreamId {
    let first = next(fresh_stream(), &Tail::EMPTY, &author(), &[joined()]);
    stage.put_past(std::slice::from_ref(&first)).await;
    stage.backend.clock.advance_millis(60_000);
    first.stream
}

fn hold_until(commit: &Commit) -> Time {
    match &commit.facts::<Event>().unwrap()[0].event {
        Event::Called { hold_until, .. } => *hold_until,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_decision_that_took_longer_than_two_seconds_is_made_and_stamped_anew() {
    let stage = Stage::new().await;
    let stream = begun(&stage).await;
    let (seq, decisions) = decided(&stage, stream, 2, DECISION_AGE_MAX_MS + 1).await;
    assert_eq!((seq.unwrap(), decisions), (2, 3));
    let commits = stage.commits(stream).await;
    assert!(walk(&commits).is_ok());
    assert_eq!(commits[1].at, stage.backend.clock.now(), "the time of the last decision");
    assert_eq!(
        hold_until(&commits[1]),
        commits[1].at.plus_minutes(10),
        "its events derive from the same time"
    );
}

#[tokio::test]
async fn a_decision_of_exactly_two_seconds_is_appended() {
    let stage = Stage::new().await;
    let stream = begun(&stage).await;
    let (seq, decisions) = decided(&stage, stream, 1, DECISION_AGE_MAX_MS).await;
    assert_eq!((seq.unwrap(), decisions), (2, 1));
    assert_eq!(
        stage.commits(stream).await[1].at,
        stage.backend.clock.now().plus_millis(-DECISION_AGE_MAX_MS)
    );
}

#[tokio::test]
async fn a_command_that_always_takes_too_long_fails_with_a_retryable_error_and_appends_nothing() {
    let stage = Stage::new().await;
    let stream = begun(&stage).await;
    let (failed, decisions) = decided(&stage, stream, u32::MAX, DECISION_AGE_MAX_MS + 1).await;
    let failed = failed.unwrap_err();
    assert!(matches!(failed, Failure::Broken { retry: true, .. }), "{}", failed.chain());
    assert!(failed.chain().contains("took longer than 2000 ms"), "{}", failed.chain());
    assert_eq!(decisions, ATTEMPTS_MAX);
    assert_eq!(stage.commits(stream).await.len(), 1);
}

/// A stream's times rise even if the clock was set back, so a commit may be later than the clock.
#[tokio::test]
async fn a_commit_that_is_later_than_the_clock_is_appended_at_the_first_attempt() {
    let stage = Stage::new().await;
    let stream = begun(&stage).await;
    let evening: Time = EVENING.parse().unwrap();
    stage.backend.clock.set(evening.plus_millis(-3_600_000));
    let (seq, decisions) = decided(&stage, stream, 1, DECISION_AGE_MAX_MS + 1).await;
    assert_eq!((seq.unwrap(), decisions), (2, 1));
    assert_eq!(stage.commits(stream).await[1].at, evening.plus_millis(1));
}
