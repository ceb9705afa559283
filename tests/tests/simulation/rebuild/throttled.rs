//! A candidate that is throttled while it is built.

use std::{collections::BTreeSet, time::Duration};

use projections::feed::Feed;
use schema::{
    Commit,
    id::Category,
    projection::{Name, Promote, Stage},
};
use waitlist_tests::stage::Stage as Backstage;

use super::world::World;
use crate::{
    generations::side::Side,
    history::{append, some, visit},
    poison::{parked, retry_failures, ring},
};

const VISITS: usize = 8;

/// Appends visits, and lets the feed see them. Returns them.
async fn visits(world: &World, feed: &Feed) -> Vec<Commit> {
    let visits: Vec<Commit> = (0..VISITS).flat_map(|_| visit(2).commits(&world.stage.backend)).collect();
    for commit in &visits {
        append(&world.stage.backend, commit).await;
        world.knows(commit.stream);
    }
    ring(feed, &visits.iter().collect::<Vec<_>>()).await;
    visits
}

#[tokio::test]
async fn a_candidate_throttled_during_its_rebuild_never_delays_live_rows_and_catches_up() {
    let name = Name::Waitees;
    let stage = Backstage::new().await.with_set_age(Duration::ZERO);
    let side = Side::start(&stage, Duration::ZERO).await;
    let world = World::over(stage).fed_by(side.feed.clone());
    for history in some(24) {
        world.append(&history, true).await;
    }
    let id = world.request(name, Promote::Auto).await;
    world.run_until(name, Stage::Prepared).await;
    let candidate = world.state(name).await.building().unwrap().generation;
    side.throttle(BTreeSet::from([candidate]), 1);
    for stage in [Stage::Prepared, Stage::Scanning, Stage::Verifying, Stage::Ready] {
        world.run_until(name, stage).await;
        side.take_calls();
        let visits = visits(&world, &side.feed).await;
        let calls: Vec<u64> = side.take_calls().into_iter().map(|(_, generation)| generation).collect();
        assert_eq!(calls[..2 * VISITS], vec![0; 2 * VISITS], "live rows are read and written first");
        assert_eq!(calls[2 * VISITS..], vec![candidate; VISITS], "then each candidate's row is tried once");
        for commit in visits {
            world.row_equals_the_log(commit.stream, 0).await;
        }
    }
    world.step(50).await;
    let state = world.state(name).await;
    assert_eq!(
        state.rebuild(id).unwrap().stage,
        Stage::Ready,
        "it is not promoted while doorbells are parked"
    );

    side.throttle(BTreeSet::new(), 1);
    let waiting = parked(&world.stage.backend).await;
    assert!(waiting.iter().all(|parked| parked.generation == Some(candidate)), "{waiting:?}");
    assert_eq!(retry_failures(&side.feed, &waiting).await, 0);
    assert_eq!(parked(&world.stage.backend).await, []);
    world.run_until(name, Stage::Promoted).await;
    for generation in world.state(name).await.roles().all() {
        world.equals_the_log(name, generation).await;
    }
    assert!(world.streams_of(Category::Waitee).len() >= 4 * VISITS);
}
