//! From the engine's stream to rows, through the real pump.

use std::{
    convert::Infallible,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use local::pump::{Mapping, Progress, Pump, Source};
use projections::feed::{CONSUMER, Feed};
use schema::{
    Commit, StreamId,
    table::{CHECKPOINTS, EVENTS},
};
use tokio::{sync::watch, task::JoinHandle};
use waitlist_tests::stage::Stage;

use crate::{
    history::{append, some},
    oracle::Tables,
    poison::parked,
};

/// Small batches, so that there are many of them, and short pauses.
const MAPPING: Mapping =
    Mapping { batch_size: 7, poll_ms: 5, retry_base_ms: 5, retry_max_ms: 20, ..Mapping::of(CONSUMER) };

const HISTORIES: usize = 24;

/// What the failure destination was given: how many records, after how many attempts.
type GivenUp = Arc<Mutex<Vec<(usize, u32)>>>;

struct Scene {
    stage: Stage,
    tables: Tables,
    given_up: GivenUp,
}

/// A pump that runs.
struct Running {
    stop: watch::Sender<bool>,
    pump: JoinHandle<()>,
}

impl Scene {
    async fn new() -> Self {
        let stage = Stage::new().await;
        Self { tables: Tables::of(&stage), stage, given_up: GivenUp::default() }
    }

    /// Appends some histories, one after the other; their streams.
    async fn happen(&self) -> Vec<StreamId> {
        let commits: Vec<Vec<Commit>> =
            some(HISTORIES).iter().map(|history| history.commits(&self.stage.backend)).collect();
        for commit in commits.iter().flatten() {
            append(&self.stage.backend, commit).await;
        }
        commits.iter().map(|commits| commits[0].stream).collect()
    }

    /// Starts a pump into a feed, whose first calls fail.
    fn start(&self, mapping: Mapping, failures: usize) -> Running {
        let source = Source {
            dynamodb: self.stage.dynamodb.clone(),
            streams: aws_sdk_dynamodbstreams::Client::new(&self.stage.sdk),
            table: EVENTS.name(&self.stage.prefix),
            checkpoints: CHECKPOINTS.name(&self.stage.prefix),
        };
        let (feed, left, given_up) =
            (Feed::new(self.stage.another()), Arc::new(AtomicUsize::new(failures)), self.given_up.clone());
        let handler = move |event| {
            let (feed, left) = (feed.clone(), left.clone());
            async move {
                let fails =
                    left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok();
                if fails { Err("arranged by a test") } else { Ok(feed.records(event).await) }
            }
        };
        let on_failure = move |failure: local::pump::Failure| {
            given_up.lock().unwrap().push((failure.records, failure.attempts));
            async { Ok::<_, Infallible>(()) }
        };
        let pump = Pump::new(source, mapping, Progress::of(&[mapping.consumer]), handler, on_failure);
        let (stop, stopping) = watch::channel(false);
        Running { stop, pump: tokio::spawn(pump.run(stopping)) }
    }
}

impl Running {
    async fn stop(self) {
        self.stop.send_replace(true);
        self.pump.await.unwrap();
    }
}

#[tokio::test]
async fn what_is_committed_before_or_while_the_pump_runs_comes_into_the_rows() {
    let scene = Scene::new().await;
    let mut streams = scene.happen().await;
    let running = scene.start(MAPPING, 0);
    streams.extend(scene.happen().await);
    scene.tables.settle(&streams).await;
    running.stop().await;
    assert_eq!(parked(&scene.stage.backend).await, []);
}

#[tokio::test]
async fn a_pump_that_was_stopped_goes_on_where_it_was() {
    let scene = Scene::new().await;
    let first = scene.happen().await;
    let running = scene.start(MAPPING, 0);
    scene.tables.settle(&first).await;
    running.stop().await;

    let second = scene.happen().await;
    for stream in &second {
        assert_eq!(scene.tables.row(*stream).await, None, "nobody is there to write it");
    }
    // Rows that are taken away stay away: what is behind the checkpoint is not delivered again.
    let gone = first[0];
    scene.tables.remove_row(gone).await;
    let running = scene.start(MAPPING, 0);
    scene.tables.settle(&second).await;
    running.stop().await;
    assert_eq!(scene.tables.row(gone).await, None);
}

#[tokio::test]
async fn two_pumps_write_the_same_rows_and_each_keeps_its_own_place() {
    let scene = Scene::new().await;
    let mut streams = scene.happen().await;
    let (one, other) =
        (scene.start(MAPPING, 0), scene.start(Mapping { consumer: "another", batch_size: 3, ..MAPPING }, 0));
    streams.extend(scene.happen().await);
    scene.tables.settle(&streams).await;
    one.stop().await;
    other.stop().await;
    assert_eq!(parked(&scene.stage.backend).await, []);
}

#[tokio::test]
async fn while_the_feed_fails_nothing_is_lost() {
    let scene = Scene::new().await;
    let streams = scene.happen().await;
    // Two splits of the first batch of seven, and all but the last of its first record's attempts.
    let running = scene.start(MAPPING, 2 + MAPPING.attempts_max as usize - 1);
    scene.tables.settle(&streams).await;
    running.stop().await;
    assert_eq!(*scene.given_up.lock().unwrap(), []);
}

#[tokio::test]
async fn what_the_feed_would_not_take_is_named_to_the_failure_destination_and_caught_up_by_the_next_doorbell()
{
    let scene = Scene::new().await;
    // Two commits of every stream; the feed is down for the first and back for the second.
    let commits: Vec<Vec<Commit>> =
        (0..5).map(|_| crate::history::visit(2).commits(&scene.stage.backend)).collect();
    for commits in &commits {
        append(&scene.stage.backend, &commits[0]).await;
    }
    let running = scene.start(Mapping { bisect: false, attempts_max: 2, ..MAPPING }, 2);
    scene.wait_for_given_up(5).await;
    for commits in &commits {
        append(&scene.stage.backend, &commits[1]).await;
    }
    let streams: Vec<StreamId> = commits.iter().map(|commits| commits[0].stream).collect();
    scene.tables.settle(&streams).await;
    running.stop().await;
    assert_eq!(*scene.given_up.lock().unwrap(), [(5, 2)]);
}

impl Scene {
    async fn wait_for_given_up(&self, records: usize) {
        let given_up = async {
            while self.given_up.lock().unwrap().iter().map(|(records, _)| records).sum::<usize>() < records {
                tokio::time::sleep(crate::oracle::POLL).await;
            }
        };
        tokio::time::timeout(crate::oracle::PATIENCE, given_up).await.expect("the pump gives up in time");
    }
}
