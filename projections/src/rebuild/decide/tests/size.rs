//! The size of a projection's state, which every event holds.

use infra::log::ITEM_BYTES_MAX;
use schema::{
    id::Category,
    projection::{Example, Finding, REBUILDS_MAX, WITH_EXAMPLES_MAX},
};

use super::*;
use crate::rebuild::step::segments;

#[test]
fn the_state_stays_small_because_older_rebuilds_keep_their_counts_alone() {
    // The end of a verification is one commit of three events.
    const STATE_BYTES_MAX: usize = ITEM_BYTES_MAX / 3 - 1_024;
    let text = "x".repeat(256);
    let mut world = World::after([]);
    for number in 1..=u128::try_from(REBUILDS_MAX).unwrap() + 5 {
        let Command::Request(asked) = request(number) else { unreachable!() };
        world.run(&Command::Request(Request { reason: Some("x".repeat(200)), ..asked })).unwrap();
        let (scans, verifications) = segments(u64::MAX);
        world.run(&Command::Prepare { rebuild: id(number), scans, verifications }).unwrap();
        let mut found = Report::default();
        for seq in 0..30 {
            let stream = StreamId { category: Category::Waitee, id: id(number) };
            let (live, candidate) = (text.clone().into(), text.clone().into());
            found.find(Example {
                finding: Finding::Drift,
                stream,
                seq,
                field: Some("notifications".to_owned()),
                live,
                candidate,
            });
        }
        world.run(&finish(number, Phase::Scan, 0, found)).unwrap();
        world.run(&cancel(number)).unwrap();
    }
    let rebuilds = &world.projection.state.rebuilds;
    let with_examples: Vec<bool> =
        rebuilds.iter().rev().map(|rebuild| !rebuild.report.examples.is_empty()).collect();
    assert_eq!(with_examples, (0..REBUILDS_MAX).map(|age| age < WITH_EXAMPLES_MAX).collect::<Vec<_>>());
    assert!(rebuilds.iter().all(|rebuild| rebuild.report.drift == 30));
    let bytes = serde_json::to_string(&world.projection.state).unwrap().len();
    assert!(bytes < STATE_BYTES_MAX, "{bytes} bytes");
}
