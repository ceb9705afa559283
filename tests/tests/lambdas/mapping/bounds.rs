//! How long one record can hold up a shard.

use std::{fs, time::Duration};

use schema::table::EVENTS;
use serde_json::Value;
use waitlist_tests::{
    events::{Change, image, stream_event_of},
    mapping::{ALWAYS, Polled, Reading, Why, poll},
    template::{StreamMapping, infra},
};

use super::{
    Scene,
    visits::{Fault, Plan, Visit, begin},
};
use crate::deployment::Deployment;

/// A stream keeps its records for a day.
const RETENTION: Duration = Duration::from_secs(24 * 60 * 60);

const READING: Reading = Reading { halves: false, counts_on: true, loses_answers: 0 };

/// Delivers one batch of visits of one commit each, of which the one at `bad` has a fault.
async fn poll_one_batch(mapping: &StreamMapping, bad: usize, fault: Fault, age: Duration) -> Polled {
    let (deployment, scene) = (Deployment::new().await, Scene::default());
    let plan = |fault| Plan { calls: 0, erased: false, doubled: false, fault };
    let plans: Vec<Plan> =
        (0..mapping.batch_size).map(|at| plan(if at == bad { fault } else { Fault::None })).collect();
    let visits: Vec<Visit> = begin(&deployment.stage, &scene.troubles, &plans).await;
    let changes: Vec<_> = visits.iter().map(|visit| (Change::Insert, image(&visit.commits[0]))).collect();
    let mut event = stream_event_of(&EVENTS, &changes);
    let Value::Array(records) = event["Records"].take() else { unreachable!("an event has records") };
    let mut environment = scene.environment(&deployment, "projector", mapping.time_out, Vec::new());
    poll(mapping, &READING, &records, age, &mut environment).await
}

/// The most attempts of one bad record of a batch, and with it: splits down to it, the first attempt, and its retries.
fn failures_max(mapping: &StreamMapping) -> u32 {
    mapping.batch_size.next_power_of_two().ilog2() + 1 + mapping.retries_max
}

#[tokio::test]
async fn a_record_that_always_ends_the_process_is_given_up_alone_within_the_documented_time() {
    let mapping = StreamMapping::of("Projector");
    let blocked_max = mapping.time_out * failures_max(&mapping);
    let polled = poll_one_batch(&mapping, mapping.batch_size / 3, Fault::Hangs(ALWAYS), Duration::ZERO).await;
    let [given_up] = polled.given_up.as_slice() else { panic!("{polled:?}") };
    assert_eq!(
        (given_up.records.as_slice(), given_up.why),
        ([mapping.batch_size / 3].as_slice(), Why::Failed)
    );
    assert!(polled.hung <= blocked_max, "{polled:?}");

    let minutes = blocked_max.as_secs().div_ceil(60);
    let documented = format!("holds up its shard for at most {minutes} minutes");
    let operations = fs::read_to_string(infra("docs/operations.md")).unwrap();
    assert!(operations.contains(&documented), "operations.md does not say that such a record {documented}");
}

#[tokio::test]
async fn a_record_that_gets_too_old_meanwhile_is_named_by_the_failure_destination() {
    let mapping = StreamMapping::of("Projector");
    let age = mapping.record_age_max - mapping.time_out;
    let polled = poll_one_batch(&mapping, 0, Fault::Hangs(ALWAYS), age).await;
    let too_old = polled.given_up.iter().filter(|given_up| given_up.why == Why::Age);
    let too_old: usize = too_old.map(|given_up| given_up.records.len()).sum();
    assert_eq!(too_old, mapping.batch_size, "{polled:?}");
}

#[test]
fn a_batch_of_nothing_but_bad_records_ends_before_the_stream_forgets_the_next_one() {
    for function in ["Projector", "Reactor"] {
        let mapping = StreamMapping::of(function);
        let records = u32::try_from(mapping.batch_size).unwrap();
        let attempts_max = (records - 1) + records * (1 + mapping.retries_max);
        assert!(mapping.time_out * attempts_max < mapping.record_age_max, "{function}");
        assert!(mapping.record_age_max < RETENTION, "{function}");
    }
}
