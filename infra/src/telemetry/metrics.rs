//! The metrics of the backend. Each is declared here once; no other module names one.
//!
//! Lambdas write them to standard output in CloudWatch's embedded format before they answer an invocation; the local server
//! shows them at `GET /metrics`. A metric that cannot be written is lost; observing never fails or delays the work.
//!
//! Dimensions have few values, which are known when the code is compiled: no ids, and nothing about persons. A metric with
//! an alarm has none: CloudWatch keeps no sum over the values of a dimension.

use std::{
    io::{self, Write as _},
    sync::OnceLock,
    time::Duration,
};

use ::metrics::{
    Label, Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram,
};
use metrics_cloudwatch_embedded::{Builder, Collector};
use tracing::warn;

/// The collector of a lambda's metrics.
static EMBEDDED: OnceLock<&'static Collector> = OnceLock::new();

/// A number of occurrences.
#[derive(Clone, Copy, Debug)]
pub struct Counter<const N: usize>(Declared);

/// A distribution of observed values.
#[derive(Clone, Copy, Debug)]
pub struct Histogram<const N: usize>(Declared);

/// A value that replaces the one before. CloudWatch gets each observation as a distribution, because a gauge would be written
/// again at every invocation with its old value.
#[derive(Clone, Copy, Debug)]
pub struct Level<const N: usize>(Declared);

/// A metric as the template and the documentation name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Declared {
    pub name: &'static str,
    pub kind: Kind,
    pub unit: Unit,
    pub dimensions: &'static [&'static str],
    pub description: &'static str,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Counter,
    Histogram,
    Level,
}

macro_rules! metrics {
    ($($(#[doc = $description:literal])+ $id:ident: $kind:ident = $name:literal, $unit:ident, [$($dimension:literal),*];)+) => {
        $(
            $(#[doc = $description])+
            pub const $id: $kind<{ <[&str]>::len(&[$($dimension),*]) }> = $kind(Declared {
                name: $name,
                kind: Kind::$kind,
                unit: Unit::$unit,
                dimensions: &[$($dimension),*],
                description: concat!($($description),+),
            });
        )+

        /// All metrics.
        pub const DECLARED: &[Declared] = &[$($id.0),+];
    };
}

metrics! {
    /// Time of an append to the log, retries of the SDK included.
    APPENDS: Histogram = "append_milliseconds", Milliseconds, [];
    /// Appends that were refused because another writer was first.
    APPEND_CONFLICTS: Counter = "append_conflicts", Count, [];
    /// Answers to requests, by class of status: 2xx, 3xx, 4xx or 5xx.
    HTTP_ANSWERS: Counter = "http_answers", Count, ["class"];
    /// Decisions of the authorizer: accepted, refused, or unavailable if the token could not be checked.
    AUTHORIZER_DECISIONS: Counter = "authorizer_decisions", Count, ["decision"];
    /// Calls to AWS that stayed throttled after the retries of the SDK.
    THROTTLED_CALLS: Counter = "throttled_calls", Count, [];
    /// Time from an event to its row in the live generation, and in reads that find the row behind, the age of the first event
    /// that it lacks. A local server shows the age of the oldest event that may not be in its row.
    FEED_LAG: Level = "feed_lag_milliseconds", Milliseconds, ["projection"];
    /// Stream records that could not be handled and were parked on a queue.
    PARKED: Counter = "parked_records", Count, ["consumer"];
    /// Stream records of events that were modified or removed.
    ALTERED_EVENTS: Counter = "altered_events", Count, [];
    /// Attempts to send a message, by kind of message and outcome: sent, failed, retried, skipped, unknown or bounced.
    DELIVERIES: Counter = "delivery_attempts", Count, ["kind", "outcome"];
    /// Messages that were refused for the last time.
    DELIVERIES_FAILED: Counter = "deliveries_failed", Count, [];
    /// Looks of the tick that succeeded.
    TICK_LOOKS: Counter = "tick_looks", Count, [];
    /// Intents that the tick queued.
    TICK_QUEUED: Counter = "tick_queued", Count, [];
    /// Intents that waited in the queue of deliveries when the tick looked.
    TICK_WAITING: Level = "tick_waiting", Count, [];
    /// Finished segments of the rebuild under way.
    REBUILD_SEGMENTS_DONE: Level = "rebuild_segments_done", Count, ["projection"];
    /// All segments of the rebuild under way.
    REBUILD_SEGMENTS: Level = "rebuild_segments", Count, ["projection"];
    /// Longest time since the last event of a rebuild that is neither ready nor finished; 0 if there is none.
    REBUILD_AGE: Level = "rebuild_age_seconds", Seconds, [];
    /// Findings of sweeps on a schedule: doorbells rung, keys buried, rows ahead of the log or without a stream.
    SWEEP_FINDINGS: Counter = "sweep_findings", Count, [];
    /// Messages in a queue, received ones included. Only on a local server; in AWS it is a metric of SQS.
    QUEUED: Level = "queued_messages", Count, ["queue"];
    /// Dead letters of a queue. Only on a local server; in AWS it is a metric of SQS.
    DEAD_LETTERS: Level = "dead_letters", Count, ["queue"];
    /// Age of the oldest stream record that a consumer may not have handled. Only on a local server; in AWS it is the iterator
    /// age of the consumer's function.
    STREAM_AGE: Level = "stream_age_milliseconds", Milliseconds, ["consumer"];
    /// The Unix time of the last look of the tick. Only on a local server.
    TICK_LOOKED_AT: Level = "tick_looked_at_seconds", Seconds, [];
}

impl<const N: usize> Counter<N> {
    /// Counts one occurrence.
    pub fn count(&self, dimensions: [&'static str; N]) {
        self.add(1, dimensions);
    }

    pub fn add(&self, number: u64, dimensions: [&'static str; N]) {
        counter!(self.0.name, self.0.labels(dimensions)).increment(number);
    }
}

impl<const N: usize> Histogram<N> {
    pub fn took(&self, time: Duration, dimensions: [&'static str; N]) {
        let milliseconds = time.as_secs_f64() * 1_000.0;
        histogram!(self.0.name, self.0.labels(dimensions)).record(milliseconds);
    }
}

impl<const N: usize> Level<N> {
    /// Sets the level. A number beyond 2^53 loses its last digits.
    pub fn set(&self, value: u64, dimensions: [&'static str; N]) {
        let labels = self.0.labels(dimensions);
        if EMBEDDED.get().is_some() {
            histogram!(self.0.name, labels).record(value as f64);
        } else {
            gauge!(self.0.name, labels).set(value as f64);
        }
    }

    #[must_use]
    pub fn declared(&self) -> &Declared {
        &self.0
    }
}

impl Declared {
    fn labels<const N: usize>(&self, values: [&'static str; N]) -> Vec<Label> {
        let pairs = self.dimensions.iter().zip(values);
        pairs.map(|(dimension, value)| Label::from_static_parts(dimension, value)).collect()
    }
}

/// Shows the counters without dimensions from now on, at 0: a counter that appears with its first count has no increase.
pub fn begin() {
    for Declared { name, .. } in
        DECLARED.iter().filter(|of| of.kind == Kind::Counter && of.dimensions.is_empty())
    {
        counter!(*name).increment(0);
    }
}

/// Tells the recorder of this process the units and descriptions of all metrics.
pub fn describe() {
    for Declared { name, kind, unit, description, .. } in DECLARED {
        let description = description.trim_start();
        match kind {
            Kind::Counter => describe_counter!(*name, *unit, description),
            Kind::Histogram => describe_histogram!(*name, *unit, description),
            Kind::Level => describe_gauge!(*name, *unit, description),
        }
    }
}

/// Collects the metrics of a lambda in the namespace of its deployment.
pub(crate) fn embed(prefix: &str) {
    match Builder::new().cloudwatch_namespace(format!("Waitlist/{prefix}")).init() {
        Ok(collector) => {
            let _first = EMBEDDED.set(collector);
            describe();
        }
        Err(cause) => {
            warn!(%cause, "could not install the collector of metrics; this process reports no metrics")
        }
    }
}

/// Writes the metrics since the last call to standard output, with the invocation's id. Does nothing unless [`embed`] was
/// called.
pub(crate) fn flush(invocation: &str) {
    let Some(collector) = EMBEDDED.get() else { return };
    let mut lines = Vec::new();
    if collector.set_property("invocation", invocation).flush(&mut lines).is_ok() {
        let mut out = io::stdout().lock();
        let _lost = out.write_all(&lines).and_then(|()| out.flush());
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn names_are_different_and_fit_every_exporter() {
        let names: BTreeSet<&str> = DECLARED.iter().map(|metric| metric.name).collect();
        assert_eq!(names.len(), DECLARED.len());
        for Declared { name, dimensions, description, .. } in DECLARED {
            for word in dimensions.iter().chain([name]) {
                assert!(word.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'), "{word}");
            }
            assert!(description.trim_start().ends_with('.'), "{name}");
        }
    }

    #[test]
    fn values_belong_to_the_dimensions_in_their_order() {
        let labels = DELIVERIES.0.labels(["reminder", "sent"]);
        let pairs: Vec<(&str, &str)> = labels.iter().map(|label| (label.key(), label.value())).collect();
        assert_eq!(pairs, [("kind", "reminder"), ("outcome", "sent")]);
    }
}
