//! Generated faults in erasure: repeated messages, concurrent erasers, lost answers, and hosts who keep
//! working. In the end the guest is forgotten, and nothing restores the data.

mod accounts;
mod crash;
mod visit;

use aws_sdk_dynamodb::types::AttributeValue;
use futures::future::join_all;
use infra::{Backend, queue::RECEIVE_MAX, vault::Subject};
use proptest::{collection::vec, prelude::*, test_runner::TestRunner};
use reactors::{Intent, erasure::forget, intent::QueuedIntent, reactor::Reactor};
use schema::{Commit, WaiteeId, WaitlistId, table::VAULT};
use waitlist_tests::{
    account::PASSWORD,
    cases::{cases, runtime, share_out},
    stage::Stage,
    wire::{Fate, Wire},
};

use self::visit::{REQUESTS, Visit};
use crate::{
    oracle::Item,
    poison::unreadable,
    records::{self, Image},
};

/// Each case plays a visit and its erasure on a real engine.
const CASES: u32 = 16;
/// The most times that one eraser gets the message. A last delivery without faults follows.
const DELIVERIES_MAX: usize = 5;
/// The number of races of hosts and an eraser.
const ROUNDS: usize = 24;

/// A case: requests before and during an erasure, and its faults.
#[derive(Clone, Debug)]
struct Plan {
    before: Vec<usize>,
    racing: Vec<usize>,
    /// The number of times that each eraser gets the message.
    deliveries: Vec<usize>,
    /// The fates of the erasers' appends.
    fates: Vec<Fate>,
}

fn plan() -> impl Strategy<Value = Plan> {
    let request = || 0..REQUESTS.len();
    let fate = prop_oneof![2 => Just(Fate::Delivered), 1 => Just(Fate::RequestLost), 1 => Just(Fate::AnswerLost), 1 => Just(Fate::Late)];
    (vec(request(), 0..3), vec(request(), 0..6), vec(1..=DELIVERIES_MAX, 1..3), vec(fate, 0..8))
        .prop_map(|(before, racing, deliveries, fates)| Plan { before, racing, deliveries, fates })
}

#[test]
fn an_erasure_ends_in_forgetting_under_any_faults() {
    share_out(&cases(CASES), |share| {
        let runtime = runtime();
        let (stage, wire) = runtime.block_on(async {
            let stage = Stage::new().await;
            let wire = Wire::new(&stage).await;
            (stage, wire)
        });
        TestRunner::new(share)
            .run(&plan(), |plan| {
                runtime.block_on(follow(&stage, &wire, &plan));
                Ok(())
            })
            .unwrap();
    });
}

async fn follow(stage: &Stage, wire: &Wire, plan: &Plan) {
    let owner = stage.owner();
    let list = owner.list("Main room").await;
    let visit = Visit::begin(&owner, &list).await;
    for request in &plan.before {
        visit.send_request(*request).await;
    }
    wire.expect(plan.fates.iter().cloned());
    let eraser = || Backend { log: stage.log_over(wire.client(stage, 2)), ..stage.another() };
    let erasing = plan.deliveries.iter().map(|deliveries| async {
        let backend = eraser();
        for _ in 0..*deliveries {
            // A failed message becomes due again. The last delivery follows below.
            let _comes_again = forget(&backend, visit.stream()).await;
        }
    });
    let hosts = plan.racing.iter().map(|request| visit.send_request(*request));
    tokio::join!(join_all(erasing), join_all(hosts), visit.erase());
    wire.flush().await;
    forget(&stage.another(), visit.stream()).await.unwrap();
    visit.judge(stage).await;
}

/// A command may have read the key before the erasure and go on using it.
#[tokio::test(flavor = "multi_thread")]
async fn no_concurrent_command_restores_an_erased_key() {
    let stage = Stage::new().await;
    let owner = stage.owner();
    let list = owner.list("Main room").await;
    for round in 0..ROUNDS {
        let visit = Visit::begin(&owner, &list).await;
        let hosts = (0..6).map(|request| visit.send_request((round + request) % REQUESTS.len()));
        let backend = stage.another();
        let eraser = async {
            visit.erase().await;
            forget(&backend, visit.stream()).await.unwrap();
        };
        tokio::join!(join_all(hosts), eraser, visit.join_again(), visit.join_again());
        visit.judge(&stage).await;
    }
}

#[tokio::test]
async fn subjects_without_an_erasure_are_not_forgotten() {
    let stage = Stage::new().await;
    let (owner, account) = (stage.owner(), stage.account().await);
    let list = owner.list("Main room").await;
    let visit = Visit::begin(&owner, &list).await;
    let list: WaitlistId = list.parse().unwrap();
    let unknown = WaiteeId(stage.backend.clock.id(stage.backend.clock.now()));
    for stream in [visit.stream(), account.id.into(), list.into(), unknown.into()] {
        let before = stage.commits(stream).await;
        forget(&stage.backend, stream).await.unwrap();
        assert_eq!(stage.commits(stream).await, before);
    }
    let subjects = [visit.subject(), Subject::Account(account.id)];
    assert_eq!(stage.another().vault.keys(&subjects).await.unwrap().len(), 2);
    assert_eq!(stage.sign_in(&account.email, PASSWORD).await.status, 201);
}

/// Newer code may have written events that this code cannot read. They must not stop erasures.
#[tokio::test]
async fn commits_that_the_reactor_cannot_read_are_parked_and_block_nothing() {
    let stage = Stage::new().await;
    let owner = stage.owner();
    let list = owner.list("Main room").await;
    let visit = Visit::begin(&owner, &list).await;
    visit.erase().await;
    let commits = stage.commits(visit.id).await;
    let strange = |events: &str| unreadable(&commits, events);
    let [flew, beside, newer, garbage] = [
        r#"[{"type":"waitee.flew","v":1,"data":{}}]"#,
        r#"[{"type":"waitee.erased","v":1,"data":{}}]"#,
        r#"[{"type":"waitee.erased","v":2,"data":{}}]"#,
        r#"[{"type":"waitee.era"#,
    ]
    .map(strange);
    let reactor = Reactor::new(stage.backend.clone());
    let react = async |commits: &[&Commit]| {
        let records = commits
            .iter()
            .zip(1..)
            .map(|(commit, n)| records::insert(n, commit, Image::Whole, commit))
            .collect();
        records::failed(&reactor.records(records::batch(records)).await)
    };
    assert_eq!(react(&[&flew, &commits[0], &beside]).await, Vec::<String>::new());
    assert_eq!(stage.backend.erasures.receive(RECEIVE_MAX).await.unwrap().len(), 1);
    assert_eq!(
        react(&[&newer]).await,
        Vec::<String>::new(),
        "the type alone says that the guest is to be forgotten"
    );
    assert_eq!(stage.backend.erasures.receive(RECEIVE_MAX).await.unwrap().len(), 1);
    assert_eq!(react(&[&commits[1], &garbage, &beside]).await, Vec::<String>::new());
    assert_eq!(stage.backend.erasures.receive(RECEIVE_MAX).await.unwrap().len(), 2);
    let parked = stage.backend.deliveries.receive(RECEIVE_MAX).await.unwrap();
    let parked: QueuedIntent = serde_json::from_str(&parked[0].body).unwrap();
    assert_eq!(parked.intent, Intent::React { stream: garbage.stream, seq: garbage.seq });
    assert!(
        parked.cause.is_some_and(|cause| cause.contains("no list of events")),
        "the cause is kept for the operator"
    );
}

fn kinds(commits: &[Commit]) -> Vec<String> {
    commits
        .iter()
        .flat_map(|commit| {
            commit.stored().unwrap().iter().map(|event| event.kind.to_owned()).collect::<Vec<_>>()
        })
        .collect()
}

/// Whether the vault's item is a tombstone and nothing else.
async fn is_tombstone(stage: &Stage, subject: Subject) -> bool {
    let get = stage.dynamodb.get_item().table_name(VAULT.name(&stage.prefix)).consistent_read(true);
    let item: Item =
        get.key("subject", AttributeValue::S(subject.to_string())).send().await.unwrap().item.unwrap();
    item.len() == 2 && item.get("erased") == Some(&AttributeValue::Bool(true))
}
