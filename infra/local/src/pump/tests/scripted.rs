//! Generated behaviour of handler and process: no record is lost or delivered out of order.

mod case;

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use aws_lambda_events::streams::DynamoDbBatchItemFailure;
use proptest::{
    prelude::*,
    test_runner::{Config, TestCaseError, TestRunner},
};
use tokio::sync::Notify;

use self::case::{Act, Case, Interruption, case};
use super::super::*;
use crate::testing::{Backend, temporary};

const CONSUMER: &str = "projector";
const CASES: u32 = 64; // unless PROPTEST_CASES says otherwise

/// The calls of handler and failure destination. Records are numbered by their place in the stream, from 0.
#[derive(Default)]
struct Seen {
    delivered: Vec<Vec<usize>>,
    taken: Vec<usize>,
    given_up: Vec<usize>,
    destination_calls: usize,
}

struct Stage {
    case: Case,
    places: BTreeMap<String, usize>,
    seen: Mutex<Seen>,
    calls: AtomicUsize,
    interrupted: Notify,
    stop: watch::Sender<bool>,
}

impl Stage {
    async fn handle(self: Arc<Self>, event: Event) -> Result<DynamoDbEventResponse, String> {
        let sequences: Vec<_> =
            event.records.iter().map(|record| record.change.sequence_number.clone().unwrap()).collect();
        let places: Vec<_> = sequences.iter().map(|sequence| self.places[sequence]).collect();
        self.seen.lock().unwrap().delivered.push(places.clone());
        let call = self.calls.fetch_add(1, Ordering::SeqCst);
        match self.case.interruption {
            Interruption::Stop(at) if at == call => {
                self.stop.send_replace(true);
            }
            Interruption::Kill(at, false) if at == call => self.die().await,
            _ => {}
        }
        let mut act = self.case.acts.get(call).copied().unwrap_or(Act::TakeAll);
        if places.iter().any(|place| Some(*place) == self.case.poison) {
            act = Act::Error;
        }
        let taken = match act {
            Act::TakeAll => places.len(),
            Act::FailFrom(place) => place % places.len(),
            Act::FailTwo(one, other) => (one % places.len()).min(other % places.len()),
            Act::NameEmptyItem | Act::NameUnknownItem | Act::Error | Act::Panic => 0,
        };
        self.seen.lock().unwrap().taken.extend(&places[..taken]);
        if matches!(self.case.interruption, Interruption::Kill(at, true) if at == call) {
            self.die().await;
        }
        let mut response = DynamoDbEventResponse::default();
        match act {
            Act::TakeAll => {}
            Act::FailFrom(_) => fail(&mut response, &sequences[taken]),
            Act::FailTwo(one, other) => {
                fail(&mut response, &sequences[one % places.len()]);
                fail(&mut response, &sequences[other % places.len()]);
            }
            Act::NameEmptyItem => fail(&mut response, ""),
            Act::NameUnknownItem => fail(&mut response, "100000000000000000000000"),
            Act::Error => return Err("scripted".to_owned()),
            // A panic without a message in the output of the test.
            Act::Panic => std::panic::resume_unwind(Box::new("scripted")),
        }
        Ok(response)
    }

    /// Simulates a kill: the handler never answers.
    async fn die(&self) {
        self.interrupted.notify_one();
        std::future::pending().await
    }

    async fn keep(self: Arc<Self>, failure: Failure) -> Result<(), String> {
        let mut seen = self.seen.lock().unwrap();
        seen.destination_calls += 1;
        if seen.destination_calls <= self.case.destination_failures {
            return Err("scripted".to_owned());
        }
        let (first, last) = (self.places[&failure.first], self.places[&failure.last]);
        assert_eq!(failure.records, last - first + 1);
        assert_eq!(failure.attempts, self.case.attempts_max);
        seen.given_up.extend(first..=last);
        Ok(())
    }

    fn pump(self: &Arc<Self>, backend: &Backend, progress: &Progress) -> Pump {
        let mapping = Mapping {
            batch_size: self.case.batch_size,
            bisect: self.case.bisect,
            attempts_max: self.case.attempts_max,
            retry_base_ms: 0,
            retry_max_ms: 1,
            poll_ms: 1,
            ..Mapping::of(CONSUMER)
        };
        let (handler, destination) = (self.clone(), self.clone());
        Pump::new(
            backend.source(),
            mapping,
            progress.clone(),
            move |event| handler.clone().handle(event),
            move |failure| destination.clone().keep(failure),
        )
    }
}

fn fail(response: &mut DynamoDbEventResponse, sequence: &str) {
    let mut failure = DynamoDbBatchItemFailure::default();
    failure.item_identifier = Some(sequence.to_owned());
    response.batch_item_failures.push(failure);
}

/// Runs a case to its end. Returns the stage, and the number of calls and of acknowledged records before the
/// interruption.
async fn play(case: Case, backend: &Backend) -> (Arc<Stage>, usize, usize) {
    for seq in 1..=case.records {
        backend.put(seq).await;
    }
    let sequences = backend.sequences().await;
    let last = sequences.last().unwrap().clone();
    let places = sequences.into_iter().enumerate().map(|(place, sequence)| (sequence, place)).collect();
    let (stop, stopping) = watch::channel(false);
    let (seen, calls, interrupted) = (Mutex::default(), AtomicUsize::new(0), Notify::new());
    let stage = Arc::new(Stage { case, places, seen, calls, interrupted, stop });
    let progress = Progress::of(&[CONSUMER]);
    let finished = async |progress: &Progress| {
        progress
            .subscribe()
            .wait_for(|positions| positions.values().any(|position| *position == last))
            .await
            .unwrap();
    };

    let mut running = tokio::spawn(stage.pump(backend, &progress).run(stopping));
    tokio::select! {
        () = finished(&progress) => {}
        () = stage.interrupted.notified() => running.abort(),
        ended = &mut running => ended.unwrap(),
    }
    stage.stop.send_replace(true);
    if !running.is_finished() {
        let _aborted = running.await;
    }
    let (first_run, taken_first) = {
        let seen = stage.seen.lock().unwrap();
        (seen.delivered.len(), seen.taken.len())
    };

    let (stop, stopping) = watch::channel(false);
    let progress = Progress::of(&[CONSUMER]);
    let running = tokio::spawn(stage.pump(backend, &progress).run(stopping));
    finished(&progress).await;
    stop.send_replace(true);
    running.await.unwrap();
    (stage, first_run, taken_first)
}

fn check(stage: &Stage, first_run: usize, taken_first: usize) -> Result<(), TestCaseError> {
    let (case, seen) = (&stage.case, stage.seen.lock().unwrap());
    for batch in &seen.delivered {
        prop_assert!(batch.len() <= usize::try_from(case.batch_size).unwrap());
        prop_assert!(batch.windows(2).all(|pair| pair[1] == pair[0] + 1), "a batch with gaps: {batch:?}");
    }
    let times = |place: usize| (count(&seen.taken, place), count(&seen.given_up, place));
    for place in 0..case.records {
        let (taken, given_up) = times(place);
        prop_assert!(taken + given_up >= 1, "record {place} was lost");
        if !matches!(case.interruption, Interruption::Kill(..)) {
            prop_assert_eq!(taken + given_up, 1, "record {} was delivered twice without a crash", place);
        }
    }
    // Records are first acknowledged in order, and a crash repeats records of one batch only.
    let mut first_taken = Vec::new();
    for place in &seen.taken {
        if !first_taken.contains(place) {
            first_taken.push(*place);
        }
    }
    prop_assert!(first_taken.is_sorted(), "out of order: {first_taken:?}");
    prop_assert!(seen.taken.len() - first_taken.len() <= usize::try_from(case.batch_size).unwrap());
    // The second run starts at the first record that the first run did not finish.
    if let (Interruption::Stop(_), Some(batch)) = (case.interruption, seen.delivered.get(first_run)) {
        let settled = |place: &usize| {
            seen.taken[..taken_first].contains(place) || (seen.given_up.contains(place) && *place < batch[0])
        };
        prop_assert!((0..batch[0]).all(|place| settled(&place)));
        prop_assert!(!seen.taken[..taken_first].contains(&batch[0]));
    }
    Ok(())
}

fn count(places: &[usize], place: usize) -> usize {
    places.iter().filter(|other| **other == place).count()
}

#[test]
fn every_record_is_acknowledged_in_order_or_passed_to_the_failure_destination() {
    let mut config = Config { failure_persistence: None, ..Config::default() };
    if std::env::var_os("PROPTEST_CASES").is_none() {
        config.cases = CASES;
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    TestRunner::new(config)
        .run(&case(), |case| {
            // An engine with the tables of a thousand cases would be slow.
            let dir = temporary();
            let backend = runtime.block_on(Backend::start(dir.path()));
            let (stage, first_run, taken_first) = runtime.block_on(play(case, &backend));
            check(&stage, first_run, taken_first)
        })
        .unwrap();
}
