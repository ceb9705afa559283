//! Appends several commits in one transaction: all of them are stored or none.

use futures::future::join_all;
use infra::log::{Appended, ExtraPut};
use schema::{Commit, UserId, commit::Tail};
use uuid::Uuid;
use waitlist_tests::{
    past::{author, called, fresh_stream, joined, next, visit},
    stage::Stage,
    wire::{Fate, Wire},
};

#[tokio::test]
async fn two_commits_land_together() {
    let stage = Stage::new().await;
    let both = two();
    assert_eq!(stage.backend.log.append(&both, vec![]).await.unwrap(), Appended::Landed);
    assert_stored(&stage, &both).await;
}

#[tokio::test]
async fn a_conflict_in_either_stream_leaves_neither_commit() {
    let stage = Stage::new().await;
    let log = &stage.backend.log;
    for taken in [0, 1] {
        let both = two();
        let rival = next(both[taken].stream, &Tail::EMPTY, &author(), &[joined()]);
        assert_eq!(log.append(std::slice::from_ref(&rival), vec![]).await.unwrap(), Appended::Landed);

        assert_eq!(log.append(&both, vec![]).await.unwrap(), Appended::Conflict);
        assert_eq!(stage.commits(both[taken].stream).await, [rival]);
        assert_eq!(stage.commits(both[1 - taken].stream).await, []);
    }
}

#[tokio::test]
async fn an_append_whose_commits_are_already_stored_succeeds() {
    let stage = Stage::new().await;
    let log = &stage.backend.log;
    let both = two();
    assert_eq!(log.append(&both, vec![]).await.unwrap(), Appended::Landed);
    // The second call has another client token, so the engine takes it for a new transaction.
    assert_eq!(log.append(&both, vec![]).await.unwrap(), Appended::Landed);
    let beyond = next(both[0].stream, &both[0].tail(), &author(), &[called()]);
    assert_eq!(
        log.append(&[beyond, both[1].clone()], vec![]).await.unwrap(),
        Appended::Conflict,
        "only one of the commits is already stored"
    );
    assert_stored(&stage, &both).await;
}

#[tokio::test]
async fn extra_puts_count_towards_the_bound_of_a_transaction() {
    let stage = Stage::new().await;
    let commits: Vec<Commit> =
        (0..100).map(|_| next(fresh_stream(), &Tail::EMPTY, &author(), &[joined()])).collect();
    let refused =
        stage.backend.log.append(&commits, vec![claim_put(&stage, "one too many")]).await.unwrap_err();
    assert!(refused.chain().contains("1 to 100 can be appended"), "{}", refused.chain());
    assert!(!is_claimed(&stage, "one too many").await);
}

#[tokio::test]
async fn extra_puts_are_stored_with_the_commits_or_not_at_all() {
    let stage = Stage::new().await;
    let log = &stage.backend.log;
    let stream = fresh_stream();
    let first = next(stream, &Tail::EMPTY, &author(), &[joined()]);
    let rival = next(stream, &Tail::EMPTY, &author(), &[joined()]);

    assert_eq!(
        log.append(std::slice::from_ref(&first), vec![claim_put(&stage, "kept")]).await.unwrap(),
        Appended::Landed
    );
    assert_eq!(log.append(&[rival], vec![claim_put(&stage, "lost")]).await.unwrap(), Appended::Conflict);
    assert!(is_claimed(&stage, "kept").await && !is_claimed(&stage, "lost").await);

    // Conversely, a failed extra put keeps the commit out.
    let second = next(stream, &first.tail(), &author(), &[called()]);
    assert_eq!(log.append(&[second], vec![claim_put(&stage, "kept")]).await.unwrap(), Appended::Conflict);
    assert_eq!(stage.commits(stream).await, [first]);
}

#[tokio::test]
async fn of_twenty_concurrent_transactions_on_two_streams_exactly_one_lands() {
    let stage = Stage::new().await;
    let log = &stage.backend.log;
    let streams = [fresh_stream(), fresh_stream()];
    let rivals: Vec<Vec<Commit>> = (0..20)
        .map(|_| streams.map(|stream| next(stream, &Tail::EMPTY, &author(), &[joined()])).to_vec())
        .collect();

    let outcomes = join_all(rivals.iter().map(|rival| log.append(rival, vec![]))).await;
    let outcomes: Vec<Appended> = outcomes.into_iter().map(Result::unwrap).collect();
    let winners: Vec<_> =
        rivals.iter().zip(&outcomes).filter(|(_, outcome)| **outcome == Appended::Landed).collect();
    let [(winner, _)] = winners[..] else { panic!("{outcomes:?}") };
    assert_stored(&stage, winner).await;
}

/// Local engines serialise writes and never give these answers; AWS does.
#[tokio::test]
async fn a_transaction_conflict_counts_as_a_conflict() {
    const TO_ONE: &str =
        r#"{"__type":"com.amazonaws.dynamodb.v20120810#TransactionConflictException","message":"under way"}"#;
    const TO_BOTH: &str = r#"{"__type":"com.amazonaws.dynamodb.v20120810#TransactionCanceledException","Message":"cancelled",
        "CancellationReasons":[{"Code":"None"},{"Code":"TransactionConflict","Message":"under way"}]}"#;
    let stage = Stage::new().await;
    let wire = Wire::new(&stage).await;
    let log = stage.log_over(wire.client(&stage, 1));
    wire.expect([Fate::Answered(TO_ONE), Fate::Answered(TO_BOTH)]);

    assert_eq!(log.append(&visit(fresh_stream(), 1), vec![]).await.unwrap(), Appended::Conflict);
    assert_eq!(log.append(&two(), vec![]).await.unwrap(), Appended::Conflict);
}

#[tokio::test]
async fn a_throttled_transaction_may_be_retried_and_an_invalid_one_may_not() {
    const BUSY: &str = r#"{"__type":"com.amazonaws.dynamodb.v20120810#TransactionCanceledException","Message":"cancelled",
        "CancellationReasons":[{"Code":"ThrottlingError","Message":"too fast"},{"Code":"None"}]}"#;
    const WRONG: &str = r#"{"__type":"com.amazonaws.dynamodb.v20120810#TransactionCanceledException","Message":"cancelled",
        "CancellationReasons":[{"Code":"ValidationError","Message":"no such attribute"},{"Code":"ThrottlingError"}]}"#;
    let stage = Stage::new().await;
    let wire = Wire::new(&stage).await;
    let log = stage.log_over(wire.client(&stage, 1));
    wire.expect([Fate::Answered(BUSY), Fate::Answered(WRONG)]);

    assert!(log.append(&two(), vec![]).await.unwrap_err().is_passing());
    assert!(!log.append(&two(), vec![]).await.unwrap_err().is_passing());
}

fn two() -> Vec<Commit> {
    (0..2).map(|_| next(fresh_stream(), &Tail::EMPTY, &author(), &[joined()])).collect()
}

async fn assert_stored(stage: &Stage, commits: &[Commit]) {
    for commit in commits {
        assert_eq!(stage.commits(commit.stream).await, std::slice::from_ref(commit));
    }
}

/// An extra put: a claim on an address.
fn claim_put(stage: &Stage, claim: &str) -> ExtraPut {
    stage.backend.vault.claim(claim, UserId(Uuid::nil())).unwrap()
}

async fn is_claimed(stage: &Stage, claim: &str) -> bool {
    stage.backend.vault.holder(claim).await.unwrap().is_some()
}
