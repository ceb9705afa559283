//! The estimate of a rebuild, compared with the units that the rebuild then uses.

use std::time::Duration;

use projections::rebuild::{Command, Sampling, quote};
use schema::{
    body::projection::{Quote, RebuildWish},
    projection::{Done, Name, Phase, Promote, Report, Stage},
};
use waitlist_tests::past::{fresh_stream, visit};

use super::world::World;

const STREAMS: usize = 2_000;
/// The largest difference between an estimate and the truth.
const OFF_MAX: f64 = 0.1;

#[tokio::test]
async fn the_estimate_is_within_ten_per_cent_of_the_units_that_a_rebuild_uses() {
    let (world, name) = (World::new(0).await, Name::Waitees);
    let backend = &world.stage.backend;
    let commits: Vec<_> = (0..STREAMS).flat_map(|number| visit(fresh_stream(), 1 + number % 4)).collect();
    world.stage.put_past(&commits).await;
    fill_live(&world, name).await;
    let ask = async |sampling: Sampling| -> Quote {
        let _before = world.stage.meter.take();
        let estimate = quote(backend, name, &RebuildWish::default(), sampling).await.unwrap();
        let used = world.stage.meter.take();
        if world.stage.counts_as_documented() {
            assert_eq!(used.reads["events"], estimate.sample_read_units as f64);
        }
        estimate
    };
    let whole = ask(Sampling::USUAL).await;
    // As for a table that is larger than the sample.
    let part = ask(Sampling { streams_min: 1_000, whole_commits_max: 0, ..Sampling::USUAL }).await;
    assert!(part.sample_read_units < 4_096, "{part:?}");
    let late = Sampling { time_max: Duration::ZERO, ..Sampling::USUAL };
    assert!(quote(backend, name, &RebuildWish::default(), late).await.unwrap_err().is_passing());

    let id = world.request(name, Promote::Manual).await;
    world.run_until(name, Stage::Ready).await;
    let state = world.state(name).await;
    let done = state.rebuild(id).unwrap().done;
    assert_eq!(done.rows, STREAMS as u64);
    assert!(is_near(whole.commits, done.commits), "{whole:?} {done:?}"); // its own events were added
    assert!(is_near(part.commits, done.commits), "{part:?} {done:?}");
    assert!(is_near(whole.write_units, done.write_units), "{whole:?} {done:?}");
    assert!(is_near(part.write_units, done.write_units), "{part:?} {done:?}");
    if world.stage.counts_as_documented() {
        assert!(is_near(whole.read_units, done.read_units), "{whole:?} {done:?}");
        assert!(is_near(part.read_units, done.read_units), "{part:?} {done:?}");
    }
}

fn is_near(estimate: u64, truth: u64) -> bool {
    (estimate as f64 - truth as f64).abs() <= OFF_MAX * truth as f64
}

/// Fills the live generation by a rebuild whose rows are not compared with those before.
async fn fill_live(world: &World, name: Name) {
    let rebuild = world.request(name, Promote::Manual).await;
    world.run_until(name, Stage::Verifying).await;
    let segments = world.state(name).await.rebuild(rebuild).unwrap().verified.of();
    for segment in 0..segments {
        let (phase, done, found) = (Phase::Verify, Done::default(), Report::default());
        world.execute(name, Command::FinishSegment { rebuild, phase, segment, done, found }).await;
    }
    world.execute(name, Command::Promote { rebuild, by: None }).await;
}
