//! Projector and reactor behind their stream mappings.

use std::{collections::BTreeSet, time::Duration};

use aws_sdk_dynamodb::types::AttributeValue;
use futures::future::join_all;
use proptest::{collection::vec, prelude::*};
use schema::table::{EVENTS, WAITEES};
use serde_json::{Value, json};
use waitlist_tests::{
    events::{Change, image, stream_event_of},
    mapping::{Batch, Message, Polled, Reading, Why, poll, work_off},
    stage::Stage,
    template::{QueueMapping, StreamMapping},
};

use super::{
    Scene, check,
    visits::{Fault, Plan, Visit, begin, plan, with_one_fatal},
};
use crate::deployment::Deployment;

/// Each case delivers one to some hundred records to real processes.
const CASES: u32 = 4;
const VISITS_MAX: usize = 60;

/// The points at which a process aborts.
const PROJECTOR_ABORTS: [&str; 5] =
    ["feed.row-read", "feed.row-folded", "feed.row-written", "feed.park", "feed.parked"];
const REACTOR_ABORTS: [&str; 2] = ["intent.send", "intent.sent"];

#[derive(Clone, Debug)]
struct Case {
    visits: Vec<Plan>,
    shards: usize,
    /// Choices of the visit whose record is next, and of the first message of a batch.
    order: Vec<usize>,
    reading: Reading,
    /// Points at which processes abort, by place, and at which pass.
    aborts: Vec<(usize, u32)>,
}

fn case() -> impl Strategy<Value = Case> {
    let lost = prop_oneof![2 => Just(0), 1 => 2..9_usize];
    let reading = (any::<bool>(), any::<bool>(), lost)
        .prop_map(|(halves, counts_on, loses_answers)| Reading { halves, counts_on, loses_answers });
    let visits = vec(plan(), 1..VISITS_MAX).prop_map(with_one_fatal);
    (visits, 1..=2_usize, vec(any::<usize>(), 16), reading, vec((any::<usize>(), 1..40_u32), 0..3))
        .prop_map(|(visits, shards, order, reading, aborts)| Case { visits, shards, order, reading, aborts })
}

/// A shard: its records, and for each the visit and the number of the commit's last event. Altered events have none.
#[derive(Default)]
struct Shard {
    records: Vec<Value>,
    about: Vec<Option<(usize, u64)>>,
}

/// Deals the visits to shards. A shard mixes its visits and keeps the order within each.
fn shards(case: &Case, visits: &[Visit]) -> Vec<Shard> {
    let shard = |number: usize| {
        let mut left: Vec<(usize, Vec<usize>)> = (0..visits.len())
            .filter(|of| of % case.shards == number)
            .map(|of| (of, (0..visits[of].commits.len()).rev().collect()))
            .collect();
        let (mut changes, mut about) = (Vec::new(), Vec::new());
        while !left.is_empty() {
            let chosen =
                case.order[changes.len() % case.order.len()].wrapping_add(changes.len()) % left.len();
            let (of, places) = &mut left[chosen];
            let commit = &visits[*of].commits[places.pop().unwrap()];
            for _ in 0..1 + usize::from(visits[*of].plan.doubled) {
                changes.push((Change::Insert, image(commit)));
                about.push(Some((*of, commit.last)));
            }
            if places.is_empty() {
                left.remove(chosen);
            }
        }
        if let Some((_, image)) = changes.first().cloned() {
            changes.push((Change::Modify, image));
            about.push(None);
        }
        let mut event = stream_event_of(&EVENTS, &changes);
        let Value::Array(records) = event["Records"].take() else { unreachable!("an event has records") };
        Shard { records, about }
    };
    (0..case.shards).map(shard).collect()
}

/// Delivers the shards, each by an environment of its own, as Lambda does.
async fn deliver(
    deployment: &Deployment,
    scene: &Scene,
    name: &'static str,
    mapping: &StreamMapping,
    case: &Case,
    points: &[&str],
    shards: &[Shard],
) -> Vec<Polled> {
    let polled = shards.iter().map(|shard| async {
        let aborts =
            case.aborts.iter().map(|(at, nth)| format!("{}:{nth}", points[at % points.len()])).collect();
        let mut environment = scene.environment(deployment, name, mapping.time_out, aborts);
        poll(mapping, &case.reading, &shard.records, Duration::ZERO, &mut environment).await
    });
    join_all(polled).await
}

/// The commits named by the failure destination, as visit and last event. Asserts that records are given up only because of a
/// fault that stays, and each alone where AWS's documents promise it.
fn given_up(case: &Case, visits: &[Visit], shards: &[Shard], polled: &[Polled]) -> BTreeSet<(usize, u64)> {
    let mut named = BTreeSet::new();
    for (shard, polled) in shards.iter().zip(polled) {
        for given_up in &polled.given_up {
            assert_ne!(given_up.why, Why::Age);
            let about: Vec<_> = given_up.records.iter().filter_map(|record| shard.about[*record]).collect();
            let is_alone = given_up.why == Why::Failed || case.reading.halves && !case.reading.counts_on;
            if is_alone {
                assert_eq!(given_up.records.len(), 1, "{given_up:?}");
                assert!(visits[about[0].0].plan.fault.stays(), "{:?}", visits[about[0].0].plan);
            }
            named.extend(about);
        }
    }
    named
}

/// Asserts that no batch was delivered more often than its faults explain.
fn check_bound(mapping: &StreamMapping, case: &Case, visits: &[Visit], shard: &Shard, batch: &Batch) {
    let about = || batch.records.iter().filter_map(|record| shard.about[*record]);
    let staying = about().filter(|(of, _)| visits[*of].plan.fault.stays()).count();
    let of: BTreeSet<usize> = about().map(|(of, _)| of).collect();
    let passing: u32 = of.iter().map(|of| visits[*of].plan.fault.passing()).sum();
    let splits = mapping.batch_size.next_power_of_two().ilog2();
    let each = 2 * splits + mapping.retries_max + 1;
    // A passing fault fails an invocation, which then is repeated or split in two.
    let passing = 2 * (passing + u32::try_from(case.aborts.len()).unwrap());
    let invocations_max = 1 + u32::try_from(staying).unwrap() * each + passing + batch.lost;
    assert!(batch.invocations <= invocations_max, "{batch:?} of {invocations_max}");
    assert!(batch.blocked_max <= mapping.time_out * invocations_max);
}

/// The number of the last event that a visit's row shows.
async fn shown(stage: &Stage, visit: &Visit) -> u64 {
    let get = stage.dynamodb.get_item().table_name(stage.live(WAITEES).await).consistent_read(true);
    let row = get.key("id", AttributeValue::S(visit.stream.id.to_string())).send().await.unwrap().item;
    row.map_or(0, |row| row["seq"].as_n().unwrap().parse().unwrap())
}

/// The bodies of all messages of a queue and its dead-letter queue.
fn bodies(scene: &Scene, queue: &str) -> Vec<Value> {
    let all = scene.sqs.messages(queue).into_iter().chain(scene.sqs.dead(queue));
    all.map(|message| serde_json::from_str(&message.body).unwrap()).collect()
}

fn is_body(message: &Message, body: &Value) -> bool {
    serde_json::from_str::<Value>(&message.body).unwrap() == *body
}

async fn project(deployment: &Deployment, case: &Case) {
    let (mapping, scene, stage) = (StreamMapping::of("Projector"), Scene::default(), &deployment.stage);
    let visits = begin(stage, &scene.troubles, &case.visits).await;
    let shards = shards(case, &visits);
    let polled = deliver(deployment, &scene, "projector", &mapping, case, &PROJECTOR_ABORTS, &shards).await;
    for (shard, polled) in shards.iter().zip(&polled) {
        polled.batches.iter().for_each(|batch| check_bound(&mapping, case, &visits, shard, batch));
    }
    let given_up = given_up(case, &visits, &shards, &polled);
    let parked = bodies(&scene, "retries");
    let is_parked = |visit: &Visit, last: u64| {
        let name = json!(visit.stream);
        parked.iter().any(|parked| parked["stream"] == name && parked["seq"].as_u64().unwrap() >= last)
    };
    for (of, visit) in visits.iter().enumerate() {
        let shown = shown(stage, visit).await;
        for commit in &visit.commits {
            let named = given_up.contains(&(of, commit.last));
            assert!(
                shown >= commit.last || is_parked(visit, commit.last) || named,
                "{visit:?} shows {shown}"
            );
        }
    }

    let mapping = QueueMapping::of("Projector");
    let mut environment = scene.environment(deployment, "projector", mapping.time_out, Vec::new());
    work_off(&mapping, &scene.sqs, &mut environment, &case.order).await;
    let dead = scene.sqs.dead("retries");
    assert!(dead.iter().all(|message| message.receives == mapping.receives_max), "{dead:?}");
    for (of, visit) in visits.iter().enumerate() {
        let shown = shown(stage, visit).await;
        let is_named = |last: u64| given_up.contains(&(of, last));
        let last = visit.commits.iter().map(|commit| commit.last).rfind(|last| !is_named(*last));
        // Calls of a busy machine may time out, and then processes that die take a parked doorbell along.
        let is_dead = dead.iter().any(|message| message.body.contains(&visit.stream.to_string()));
        let is_faulty = visit.plan.fault != Fault::None || is_dead;
        assert!(is_faulty || shown >= last.unwrap_or_default(), "{visit:?} shows {shown}");
        let name = json!(visit.stream);
        for parked in parked.iter().filter(|parked| parked["stream"] == name) {
            let is_dead = dead.iter().any(|message| is_body(message, parked));
            assert!(is_dead || shown >= parked["seq"].as_u64().unwrap(), "{parked} shows {shown}");
        }
    }
}

async fn react(deployment: &Deployment, case: &Case) {
    let (mapping, scene) = (StreamMapping::of("Reactor"), Scene::default());
    let visits = begin(&deployment.stage, &scene.troubles, &case.visits).await;
    let shards = shards(case, &visits);
    let polled = deliver(deployment, &scene, "reactor", &mapping, case, &REACTOR_ABORTS, &shards).await;
    for (shard, polled) in shards.iter().zip(&polled) {
        polled.batches.iter().for_each(|batch| check_bound(&mapping, case, &visits, shard, batch));
        let altered = shard.about.iter().position(Option::is_none);
        let mut delivered = polled.batches.iter().flat_map(|batch| &batch.records);
        assert!(delivered.all(|record| Some(*record) != altered), "the filter lets new commits pass only");
    }
    let given_up = given_up(case, &visits, &shards, &polled);
    let (deliveries, erasures) = (bodies(&scene, "deliveries"), bodies(&scene, "erasures"));
    for (of, visit) in visits.iter().enumerate() {
        let about = |queued: &&Value| queued["stream"] == json!(visit.stream);
        for commit in &visit.commits {
            let Ok(kinds) = commit.types() else {
                let is_this = |queued: &Value| queued["intent"] == "react" && queued["seq"] == commit.seq;
                let is_parked = deliveries.iter().filter(about).any(is_this);
                assert!(is_parked || given_up.contains(&(of, commit.last)), "{visit:?}");
                continue;
            };
            let (queue, intent) = match kinds.first().map(AsRef::as_ref) {
                Some("waitee.called") => (&deliveries, "attend"),
                Some("waitee.erased") => (&erasures, "forget"),
                _ => continue,
            };
            let is_queued = queue.iter().filter(about).any(|queued| queued["intent"] == intent);
            assert!(is_queued || given_up.contains(&(of, commit.last)), "{visit:?}");
        }
    }
}

#[test]
fn each_commit_is_projected_or_parked_or_named_by_the_failure_destination() {
    check(CASES, case(), project);
}

#[test]
fn each_reaction_is_queued_or_its_commit_is_named_by_the_failure_destination() {
    check(CASES, case(), react);
}
