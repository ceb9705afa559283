//! Any schedule of losses and rivals: no command is applied twice, and none is acknowledged that is not in the log.

use infra::log::{ATTEMPTS_MAX, Appended};
use proptest::{collection::vec, prelude::*, test_runner::TestRunner};
use schema::{Commit, StreamId, commit::Author};
use waitlist_tests::{
    cases::cases,
    past::{Seen, author, called, fresh_stream, next, sending, visit, walk},
    stage::Stage,
    wire::{Fate, Wire},
};

/// A case takes a real engine about a second, most of it waiting between attempts.
const CASES: u32 = 32;

/// One command: what becomes of its appends, before which of its decisions a rival commits, and how often its client sends
/// it, as long as it gets no answer. A client without a key sends once: it could not be recognised.
#[derive(Clone, Debug)]
struct Plan {
    fates: Vec<Fate>,
    rivals: Vec<bool>,
    sends: usize,
    keyed: bool,
}

#[test]
fn no_command_is_applied_twice_and_none_acknowledged_that_is_not_in_the_log() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (stage, wire) = runtime.block_on(async {
        let stage = Stage::new().await;
        let wire = Wire::new(&stage).await;
        (stage, wire)
    });
    let schedules = vec(plan(), 1..5);
    let mut runner = TestRunner::new(cases(CASES));
    runner.run(&schedules, |plans| runtime.block_on(follow(&stage, &wire, &plans))).unwrap();
}

fn plan() -> impl Strategy<Value = Plan> {
    let fate =
        prop_oneof![Just(Fate::Delivered), Just(Fate::RequestLost), Just(Fate::AnswerLost), Just(Fate::Late)];
    // Now and then an attempt after the other seems lost, all that one send allows: then it is the next that must know it again.
    let unheard = vec(prop_oneof![Just(Fate::RequestLost), Just(Fate::Late)], 2 * ATTEMPTS_MAX as usize);
    let fates = prop_oneof![2 => vec(fate, 0..12), 1 => unheard];
    (fates, vec(any::<bool>(), 0..6), 1_usize..4, any::<bool>()).prop_map(|(fates, rivals, sends, keyed)| {
        Plan { fates, rivals, sends: if keyed { sends } else { 1 }, keyed }
    })
}

async fn follow(stage: &Stage, wire: &Wire, plans: &[Plan]) -> Result<(), TestCaseError> {
    // Two attempts by the SDK itself, so that the same commit is sent twice, and then the log's own.
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
        let beaten = std::sync::Mutex::new(Vec::new());
        let decide = |_: Seen, _| async {
            let beat = decisions.lock().unwrap().next().unwrap_or(false);
            if beat {
                let rival = rival(stage, stream).await;
                beaten.lock().unwrap().push(rival);
            }
            Ok(vec![called(), called()])
        };
        for _ in 0..plan.sends {
            if let Ok(outcome) = log.transact(stream, &author, None, decide).await {
                acknowledged.push((command, outcome));
                break;
            }
        }
        rivals.extend(beaten.into_inner().unwrap());
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
        prop_assert_eq!(own.map(|commit| commit.last), Some(outcome.seq), "{} was acknowledged", command);
        prop_assert!(
            outcome.state.0.iter().copied().eq(1..=outcome.seq),
            "and answered with the state it led to"
        );
    }
    for rival in &rivals {
        prop_assert!(stored.contains(rival), "a rival's commit that landed is there");
    }
    let of_commands = stored.iter().filter(|commit| commit.correlation.starts_with("command")).count();
    prop_assert_eq!(stored.len(), 1 + rivals.len() + of_commands, "and nothing else is");
    Ok(())
}

/// The request id under which the command is found again, whether it has a key or not.
fn command_name(command: usize) -> String {
    format!("command {command}")
}

/// Another writer, over a connection that loses nothing.
async fn rival(stage: &Stage, stream: StreamId) -> Commit {
    let tail = walk(&stage.commits(stream).await).unwrap();
    let commit = next(stream, &tail, &author(), &[called()]);
    assert_eq!(
        stage.backend.log.append(std::slice::from_ref(&commit), vec![]).await.unwrap(),
        Appended::Landed
    );
    commit
}
