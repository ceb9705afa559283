//! Generated logs of which some streams are changed after a checkpoint: exactly these are named.

use proptest::{collection::vec, prelude::*, sample::Index, test_runner::TestRunner};
use schema::{Commit, commit::Tail};
use waitlist_tests::{
    cases::{cases_up_to, runtime},
    past::{author, called, fresh_stream, next, visit},
    stage::Stage,
};

use super::{
    Found, GONE, HASH, MISSING, checkpoint, differing, differing_from_the_next, found, recomputed, remove,
};

const CASES: u32 = 24;
const CASES_MAX: u32 = 250;
const STREAMS_MAX: usize = 8;
const COMMITS_MAX: usize = 6;

#[derive(Clone, Debug)]
enum Change {
    Nothing,
    /// New commits, as the backend appends them.
    Append(usize),
    RemoveFrom(Index),
    /// Removes one commit that is not the last.
    RemoveOne(Index),
    /// Removes commits, and appends others in their places.
    Replace(Index),
    Recompute(Index),
    /// Alters a commit and leaves its hash.
    Alter(Index),
}

fn changes() -> impl Strategy<Value = Vec<(usize, Change)>> {
    let change = prop_oneof![
        3 => Just(Change::Nothing),
        3 => (1..4_usize).prop_map(Change::Append),
        1 => any::<Index>().prop_map(Change::RemoveFrom),
        1 => any::<Index>().prop_map(Change::RemoveOne),
        1 => any::<Index>().prop_map(Change::Replace),
        1 => any::<Index>().prop_map(Change::Recompute),
        1 => any::<Index>().prop_map(Change::Alter),
    ];
    vec((2..=COMMITS_MAX, change), 1..=STREAMS_MAX)
}

/// Appends `count` commits behind these.
fn followed(commits: &[Commit], count: usize) -> Vec<Commit> {
    let mut all = commits.to_vec();
    for _ in 0..count {
        let tail = all.last().map_or(Tail::EMPTY, Commit::tail);
        all.push(next(commits[0].stream, &tail, &author(), &[called()]));
    }
    all
}

/// Changes a stream of commits with one event each. Returns what a check must find.
async fn change(stage: &Stage, commits: &[Commit], change: &Change) -> Option<Found> {
    let (stream, last) = (commits[0].stream, commits.len() as u64);
    match change {
        Change::Nothing => None,
        Change::Append(count) => {
            stage.put_past(&followed(commits, *count)[commits.len()..]).await;
            None
        }
        Change::RemoveFrom(place) => {
            let first = place.index(commits.len()) as u64 + 1;
            for seq in first..=last {
                remove(stage, stream, seq).await;
            }
            Some(found(stream, first, if first == 1 { GONE } else { MISSING }))
        }
        Change::RemoveOne(place) => {
            let seq = place.index(commits.len() - 1) as u64 + 1;
            remove(stage, stream, seq).await;
            Some(found(stream, seq + 1, "does not follow the commit before it"))
        }
        Change::Replace(place) => {
            let kept = 1 + place.index(commits.len() - 1);
            let others = followed(&commits[..kept], commits.len() + 1 - kept);
            stage.put_past(&others[kept..]).await;
            Some(found(stream, last, HASH))
        }
        Change::Recompute(place) => {
            stage.put_past(&recomputed(commits, place.index(commits.len()))).await;
            Some(found(stream, last, HASH))
        }
        Change::Alter(place) => {
            let seq = place.index(commits.len()) as u64 + 1;
            stage.overwrite(stream, seq, "correlation", "altered").await;
            Some(found(stream, seq, "its content does not match its hash"))
        }
    }
}

async fn follow(stage: &Stage, plan: &[(usize, Change)]) -> Result<(), TestCaseError> {
    let streams: Vec<Vec<Commit>> = plan.iter().map(|(count, _)| visit(fresh_stream(), *count)).collect();
    stage.put_past(&streams.concat()).await;
    let before = checkpoint(stage).await;
    prop_assert_eq!(differing(stage, &before).await, []);
    let mut expected = Vec::new();
    for (commits, (_, planned)) in streams.iter().zip(plan) {
        expected.extend(change(stage, commits, planned).await);
    }
    expected.sort();
    let found = differing(stage, &before).await;
    let by_next = differing_from_the_next(stage, &before).await;
    for commits in &streams {
        for seq in 1..=(commits.len() + COMMITS_MAX) as u64 {
            remove(stage, commits[0].stream, seq).await;
        }
    }
    prop_assert_eq!(&found, &expected);
    prop_assert_eq!(by_next, expected, "while the next checkpoint is made");
    Ok(())
}

#[test]
fn exactly_the_changed_streams_are_named_with_the_first_commit_that_differs() {
    let runtime = runtime();
    let stage = runtime.block_on(Stage::new());
    let mut runner = TestRunner::new(cases_up_to(CASES_MAX, CASES));
    runner.run(&changes(), |plan| runtime.block_on(follow(&stage, &plan))).unwrap();
}
