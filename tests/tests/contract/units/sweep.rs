//! The units of a sweep, and of preparing a restored log.

use schema::WaiteeId;
use sweep::{FEED_MAX_MS, Pace, Report, Restore, Sweep, restore};
use uuid::Uuid;
use waitlist_tests::{costs::documented, past, stage::Stage};

const VISITS: usize = 100;
const COMMITS_OF_VISIT: usize = 10;

async fn whole(stage: &Stage) -> Report {
    let mut sweep = Sweep::begin(&stage.backend).await.unwrap();
    sweep.run(&stage.backend, &Pace::new(None, None), |_| ()).await.unwrap();
    assert!(sweep.is_done());
    sweep.report
}

#[tokio::test]
async fn a_sweep_reads_the_log_once_and_each_row_and_first_commit_once() {
    let stage = Stage::new().await;
    let visits: Vec<WaiteeId> = (0..VISITS as u128).map(|n| WaiteeId(Uuid::from_u128(n))).collect();
    for visit in &visits {
        stage.put_past(&past::visit((*visit).into(), COMMITS_OF_VISIT)).await;
        stage.project(*visit).await;
    }
    stage.backend.clock.advance_millis(FEED_MAX_MS + 1_000);
    let _before = stage.meter.take();
    let report = whole(&stage).await;
    let used = stage.meter.take();
    assert_eq!((report.commits, report.streams), ((VISITS * COMMITS_OF_VISIT) as u64, VISITS as u64));
    assert!(report.is_ok() && report.rung == 0, "{report:?}");
    documented(&stage, "a sweep of 1,000 commits in 100 visits, with a row each", &used);
    if stage.is_embedded() {
        // Not told: the queue, and the ends of the projections' streams.
        let read: f64 =
            used.reads.iter().filter(|(table, _)| *table != "queue/visible").map(|(_, read)| read).sum();
        assert!((read - report.read_units).abs() <= 4.0, "{read} read, {} told", report.read_units);
    }
}

#[tokio::test]
async fn preparing_a_restored_log_reads_each_stream_and_writes_its_row_and_the_end_of_its_message() {
    let stage = Stage::new().await;
    for n in 0..VISITS as u128 {
        stage.put_past(&past::visit(WaiteeId(Uuid::from_u128(n)).into(), 2)).await;
    }
    stage.backend.clock.advance_millis(1_000);
    let plan = Restore { until: stage.backend.clock.now(), erased_in: None };
    let _before = stage.meter.take();
    let prepared = restore(&stage.backend, &plan, |_| ()).await.unwrap();
    let used = stage.meter.take();
    assert_eq!((prepared.rows, prepared.settled, prepared.left), (VISITS as u64, VISITS as u64, 0));
    documented(&stage, "preparing a restored log of 100 visits, with a message to end in each", &used);
}
