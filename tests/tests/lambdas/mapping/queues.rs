//! Deliver and eraser behind their queue mappings.

use std::time::Duration;

use proptest::{collection::vec, prelude::*};
use serde_json::json;
use waitlist_tests::{
    mapping::{ALWAYS, Message, work_off},
    template::QueueMapping,
};

use super::{
    Scene, check,
    visits::{Fault, Plan, Visit, begin, plan, with_one_fatal},
};
use crate::deployment::Deployment;

const CASES: u32 = 2;
const VISITS_MAX: usize = 24;

/// A body that no consumer can read.
const NONSENSE: &str = r#"{"intent":"greet"}"#;

#[derive(Clone, Debug)]
struct Case {
    visits: Vec<Plan>,
    nonsense: usize,
    choices: Vec<usize>,
}

fn case() -> impl Strategy<Value = Case> {
    let visits = vec(plan(), 1..VISITS_MAX).prop_map(with_one_fatal);
    (visits, 0..2_usize, vec(any::<usize>(), 16)).prop_map(|(visits, nonsense, choices)| Case {
        visits,
        nonsense,
        choices,
    })
}

/// Queues an intent about each visit and delivers the messages until none is left. Returns the visits and the dead letters.
async fn deliver(
    deployment: &Deployment,
    case: &Case,
    function: (&str, &'static str),
    intent: &str,
) -> (Vec<Visit>, Vec<Message>) {
    let (mapping, scene) = (QueueMapping::of(function.0), Scene::default());
    let visits = begin(&deployment.stage, &scene.troubles, &case.visits).await;
    for visit in &visits {
        let body = json!({ "intent": intent, "stream": visit.stream }).to_string();
        for _ in 0..1 + usize::from(visit.plan.doubled) {
            scene.sqs.send(&mapping.queue, &body, Duration::ZERO);
        }
    }
    for _ in 0..case.nonsense {
        scene.sqs.send(&mapping.queue, NONSENSE, Duration::ZERO);
    }
    let mut environment = scene.environment(deployment, function.1, mapping.time_out, Vec::new());
    work_off(&mapping, &scene.sqs, &mut environment, &case.choices).await;
    let dead = scene.sqs.dead(&mapping.queue);
    assert!(dead.iter().all(|message| message.receives == mapping.receives_max), "{dead:?}");
    assert_eq!(dead.iter().filter(|message| message.body == NONSENSE).count(), case.nonsense);
    (visits, dead)
}

/// Whether messages may end the process so often that others of their batches become dead letters too.
fn take_others_along(function: &str, visits: &[Visit]) -> bool {
    let ends = |visit: &Visit| match visit.plan.fault {
        Fault::Dies(_) | Fault::Hangs(_) if visit.plan.fault.stays() => ALWAYS,
        Fault::Dies(_) | Fault::Hangs(_) => visit.plan.fault.passing(),
        _ => 0,
    };
    visits.iter().map(ends).fold(0, u32::saturating_add) >= QueueMapping::of(function).receives_max
}

fn is_dead(visit: &Visit, dead: &[Message]) -> bool {
    dead.iter().any(|message| message.body.contains(&visit.stream.to_string()))
}

async fn erase(deployment: &Deployment, case: &Case) {
    let erased = |plan: &Plan| Plan { erased: true, ..plan.clone() };
    let case = Case { visits: case.visits.iter().map(erased).collect(), ..case.clone() };
    let (visits, dead) = deliver(deployment, &case, ("Eraser", "eraser"), "forget").await;
    for visit in &visits {
        let commits = deployment.stage.commits(visit.stream).await;
        let is_forgotten = commits.last().unwrap().events.contains("waitee.forgotten");
        assert!(is_forgotten || is_dead(visit, &dead), "{visit:?}");
        if !take_others_along("Eraser", &visits) && visit.plan.fault == Fault::None {
            assert!(is_forgotten, "{visit:?}");
        }
    }
}

async fn attend(deployment: &Deployment, case: &Case) {
    let (visits, dead) = deliver(deployment, case, ("Deliver", "deliver"), "attend").await;
    for visit in &visits {
        match visit.plan.fault {
            Fault::None => {
                assert!(
                    take_others_along("Deliver", &visits) || !is_dead(visit, &dead),
                    "{visit:?}: {dead:?}"
                );
            }
            // Its stream cannot be read.
            Fault::Unreadable | Fault::UnreadableAndRefused => assert!(is_dead(visit, &dead), "{visit:?}"),
            Fault::Dies(ALWAYS) | Fault::Hangs(ALWAYS) | Fault::TablesRefuse(ALWAYS) => {
                assert!(is_dead(visit, &dead), "{visit:?}");
            }
            Fault::Dies(_) | Fault::Hangs(_) | Fault::TablesRefuse(_) | Fault::QueuesRefuse(_) => {}
        }
    }
}

#[test]
fn each_erasure_is_done_or_a_dead_letter_after_as_many_receives_as_the_queue_allows() {
    check(CASES, case(), erase);
}

#[test]
fn each_delivery_is_done_or_a_dead_letter_after_as_many_receives_as_the_queue_allows() {
    check(CASES, case(), attend);
}
