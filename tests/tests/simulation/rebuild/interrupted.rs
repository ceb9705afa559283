//! A process that ends while it queues the segments of a rebuild.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use projections::rebuild::Worker;
use schema::{
    projection::{Name, Phase, Promote, Stage},
    table::QUEUE,
};
use waitlist_tests::stage::Stage as Backstage;

use super::world::World;
use crate::{
    history::some,
    proxy::{Proxy, Treatment, Trouble},
};

/// The segments that are queued before the process ends.
const QUEUED: usize = 9;
/// More attempts than the SDK makes.
const ATTEMPTS: usize = 10;
/// The last seconds of the hand-over, after which scanning may begin.
const HAND_OVER_MS: i64 = 36_000;

/// A worker queues some of a phase's segments and fails. Others are finished before its message comes again.
async fn interrupted(phase: Phase) {
    let name = Name::Waitees;
    let stage = Backstage::new().await.with_set_age(Duration::ZERO);
    let (queue, puts) = (QUEUE.name(&stage.prefix), std::sync::Arc::new(AtomicUsize::new(usize::MAX)));
    let left = puts.clone();
    let proxy = Proxy::with(&stage, move |operation, table| {
        if operation != "PutItem" || table != queue {
            return Treatment::NotSelected;
        }
        match left.fetch_sub(1, Ordering::SeqCst) {
            1..=ATTEMPTS => Treatment::Troubled(Trouble::Broken),
            _ => Treatment::NotSelected,
        }
    });
    let backend = proxy.backend(&stage).await;
    let world = World::over(stage).worked_by(Worker::new(backend, 1));
    for history in some(30) {
        world.append(&history, true).await;
    }
    let id = world.request(name, Promote::Auto).await;
    world.run_until(name, if phase == Phase::Scan { Stage::Prepared } else { Stage::Verifying }).await;
    world.stage.backend.clock.advance_millis(HAND_OVER_MS);
    puts.store(QUEUED + ATTEMPTS, Ordering::SeqCst);
    world.fail_next().await;
    puts.store(usize::MAX, Ordering::SeqCst);
    let mut finished = 0;
    for _ in 0..2 * QUEUED {
        world.step(1).await; // the next one of any segment, which takes two to be verified
        finished = world.state(name).await.rebuild(id).unwrap().segments(phase).finished();
        if finished > 0 {
            break;
        }
    }
    assert!(finished > 0, "no segment is finished");
    world.run_until(name, Stage::Promoted).await;
    for generation in world.state(name).await.roles().all() {
        world.equals_the_log(name, generation).await;
    }
}

#[tokio::test]
async fn a_rebuild_goes_on_whose_worker_failed_while_it_queued_segments_of_the_log() {
    interrupted(Phase::Scan).await;
}

#[tokio::test]
async fn a_rebuild_goes_on_whose_worker_failed_while_it_queued_segments_of_the_rows() {
    interrupted(Phase::Verify).await;
}
