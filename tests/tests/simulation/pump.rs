//! The real pump, from the engine's stream to rows.

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

/// Small batches, so that there are many, and short pauses.
const MAPPING: Mapping =
    Mapping { batch_size: 7, poll_ms: 5, retry_base_ms: 5, retry_max_ms: 20, ..Mapping::of(CONSUMER) };

const HISTORIES: usize = 24;

/// The number of records and of attempts of each failure that reached the failure destination.
type GivenUp = Arc<Mutex<Vec<(usize, u32)>>>;

struct Scene {
    stage: Stage,
    tables: Tables,
    given_up: GivenUp,
}

struct Running {
    stop: watch::Sender<bool>,
    pump: JoinHandle<()>,
}

impl Scene {
    async fn new() -> Self {
        let stage = Stage::new().await;
        Self { tables: Tables::of(&stage), stage, given_up: GivenUp::default() }
    }

    /// Appends some histories. Returns their streams.
    async fn append_histories(&self) -> Vec<StreamId> {
        let commits: Vec<Vec<Commit>> =
            some(HISTORIES).iter().map(|history| history.commits(&self.stage.backend)).collect();
        for commit in commits.iter().flatten() {
            append(&self.stage.backend, commit).await;
        }
        commits.iter().map(|commits| commits[0].stream).collect()
    }

    /// Starts a pump with a feed of which the first `failures` calls fail.
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
                if fails { Err("simulated failure") } else { Ok(feed.records(event).await) }
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
async fn commits_made_before_and_during_the_run_of_the_pump_appear_in_rows() {
    let scene = Scene::new().await;
    let mut streams = scene.append_histories().await;
    let running = scene.start(MAPPING, 0);
    streams.extend(scene.append_histories().await);
    scene.tables.settle(&streams).await;
    running.stop().await;
    assert_eq!(parked(&scene.stage.backend).await, []);
}

#[tokio::test]
async fn a_restarted_pump_continues_at_its_checkpoint() {
    let scene = Scene::new().await;
    let first = scene.append_histories().await;
    let running = scene.start(MAPPING, 0);
    scene.tables.settle(&first).await;
    running.stop().await;

    let second = scene.append_histories().await;
    for stream in &second {
        assert_eq!(scene.tables.row(*stream).await, None, "no pump is running");
    }
    // A deleted row is not restored, because records before the checkpoint are not delivered again.
    let deleted = first[0];
    scene.tables.remove_row(deleted).await;
    let running = scene.start(MAPPING, 0);
    scene.tables.settle(&second).await;
    running.stop().await;
    assert_eq!(scene.tables.row(deleted).await, None);
}

#[tokio::test]
async fn two_pumps_write_the_same_rows_and_have_checkpoints_of_their_own() {
    let scene = Scene::new().await;
    let mut streams = scene.append_histories().await;
    let (one, other) =
        (scene.start(MAPPING, 0), scene.start(Mapping { consumer: "another", batch_size: 3, ..MAPPING }, 0));
    streams.extend(scene.append_histories().await);
    scene.tables.settle(&streams).await;
    one.stop().await;
    other.stop().await;
    assert_eq!(parked(&scene.stage.backend).await, []);
}

#[tokio::test]
async fn records_are_delivered_again_until_a_failing_feed_recovers() {
    let scene = Scene::new().await;
    let streams = scene.append_histories().await;
    // Two splits of the first batch of seven, and all attempts but the last of its first record.
    let running = scene.start(MAPPING, 2 + MAPPING.attempts_max as usize - 1);
    scene.tables.settle(&streams).await;
    running.stop().await;
    assert_eq!(*scene.given_up.lock().unwrap(), []);
}

#[tokio::test]
async fn records_given_up_reach_the_failure_destination_and_the_next_doorbell_catches_up() {
    let scene = Scene::new().await;
    // The feed fails for the first commit of each stream and works for the second.
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
        tokio::time::timeout(crate::oracle::PATIENCE, given_up)
            .await
            .expect("the pump should have given up by now");
    }
}
