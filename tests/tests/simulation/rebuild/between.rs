//! A verification that reads rows while the feed is between the live generation and the candidate.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use infra::rows::{Patience, Target};
use projections::{
    feed::{Doorbell, apply_in},
    rebuild::Worker,
};
use schema::projection::{Name, Promote, Stage};
use waitlist_tests::stage::Stage as Backstage;

use super::world::World;
use crate::proxy::{Proxy, Treatment, Trouble};

/// The reading of the candidate's row that is held up: the verification has found it missing, and has read the live row again.
const HELD: usize = 3;

#[tokio::test]
async fn a_row_that_the_feed_writes_to_the_candidate_late_is_not_missing() {
    let name = Name::Waitees;
    let stage = Backstage::new().await.with_set_age(Duration::ZERO);
    let readings = AtomicUsize::new(0);
    let proxy = Proxy::with(&stage, move |operation, _| {
        let is_held = operation == "BatchGetItem" && readings.fetch_add(1, Ordering::SeqCst) + 1 == HELD;
        if is_held { Treatment::Troubled(Trouble::Held) } else { Treatment::NotSelected }
    });
    let backend = proxy.backend(&stage).await;
    let world = World::over(stage).worked_by(Worker::new(backend, 1));
    let id = world.request(name, Promote::Auto).await;
    world.run_until(name, Stage::Verifying).await;
    let candidate = world.state(name).await.building().unwrap().generation;
    // The commit is older than a feed with an old set could be, and no doorbell is parked.
    let stream = world.append_visit_unseen().await;
    world.pass_minutes(2);
    let last = world.stage.backend.log.latest(stream).await.unwrap().unwrap().last;
    let write = async |generation| {
        let doorbell = Doorbell { stream, last, commits: Vec::new() };
        let target = Target { generation, patience: Patience::Usual };
        apply_in(&world.stage.backend, &doorbell, target).await.unwrap();
    };
    write(0).await;
    let feed = async {
        proxy.until_called().await;
        assert_eq!(world.table(name, candidate).row(stream).await, None);
        write(candidate).await;
        proxy.release();
    };
    tokio::join!(world.run_until(name, Stage::Promoted), feed);
    let state = world.state(name).await;
    let report = &state.rebuild(id).unwrap().report;
    assert_eq!((report.streams, report.missing, report.extra, report.lagging), (1, 0, 0, 0), "{report:?}");
    world.equals_the_log(name, candidate).await;
}
