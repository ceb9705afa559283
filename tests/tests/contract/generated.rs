//! Generated schedules of lost messages and concurrent writers: no command is applied twice, and each
//! acknowledged command is in the log.

use infra::log::{ATTEMPTS_MAX, Appended};
use proptest::{collection::vec, prelude::*, test_runner::TestRunner};
use schema::{Commit, StreamId, commit::Author};
use waitlist_tests::{
    cases::{cases, runtime, share_out},
    past::{Seen, author, called, fresh_stream, next, sending, visit, walk},
    stage::Stage,
    wire::{Fate, Wire},
};

/// A case takes about a third of a second, mostly in pauses between attempts.
const CASES: u32 = 32;

/// One command: the fates of its appends, before which of its decisions a rival commits, and how often its
/// client sends it while it gets no answer. A client without a key sends once, because a repetition could not
/// be recognised.
#[derive(Clone, Debug)]
struct Plan {
    fates: Vec<Fate>,
    rivals: Vec<bool>,
    sends: usize,
    keyed: bool,
}

#[test]
fn no_command_is_applied_twice_and_each_acknowledged_command_is_in_the_log() {
    share_out(&cases(CASES), |share| {
        let runtime = runtime();
        let (stage, wire) = runtime.block_on(async {
            let stage = Stage::new().await;
            let wire = Wire::new(&stage).await;
            (stage, wire)
        });
        let schedules = vec(plan(), 1..5);
        TestRunner::new(share)
            .run(&schedules, |plans| runtime.block_on(follow(&stage, &wire, &plans)))
            .unwrap();
    });
}

fn plan() -> impl Strategy<Value = Plan> {
    let fate =
        prop_oneof![Just(Fate::Delivered), Just(Fate::RequestLost), Just(Fate::AnswerLost), Just(Fate::Late)];
    // Sometimes all attempts of a send seem lost, so that the next send has to recognise the command.
    let all_lost = vec(prop_oneof![Just(Fate::RequestLost), Just(Fate::Late)], 2 * ATTEMPTS_MAX as usize);
    let fates = prop_oneof![2 => vec(fate, 0..12), 1 => all_lost];
    (fates, vec(any::<bool>(), 0..6), 1_usize..4, any::<bool>()).prop_map(|(fates, rivals, sends, keyed)| {
        Plan { fates, rivals, sends: if keyed { sends } else { 1 }, keyed }
    })
}

async fn follow(stage: &Stage, wire: &Wire, plans: &[Plan]) -> Result<(), TestCaseError> {
    // The SDK makes two attempts, so the same commit is sent twice, besides the attempts of the log.
    let log = stage.log_over(wire.client(stage, 2));
    let stream = fresh_stream();
    stage.put_past(&visit(stream, 1)).await;
    let mut acknowledged = Vec::new();
    let mut rivals = Vec::new();
    for (command, plan) in plans.iter().enumerate() {
        wire.expect(plan.fates.iter().cloned());
        let author = Author {
            correlation: command_name(command),
            ..if plan.keyed { sending(command) } else { author() }
        };
        let decisions = std::sync::Mutex::new(plan.rivals.iter().copied());
        let landed = std::sync::Mutex::new(Vec::new());
        let decide = |_: Seen, _| async {
            let is_beaten = decisions.lock().unwrap().next().unwrap_or(false);
            if is_beaten {
                let rival = rival(stage, stream).await;
                landed.lock().unwrap().push(rival);
            }
            Ok(vec![called(), called()])
        };
        for _ in 0..plan.sends {
            if let Ok(outcome) = log.transact(stream, &author, None, decide).await {
                acknowledged.push((command, outcome));
                break;
            }
        }
        rivals.extend(landed.into_inner().unwrap());
        wire.expect([]);
    }
    wire.flush().await;

    let stored = stage.commits(stream).await;
    prop_assert!(walk(&stored).is_ok());
    for command in 0..plans.len() {
        prop_assert!(
            stored.iter().filter(|commit| commit.correlation == command_name(command)).count() <= 1,
            "{} was applied twice",
            command
        );
    }
    for (command, outcome) in &acknowledged {
        let own = stored.iter().find(|commit| commit.correlation == command_name(*command));
        prop_assert_eq!(
            own.map(|commit| commit.last),
            Some(outcome.seq),
            "{} was acknowledged with another number",
            command
        );
        prop_assert!(
            outcome.state.0.iter().copied().eq(1..=outcome.seq),
            "the answer holds the state after the command"
        );
    }
    for rival in &rivals {
        prop_assert!(stored.contains(rival), "each commit of a rival is in the log");
    }
    let of_commands = stored.iter().filter(|commit| commit.correlation.starts_with("command")).count();
    prop_assert_eq!(stored.len(), 1 + rivals.len() + of_commands, "the log holds no other commits");
    Ok(())
}

/// Returns the request id that identifies the command in the log, with or without a key.
fn command_name(command: usize) -> String {
    format!("command {command}")
}

/// Appends a commit over a connection that loses nothing.
async fn rival(stage: &Stage, stream: StreamId) -> Commit {
    let tail = walk(&stage.commits(stream).await).unwrap();
    let commit = next(stream, &tail, &author(), &[called()]);
    assert_eq!(
        stage.backend.log.append(std::slice::from_ref(&commit), vec![]).await.unwrap(),
        Appended::Landed
    );
    commit
}
