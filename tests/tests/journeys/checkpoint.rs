//! Checkpoints of the log: what a hash chain does not show is found by comparing the log with a checkpoint.

mod command;
mod generated;

use std::sync::atomic::{AtomicBool, Ordering};

use aws_sdk_dynamodb::types::AttributeValue;
use infra::log::Appended;
use projections::{
    checkpoint::{check, take},
    verify,
};
use schema::{
    Checkpoint, Commit, StreamId,
    checkpoint::{Head, Note},
    commit::Tail,
    table::EVENTS,
};
use serde_json::json;
use waitlist_tests::{
    past::{author, called, fresh_stream, next, visit},
    stage::Stage,
};

const SEGMENTS: u32 = 3;
const MISSING: &str = "is missing, although the checkpoint has it";
const GONE: &str = "is missing, and with it the whole stream, although the checkpoint has it";
const HASH: &str = "has another hash than in the checkpoint";

/// A stream that differs: its name, the number of the commit, and the reason.
type Found = (String, u64, String);

/// Makes a checkpoint of the stage's log, without a signature.
pub(crate) async fn checkpoint(stage: &Stage) -> Checkpoint {
    let taken = take(&stage.backend, None, SEGMENTS, |_| ()).await.unwrap();
    assert_eq!((taken.damaged, taken.bad), (0, Vec::new()));
    let head = Head::over("waitlist/test", stage.backend.clock.now(), None, &taken.leaves);
    Checkpoint { note: Note { text: head.to_string(), signatures: Vec::new() }, head, leaves: taken.leaves }
}

/// The streams that differ from a checkpoint, by name.
async fn differing(stage: &Stage, checkpoint: &Checkpoint) -> Vec<Found> {
    let checked = check(&stage.backend, checkpoint, SEGMENTS, |_| ()).await.unwrap();
    checked.bad.into_iter().map(|bad| (bad.stream, bad.seq, bad.why)).collect()
}

/// As [`differing`], found while the next checkpoint is made.
async fn differing_from_the_next(stage: &Stage, previous: &Checkpoint) -> Vec<Found> {
    let taken = take(&stage.backend, Some(previous), SEGMENTS, |_| ()).await.unwrap();
    taken.differing.into_iter().map(|bad| (bad.stream, bad.seq, bad.why)).collect()
}

fn found(stream: StreamId, seq: u64, why: &str) -> Found {
    (stream.to_string(), seq, why.to_owned())
}

async fn remove(stage: &Stage, stream: StreamId, seq: u64) {
    let delete = stage.dynamodb.delete_item().table_name(EVENTS.name(&stage.prefix));
    let delete = delete
        .key("stream", AttributeValue::S(stream.to_string()))
        .key("seq", AttributeValue::N(seq.to_string()));
    delete.send().await.unwrap();
}

/// Writes a stream anew from its commit `from` on, with hashes that fit.
fn recomputed(commits: &[Commit], from: usize) -> Vec<Commit> {
    let mut forged = commits[..from].to_vec();
    for commit in &commits[from..] {
        let prev = forged.last().map_or(Tail::EMPTY, Commit::tail).hash;
        let mut next = Commit { correlation: "forged".to_owned(), prev, ..commit.clone() };
        next.hash = next.compute_hash();
        forged.push(next);
    }
    forged
}

async fn assert_verified(stage: &Stage) {
    assert_eq!(verify::all(&stage.backend, SEGMENTS, |_| ()).await.unwrap().bad, []);
}

#[tokio::test]
async fn a_removed_end_and_a_stream_removed_with_its_row_are_named_although_the_chains_hold() {
    const LONG: usize = 1_100; // longer than what is read of a stream at once
    let stage = Stage::new().await;
    let streams: [StreamId; 4] = std::array::from_fn(|_| fresh_stream());
    let [cut, gone, long, whole] = streams;
    for stream in streams {
        stage.put_past(&visit(stream, if stream == long { LONG } else { 4 })).await;
    }
    let before = checkpoint(&stage).await;
    assert_eq!(before.leaves.iter().map(|leaf| leaf.last).max(), Some(LONG as u64));
    assert_eq!(differing(&stage, &before).await, []);

    remove(&stage, cut, 4).await;
    remove(&stage, long, LONG as u64).await;
    for seq in 1..=4 {
        remove(&stage, gone, seq).await;
    }
    let mut expected = [found(cut, 4, MISSING), found(gone, 1, GONE), found(long, LONG as u64, MISSING)];
    expected.sort();
    assert_eq!(differing(&stage, &before).await, expected);
    assert_verified(&stage).await;
    let after = checkpoint(&stage).await;
    assert_eq!(differing(&stage, &after).await, []);
    assert!(before.find(gone).is_some() && after.find(gone).is_none() && after.find(whole).is_some());
}

#[tokio::test]
async fn a_chain_recomputed_from_a_change_on_is_named_although_it_holds_and_its_row_fits() {
    let stage = Stage::new().await;
    let owner = stage.owner();
    let list = owner.list("Main room").await;
    let id = owner.join(&list, "Ana").await;
    for action in ["call", "confirm", "seat"] {
        let done = owner.post(&format!("/v1/waitees/{id}/{action}"), json!({})).await;
        assert!(done.status < 300, "{done:?}");
    }
    let stream: StreamId = format!("waitee-{id}").parse().unwrap();
    stage.project(stream).await;
    let before = checkpoint(&stage).await;
    let commits = stage.commits(stream).await;
    let last = commits[3].last;
    for from in 0..commits.len() {
        stage.put_past(&recomputed(&commits, from)).await;
        assert_verified(&stage).await;
        assert_eq!(differing(&stage, &before).await, [found(stream, last, HASH)], "from commit {from} on");
    }
    // Later commits do not hide it, nor do other bounds of commits.
    let forged = recomputed(&commits, 2);
    let later = next(stream, &forged[3].tail(), &author(), &[called()]);
    stage.put_past(&[&forged[..], &[later]].concat()).await;
    assert_eq!(differing(&stage, &before).await, [found(stream, last, HASH)]);
    remove(&stage, stream, last).await;
    remove(&stage, stream, last + 1).await;
    stage.put_past(&[next(stream, &forged[2].tail(), &author(), &[called(), called()])]).await;
    assert_eq!(differing(&stage, &before).await, [found(stream, last, HASH)]);
    assert_eq!(differing_from_the_next(&stage, &before).await, [found(stream, last, HASH)]);
    remove(&stage, stream, last).await;
    stage.put_past(&commits).await;
    assert_eq!(differing(&stage, &before).await, []);
}

#[tokio::test]
async fn a_damaged_stream_has_no_leaf_and_is_named() {
    let stage = Stage::new().await;
    let (fine, damaged) = (fresh_stream(), fresh_stream());
    for stream in [fine, damaged] {
        stage.put_past(&visit(stream, 4)).await;
    }
    let before = checkpoint(&stage).await;
    stage.overwrite(damaged, 3, "correlation", "altered").await;
    let taken = take(&stage.backend, None, SEGMENTS, |_| ()).await.unwrap();
    assert_eq!(taken.leaves.iter().map(|leaf| leaf.stream).collect::<Vec<_>>(), [fine]);
    let content = "its content does not match its hash";
    let bad = &taken.bad[0];
    assert_eq!(
        (taken.damaged, &bad.stream, bad.seq, bad.why.as_str()),
        (1, &damaged.to_string(), 3, content)
    );
    assert_eq!(differing(&stage, &before).await, [found(damaged, 3, content)]);

    let other_spelling =
        damaged.to_string().replacen(&damaged.id.to_string(), &damaged.id.to_string().to_uppercase(), 1);
    for name in ["table-7", &other_spelling] {
        let mut nameless = stage.item(fine, 1).await;
        nameless.insert("stream".into(), AttributeValue::S(name.into()));
        let put = stage.dynamodb.put_item().table_name(EVENTS.name(&stage.prefix));
        put.set_item(Some(nameless)).send().await.unwrap();
        let taken = take(&stage.backend, None, SEGMENTS, |_| ()).await.unwrap();
        assert!(taken.bad.iter().any(|bad| bad.stream == name), "{taken:?}");
    }
}

#[tokio::test]
async fn appends_in_flight_never_alarm() {
    const STREAMS: usize = 12;
    const CHECKPOINTS: usize = 6;
    const ROUNDS_MAX: usize = 1_000;
    let stage = Stage::new().await;
    let mut tails: Vec<(StreamId, Tail)> = (0..STREAMS).map(|_| (fresh_stream(), Tail::EMPTY)).collect();
    let is_over = AtomicBool::new(false);
    let writing = async {
        for round in 0..ROUNDS_MAX {
            let followed = |(stream, tail): &(StreamId, Tail)| {
                next(*stream, tail, &author(), &vec![called(); 1 + round % 2])
            };
            let commits: Vec<Commit> = tails.iter().map(followed).collect();
            let puts = commits.iter().map(|commit| {
                let commit = std::slice::from_ref(commit);
                stage.backend.log.append(commit, Vec::new())
            });
            for appended in futures::future::join_all(puts).await {
                assert_eq!(appended.unwrap(), Appended::Landed);
            }
            tails = commits.iter().map(|commit| (commit.stream, commit.tail())).collect();
            tails[round % STREAMS] = (fresh_stream(), Tail::EMPTY);
            if is_over.load(Ordering::SeqCst) {
                break;
            }
        }
    };
    let checking = async {
        let mut taken: Vec<Checkpoint> = Vec::new();
        for _ in 0..CHECKPOINTS {
            taken.push(checkpoint(&stage).await);
            for earlier in &taken {
                assert_eq!(differing(&stage, earlier).await, []);
            }
        }
        is_over.store(true, Ordering::SeqCst);
        taken
    };
    let ((), taken) = futures::join!(writing, checking);
    assert!(taken[0].leaves.len() < taken[CHECKPOINTS - 1].leaves.len());
    for earlier in taken {
        assert_eq!(differing(&stage, &earlier).await, []);
    }
}
