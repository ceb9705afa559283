//! Lost requests and lost answers: a repeated append is applied once.

use infra::{
    Failure, Log,
    log::{Appended, Outcome},
};
use schema::{StreamId, commit::Tail};
use waitlist_tests::{
    past::{Seen, author, called, fresh_stream, joined, next, walk},
    stage::Stage,
    wire::{Fate, Wire},
};

#[tokio::test]
async fn an_append_with_a_lost_answer_succeeds_when_it_is_repeated() {
    let (stage, wire) = stage_and_wire().await;
    let log = stage.log_over(wire.client(&stage, 1));
    let commit = next(fresh_stream(), &Tail::EMPTY, &author(), &[joined()]);
    wire.expect([Fate::AnswerLost]);

    let unanswered = log.append(std::slice::from_ref(&commit), vec![]).await.unwrap_err();
    assert!(unanswered.is_passing(), "{}", unanswered.chain());
    assert_eq!(log.append(std::slice::from_ref(&commit), vec![]).await.unwrap(), Appended::Landed);
    assert_eq!(stage.commits(commit.stream).await, [commit]);
}

#[tokio::test]
async fn a_retry_of_the_sdk_after_a_lost_answer_succeeds() {
    let (stage, wire) = stage_and_wire().await;
    let log = stage.log_over(wire.client(&stage, 3));
    let commit = next(fresh_stream(), &Tail::EMPTY, &author(), &[joined()]);
    wire.expect([Fate::AnswerLost]);

    assert_eq!(log.append(std::slice::from_ref(&commit), vec![]).await.unwrap(), Appended::Landed);
    assert_eq!(wire.appends(), 2);
    assert_eq!(stage.commits(commit.stream).await, [commit]);
}

#[tokio::test]
async fn a_lost_append_stores_nothing_and_succeeds_when_it_is_repeated() {
    let (stage, wire) = stage_and_wire().await;
    let log = stage.log_over(wire.client(&stage, 1));
    let commit = next(fresh_stream(), &Tail::EMPTY, &author(), &[joined()]);
    wire.expect([Fate::RequestLost]);

    assert!(log.append(std::slice::from_ref(&commit), vec![]).await.unwrap_err().is_passing());
    assert_eq!(stage.commits(commit.stream).await, []);
    assert_eq!(log.append(std::slice::from_ref(&commit), vec![]).await.unwrap(), Appended::Landed);
    assert_eq!(stage.commits(commit.stream).await, [commit]);
}

#[tokio::test]
async fn a_transaction_with_a_lost_answer_succeeds_when_it_is_repeated() {
    let (stage, wire) = stage_and_wire().await;
    let log = stage.log_over(wire.client(&stage, 1));
    let both = [(); 2].map(|()| next(fresh_stream(), &Tail::EMPTY, &author(), &[joined()]));
    wire.expect([Fate::AnswerLost]);

    assert!(log.append(&both, vec![]).await.unwrap_err().is_passing());
    assert_eq!(log.append(&both, vec![]).await.unwrap(), Appended::Landed);
    for commit in both {
        assert_eq!(stage.commits(commit.stream).await, [commit]);
    }
}

#[tokio::test]
async fn a_command_finds_its_own_commit_after_a_lost_answer() {
    assert_applied_once([Fate::AnswerLost], 1).await;
}

#[tokio::test]
async fn a_command_with_a_lost_append_is_decided_again() {
    assert_applied_once([Fate::RequestLost], 2).await;
}

#[tokio::test]
async fn a_command_finds_its_late_append_and_is_not_applied_again() {
    assert_applied_once([Fate::Late], 2).await;
}

#[tokio::test]
async fn a_command_succeeds_after_losses_in_all_attempts_but_the_last() {
    assert_applied_once([Fate::RequestLost, Fate::Late, Fate::RequestLost, Fate::AnswerLost], 4).await;
}

#[tokio::test]
async fn a_command_that_loses_all_attempts_fails_with_a_retryable_error() {
    let (stage, wire) = stage_and_wire().await;
    let log = stage.log_over(wire.client(&stage, 1));
    let stream = fresh_stream();
    wire.expect(vec![Fate::RequestLost; 5]);

    let lost = join(&log, stream).await.unwrap_err();
    assert!(matches!(lost, Failure::Broken { retry: true, .. }), "{}", lost.chain());
    assert_eq!(stage.commits(stream).await, []);
}

#[tokio::test]
async fn a_command_refused_by_the_table_is_not_repeated() {
    const DENIED: &str = r#"{"__type":"com.amazon.coral.service#AccessDeniedException","Message":"not authorized to perform PutItem"}"#;
    let (stage, wire) = stage_and_wire().await;
    let log = stage.log_over(wire.client(&stage, 1));
    let stream = fresh_stream();
    wire.expect([Fate::Answered(DENIED)]);

    let refused = join(&log, stream).await.unwrap_err();
    assert!(matches!(refused, Failure::Broken { retry: false, .. }), "{}", refused.chain());
    assert_eq!(wire.appends(), 1, "there is no second attempt");
    assert_eq!(stage.commits(stream).await, []);
}

/// Sends a command for a visit of one event, with these fates of its appends, and checks that it is applied
/// once.
async fn assert_applied_once<const N: usize>(fates: [Fate; N], appends: usize) {
    let (stage, wire) = stage_and_wire().await;
    let log = stage.log_over(wire.client(&stage, 1));
    let stream = fresh_stream();
    join(&log, stream).await.unwrap();
    assert_eq!(wire.appends(), 1);
    wire.expect(fates);

    let decide = |_: Seen, _| async { Ok(vec![called(), called()]) };
    let outcome = log.transact(stream, &author(), Some(1), decide).await.unwrap();
    assert_eq!(outcome, Outcome { state: Seen(vec![1, 2, 3]), seq: 3, appended: true });
    wire.flush().await;

    let commits = stage.commits(stream).await;
    assert_eq!((commits.len(), walk(&commits).unwrap().seq), (2, 3), "{commits:?}");
    assert_eq!(wire.appends(), appends);
}

async fn join(log: &Log, stream: StreamId) -> Result<Outcome<Seen>, Failure> {
    log.transact(stream, &author(), None, |_: Seen, _| async { Ok(vec![joined()]) }).await
}

async fn stage_and_wire() -> (Stage, Wire) {
    let stage = Stage::new().await;
    let wire = Wire::new(&stage).await;
    (stage, wire)
}
