//! Commits of several streams in one transaction: all of them or none.

use futures::future::join_all;
use infra::log::{Appended, Beside};
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
    are_there(&stage, &both).await;
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
async fn commits_that_are_found_in_their_places_had_landed() {
    let stage = Stage::new().await;
    let log = &stage.backend.log;
    let both = two();
    assert_eq!(log.append(&both, vec![]).await.unwrap(), Appended::Landed);
    // Another call, with another token: to the engine this is a transaction it has never seen.
    assert_eq!(log.append(&both, vec![]).await.unwrap(), Appended::Landed);
    let beyond = next(both[0].stream, &both[0].tail(), &author(), &[called()]);
    assert_eq!(
        log.append(&[beyond, both[1].clone()], vec![]).await.unwrap(),
        Appended::Conflict,
        "only one of them is its own"
    );
    are_there(&stage, &both).await;
}

#[tokio::test]
async fn what_is_put_beside_counts_towards_the_bound_of_a_transaction() {
    let stage = Stage::new().await;
    let commits: Vec<Commit> =
        (0..100).map(|_| next(fresh_stream(), &Tail::EMPTY, &author(), &[joined()])).collect();
    let refused = stage.backend.log.append(&commits, vec![beside(&stage, "one too many")]).await.unwrap_err();
    assert!(refused.chain().contains("1 to 100 can be appended"), "{}", refused.chain());
    assert!(!is_beside(&stage, "one too many").await);
}

#[tokio::test]
async fn what_is_put_beside_stands_or_falls_with_the_commits() {
    let stage = Stage::new().await;
    let log = &stage.backend.log;
    let stream = fresh_stream();
    let first = next(stream, &Tail::EMPTY, &author(), &[joined()]);
    let rival = next(stream, &Tail::EMPTY, &author(), &[joined()]);

    assert_eq!(
        log.append(std::slice::from_ref(&first), vec![beside(&stage, "kept")]).await.unwrap(),
        Appended::Landed
    );
    assert_eq!(log.append(&[rival], vec![beside(&stage, "lost")]).await.unwrap(), Appended::Conflict);
    assert!(is_beside(&stage, "kept").await && !is_beside(&stage, "lost").await);

    // The other way round: what stands beside is there already, so the commit does not land either.
    let second = next(stream, &first.tail(), &author(), &[called()]);
    assert_eq!(log.append(&[second], vec![beside(&stage, "kept")]).await.unwrap(), Appended::Conflict);
    assert_eq!(stage.commits(stream).await, [first]);
}

#[tokio::test]
async fn of_twenty_rivals_for_two_streams_one_wins_both() {
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
    are_there(&stage, winner).await;
}

/// Engines on one machine take one write after another, so none of them gives these answers; AWS does.
#[tokio::test]
async fn meeting_a_transaction_under_way_is_a_conflict() {
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
async fn a_transaction_that_a_busy_table_turned_away_may_be_tried_again_and_one_that_is_wrong_may_not() {
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

async fn are_there(stage: &Stage, commits: &[Commit]) {
    for commit in commits {
        assert_eq!(stage.commits(commit.stream).await, std::slice::from_ref(commit));
    }
}

/// What stands beside: a claim on an address.
fn beside(stage: &Stage, claim: &str) -> Beside {
    stage.backend.vault.claim(claim, UserId(Uuid::nil())).unwrap()
}

async fn is_beside(stage: &Stage, claim: &str) -> bool {
    stage.backend.vault.holder(claim).await.unwrap().is_some()
}
