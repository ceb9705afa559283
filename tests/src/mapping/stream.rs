//! The mapping from a shard of a stream to a function.

use std::{collections::VecDeque, ops::Range, time::Duration};

use serde_json::{Value, json};

use super::{
    environment::{Environment, Outcome},
    filter::passes,
};
use crate::template::StreamMapping;

/// Behaviour that AWS's documents leave open, and lost answers, which are possible at any time.
#[derive(Clone, Debug)]
pub struct Reading {
    /// A partial answer that names the first record splits the batch in half, as an error does. Otherwise the batch is tried
    /// again as a whole.
    pub halves: bool,
    /// Earlier attempts still count after a partial answer that got further.
    pub counts_on: bool,
    /// Of the answers to the n-th, 2n-th and so on invocation none reaches the mapping, so it delivers the batch again; 0 for none.
    pub loses_answers: usize,
}

/// Records that went to the failure destination, as places in the shard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GivenUp {
    pub records: Vec<usize>,
    pub why: Why,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// The last attempt failed as a whole.
    Failed,
    /// The last answer named a record as failed.
    Reported,
    /// The records were too old.
    Age,
}

/// A batch as it was read from the shard.
#[derive(Clone, Debug)]
pub struct Batch {
    pub records: Vec<usize>,
    pub invocations: u32,
    /// The number of invocations whose answer was lost.
    pub lost: u32,
    /// How long the shard waited for this batch, if each invocation took as long as the function's time-out.
    pub blocked_max: Duration,
}

#[derive(Clone, Debug, Default)]
pub struct Polled {
    pub given_up: Vec<GivenUp>,
    pub batches: Vec<Batch>,
    /// How long the shard waited for processes that were killed at the function's time-out.
    pub hung: Duration,
}

/// A part of a batch: contiguous places in the list of records that pass the filter.
#[derive(Clone, Debug)]
struct Part {
    records: Range<usize>,
    /// Attempts that failed. Splits do not count.
    failed: u32,
}

enum Verdict {
    Handled,
    /// This record and those after it are to be delivered again.
    From(usize),
    Failed,
}

/// Delivers the records of a shard, which are `age` old at the beginning, one batch at a time.
pub async fn poll(
    mapping: &StreamMapping,
    reading: &Reading,
    records: &[Value],
    age: Duration,
    environment: &mut Environment<'_>,
) -> Polled {
    let passing: Vec<usize> =
        (0..records.len()).filter(|place| passes(&mapping.filters, &records[*place])).collect();
    let (mut polled, mut age) = (Polled::default(), age);
    let mut invocations = 0;
    for start in (0..passing.len()).step_by(mapping.batch_size) {
        let whole = start..passing.len().min(start + mapping.batch_size);
        let mut parts = VecDeque::from([Part { records: whole.clone(), failed: 0 }]);
        let (before, mut lost) = (invocations, 0);
        while let Some(part) = parts.pop_front() {
            let places = &passing[part.records.clone()];
            if age > mapping.record_age_max {
                polled.given_up.push(GivenUp { records: places.to_vec(), why: Why::Age });
                continue;
            }
            invocations += 1;
            let event = json!({ "Records": places.iter().map(|place| &records[*place]).collect::<Vec<_>>() });
            let verdict = match environment.invoke(event).await {
                Outcome::Ended(after) => {
                    age += after;
                    polled.hung += after;
                    Verdict::Failed
                }
                Outcome::Answered(answer) => verdict(mapping, &answer, places, records, part.records.start),
            };
            if reading.loses_answers > 0 && invocations % reading.loses_answers == 0 {
                lost += 1;
                parts.push_front(part);
                continue;
            }
            let (next, given_up) = follow(mapping, reading, part, &verdict);
            next.into_iter().rev().for_each(|part| parts.push_front(part));
            polled
                .given_up
                .extend(given_up.map(|(part, why)| GivenUp { records: passing[part].to_vec(), why }));
        }
        let invocations = u32::try_from(invocations - before).unwrap();
        let blocked_max = mapping.time_out * invocations;
        polled.batches.push(Batch { records: passing[whole].to_vec(), invocations, lost, blocked_max });
    }
    polled
}

/// Reads an answer. The lowest sequence number that it names counts; one that is not in the batch fails the whole batch.
fn verdict(
    mapping: &StreamMapping,
    answer: &Value,
    places: &[usize],
    records: &[Value],
    start: usize,
) -> Verdict {
    let failures = answer["batchItemFailures"].as_array().filter(|_| mapping.reports_failures);
    let mut lowest = None;
    for failure in failures.into_iter().flatten() {
        let named =
            |place: &usize| records[*place]["dynamodb"]["SequenceNumber"] == failure["itemIdentifier"];
        let Some(at) = places.iter().position(named) else { return Verdict::Failed };
        lowest = Some(lowest.map_or(at, |lowest: usize| lowest.min(at)));
    }
    lowest.map_or(Verdict::Handled, |at| Verdict::From(start + at))
}

/// The parts to deliver next, and what is given up.
fn follow(
    mapping: &StreamMapping,
    reading: &Reading,
    Part { records, failed }: Part,
    verdict: &Verdict,
) -> (Vec<Part>, Option<(Range<usize>, Why)>) {
    let (first, why) = match *verdict {
        Verdict::Handled => return (Vec::new(), None),
        Verdict::From(first) => (first, Why::Reported),
        Verdict::Failed => (records.start, Why::Failed),
    };
    let got_further = first > records.start;
    let left = first..records.end;
    let may_split = mapping.bisects && left.len() > 1 && !got_further;
    if may_split && (why == Why::Failed || reading.halves) {
        let middle = left.start + left.len() / 2;
        let halves = [left.start..middle, middle..left.end];
        return (halves.map(|records| Part { records, failed }).into(), None);
    }
    if got_further && !reading.counts_on {
        return (vec![Part { records: left, failed: 0 }], None);
    }
    let failed = failed + 1;
    if failed > mapping.retries_max {
        return (Vec::new(), Some((left, why)));
    }
    (vec![Part { records: left, failed }], None)
}
