//! Measures a rebuild of the visits against its bare parts: scanning the log, putting the rows, and folding.
//!
//! `WAITLIST_COMMITS=20000 cargo bench --profile dev --bench rebuild` (20,000 commits by default). The engine runs in this
//! process, so the processor time contains it; on a busy machine only that can be compared.

use std::{env, path::Path, process::ExitCode, time::Duration, time::Instant};

use aws_sdk_dynamodb::{Client, types::AttributeValue};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use infra::{Backend, Clock, Config, tables};
use local::{
    engine::Engine,
    workers::{Consumer, receive_once},
};
use projections::{
    feed::retry,
    projection::{Projection, fold},
    rebuild::{Sampling, WORKERS_MAX, Worker, operate, quote},
    waitees::Waitees,
};
use schema::{
    Commit,
    body::projection::RebuildWish,
    id::Category,
    projection::{Done, Name, Promote, Stage},
    table::{DECLARED, EVENTS, LOCAL, Table, WAITEES},
};
use serde_json::json;
use waitlist_tests::{
    cpu::cpu_seconds,
    generations::{change, request},
    process::run_within,
};

const COMMITS: u64 = 20_000;
const PREFIX: &str = "waitlist";
const SEED_MAX: Duration = Duration::from_secs(3_600);
/// As a rebuild of a log of this size has.
const SEGMENTS: u32 = 64;
const ITEMS_A_PAGE: i32 = 1_000;
const CALLS_AT_ONCE: usize = 8;
/// A generation that no rebuild makes.
const BARE: u64 = 1_000_000;
/// The most of the bare parts that the scan of a rebuild may take, and the folds of a second on one core.
const RATIO_GOAL: f64 = 1.2;
const FOLDS_GOAL: f64 = 100_000.0;

/// Wall-clock and processor time.
#[derive(Clone, Copy, Default)]
struct Took {
    wall: f64,
    cpu: f64,
}

fn main() -> ExitCode {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    runtime.block_on(measure());
    ExitCode::SUCCESS
}

async fn measure() {
    let commits = env::var("WAITLIST_COMMITS").map_or(COMMITS, |commits| commits.parse().expect("a number"));
    let directory = tempfile::tempdir().expect("a directory");
    let seed = ["seed", "--commits", &commits.to_string()];
    let seeded = run_within(SEED_MAX, directory.path(), &seed, &[("WAITLIST_PREFIX", PREFIX)]).await;
    assert_eq!(seeded.code, Some(0), "{seeded:?}");
    let (_engine, backend, dynamodb) = open(directory.path()).await;

    let (items, scan) = timed(scanned(&dynamodb)).await;
    println!("a bare scan: {}", scan.told(items as f64, "commits"));
    let (streams, read) = timed(streams(&backend)).await;
    println!("the scan with decoding: {}", read.told(items as f64, "commits"));
    let (rows, folding) = timed(async { folded(&streams) }).await;
    let folds: usize = streams.iter().map(Vec::len).sum();
    println!("folding only: {}", folding.told(folds as f64, "commits"));
    let (count, puts) = timed(put(&dynamodb, rows)).await;
    println!("bare puts of the rows: {}", puts.told(count as f64, "rows"));
    drop(streams);
    let wish = RebuildWish::default();
    let quote = quote(&backend, Name::Waitees, &wish, Sampling::USUAL).await.expect("a quote");
    let ([preparing, scanning, verifying], done) = rebuilt(&backend).await;
    println!("a rebuild, preparing: {}", preparing.told(items as f64, "commits"));
    println!("a rebuild, scanning: {}", scanning.told(items as f64, "commits"));
    println!("a rebuild, verifying: {}", verifying.told(count as f64, "rows"));
    let bare = Took { wall: scan.wall + puts.wall, cpu: scan.cpu + puts.cpu };
    let whole = Took {
        wall: preparing.wall + scanning.wall + verifying.wall,
        cpu: preparing.cpu + scanning.cpu + verifying.cpu,
    };
    for (part, took) in [("scanning", scanning), ("the whole rebuild", whole)] {
        let (wall, cpu) = (took.wall / bare.wall, took.cpu / bare.cpu);
        println!(
            "{part}: {wall:.2} times scan and puts, {cpu:.2} times by processor time (goal {RATIO_GOAL})"
        );
    }
    let compared = |quoted: u64, used: u64| {
        let off = 100.0 * (quoted as f64 / used as f64 - 1.0);
        format!("{quoted} quoted, {used} used ({off:+.1} %)")
    };
    println!("read units: {}", compared(quote.read_units, done.read_units));
    println!("write units: {}", compared(quote.write_units, done.write_units));
    println!("the quote itself: {} read units", quote.sample_read_units);
    println!(
        "{:.0} folds a second of one core (goal {FOLDS_GOAL:.0}, in release)",
        folds as f64 / folding.cpu.max(0.01)
    );
}

async fn open(directory: &Path) -> (Engine, Backend, Client) {
    let tables: Vec<Table> = DECLARED.iter().chain(LOCAL).cloned().collect();
    let engine =
        Engine::start_when_free(directory, &tables, PREFIX, Duration::from_secs(5)).await.expect("an engine");
    let sdk = engine.sdk().await;
    let dynamodb = Client::new(&sdk);
    let config = Config::local(PREFIX, "", directory.join("keys"));
    let backend = Backend::new(&sdk, dynamodb.clone(), &config, Clock::system()).expect("a backend");
    (engine, backend, dynamodb)
}

async fn scanned(dynamodb: &Client) -> usize {
    let segment = |segment: u32| async move {
        let scan = dynamodb.scan().table_name(EVENTS.name(PREFIX)).consistent_read(true).limit(ITEMS_A_PAGE);
        let pages = scan.segment(segment as i32).total_segments(SEGMENTS as i32).into_paginator().send();
        pages
            .try_collect()
            .await
            .map(|pages: Vec<_>| pages.iter().map(|page| page.items().len()).sum::<usize>())
    };
    let counts: Vec<usize> = stream::iter((0..SEGMENTS).map(segment))
        .buffer_unordered(CALLS_AT_ONCE)
        .try_collect()
        .await
        .expect("a scan");
    counts.iter().sum()
}

/// The commits of all visits, by stream.
async fn streams(backend: &Backend) -> Vec<Vec<Commit>> {
    let segment = |segment: u32| async move {
        let (mut streams, mut start) = (Vec::<Vec<Commit>>::new(), None);
        loop {
            let page = backend.log.segment_page(Category::Waitee, (segment, SEGMENTS), start.as_ref()).await;
            let page = page.expect("a page");
            for commit in page.items.into_iter().filter_map(|item| item.of?.commit) {
                match streams.last_mut() {
                    Some(stream) if stream[0].stream == commit.stream => stream.push(commit),
                    _ => streams.push(vec![commit]),
                }
            }
            start = page.next;
            if start.is_none() {
                return streams;
            }
        }
    };
    stream::iter((0..SEGMENTS).map(segment)).buffer_unordered(CALLS_AT_ONCE).concat().await
}

fn folded(streams: &[Vec<Commit>]) -> Vec<<Waitees as Projection>::Row> {
    streams.iter().filter_map(|commits| fold::<Waitees>(None, commits).expect("events")).collect()
}

async fn put(dynamodb: &Client, rows: Vec<<Waitees as Projection>::Row>) -> usize {
    let table = WAITEES.generation(BARE);
    tables::create(dynamodb, PREFIX, std::slice::from_ref(&table)).await.expect("a table");
    let (name, count) = (&table.name(PREFIX), rows.len());
    let put = |row| async move {
        let item: std::collections::HashMap<String, AttributeValue> =
            serde_dynamo::to_item(row).expect("an item");
        dynamodb.put_item().table_name(name).set_item(Some(item)).send().await.map(drop)
    };
    stream::iter(rows.into_iter().map(put))
        .buffer_unordered(16)
        .try_collect::<Vec<()>>()
        .await
        .expect("puts");
    count
}

/// Rebuilds the visits as the local server does, without the wait for the hand-over. Returns the times of preparing,
/// scanning and verifying, and the units used.
async fn rebuilt(backend: &Backend) -> ([Took; 3], Done) {
    let (name, stream) = (Name::Waitees, Name::Waitees.stream());
    let id = backend.clock.id(backend.clock.now());
    change(backend, name, &request(id, Promote::Auto)).await;
    let worker = Consumer::Rebuild(Worker::new(backend.clone(), WORKERS_MAX));
    let (mut told, mut times) = (0, [Took::default(); 3]);
    loop {
        let projection = operate::read(backend, name).await.expect("a state");
        if projection.seq > told {
            // As the feed does for the record of the event.
            told = projection.seq;
            let doorbell = json!({ "consumer": "projector", "stream": stream, "seq": told, "cause": "" });
            retry(backend, &doorbell.to_string()).await.expect("steps");
        }
        let rebuild = projection.state.rebuild(id).expect("the rebuild");
        let phase = match rebuild.stage {
            Stage::Requested => 0,
            Stage::Prepared | Stage::Scanning => 1,
            Stage::Verifying | Stage::Ready => 2,
            Stage::Promoted => return (times, rebuild.done),
            stage => panic!("{stage:?}"),
        };
        let begun = Begun::now();
        if receive_once(&backend.rebuilds, &worker).await == 0 {
            backend.clock.advance_millis(1_000); // waits for the hand-over
            continue;
        }
        let took = begun.took();
        times[phase].wall += took.wall;
        times[phase].cpu += took.cpu;
    }
}

struct Begun {
    at: Instant,
    cpu: f64,
}

impl Begun {
    fn now() -> Self {
        Self { at: Instant::now(), cpu: cpu_seconds("self") }
    }

    fn took(&self) -> Took {
        Took { wall: self.at.elapsed().as_secs_f64(), cpu: cpu_seconds("self") - self.cpu }
    }
}

impl Took {
    fn told(self, count: f64, what: &str) -> String {
        let Self { wall, cpu } = self;
        format!(
            "{count:.0} {what} in {wall:.2} s, {:.0} a second; {cpu:.2} s of processor time",
            count / wall
        )
    }
}

async fn timed<T>(work: impl Future<Output = T>) -> (T, Took) {
    let begun = Begun::now();
    let done = work.await;
    (done, begun.took())
}
