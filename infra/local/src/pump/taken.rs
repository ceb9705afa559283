//! The time up to which each consumer has handled the stream.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use infra::Clock;
use schema::Time;

/// Clones share the times.
#[derive(Clone, Debug)]
pub(super) struct Taken {
    clock: Clock,
    begun: Time,
    of: Arc<Mutex<BTreeMap<&'static str, Of>>>,
}

/// The times of one consumer.
#[derive(Clone, Debug, Default)]
struct Of {
    /// The stream that the table had when it was listed last.
    listed: Option<(String, Time)>,
    /// For each shard that is read: all records that were in it before this time are handled.
    shards: BTreeMap<String, Time>,
}

impl Taken {
    pub(super) fn new(clock: Clock) -> Self {
        Self { begun: clock.now(), clock, of: Arc::default() }
    }

    pub(super) fn now(&self) -> Time {
        self.clock.now()
    }

    /// The time before which a consumer has handled all records, if the table has the stream `arn` now. Without a stream,
    /// or with another one, it is the time at which the former one was seen last.
    pub(super) fn until(&self, consumer: &str, arn: Option<&str>) -> Time {
        let all = self.lock();
        let Some(Of { listed: Some((stream, at)), shards }) = all.get(consumer) else { return self.begun };
        if arn.is_none_or(|arn| arn != stream) {
            return *at;
        }
        shards.values().min().copied().unwrap_or(self.begun)
    }

    /// The time at which the stream of a consumer was seen last.
    pub(super) fn seen_at(&self, consumer: &str) -> Option<Time> {
        self.lock().get(consumer).and_then(|of| of.listed.as_ref()).map(|(_, at)| *at)
    }

    /// The table had this stream at a time. The shards of another one are forgotten.
    pub(super) fn listed(&self, consumer: &'static str, stream: &str, at: Time) {
        let mut all = self.lock();
        let of = all.entry(consumer).or_default();
        if of.listed.as_ref().is_some_and(|(former, _)| former != stream) {
            of.shards.clear();
        }
        of.listed = Some((stream.to_owned(), at));
    }

    /// A shard is read from now on; what it held before is unknown.
    pub(super) fn begins(&self, consumer: &'static str, shard: &str) {
        self.is_handled(consumer, shard, self.begun);
    }

    pub(super) fn is_handled(&self, consumer: &'static str, shard: &str, until: Time) {
        self.lock().entry(consumer).or_default().shards.insert(shard.to_owned(), until);
    }

    /// A shard was read to its end.
    pub(super) fn ended(&self, consumer: &'static str, shard: &str) {
        self.lock().entry(consumer).or_default().shards.remove(shard);
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<&'static str, Of>> {
        self.of.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONSUMER: &str = "projector";

    #[test]
    fn the_slowest_shard_counts_and_a_lost_stream_was_handled_until_it_was_seen_last() {
        let clock = Clock::fixed(Time::from_millis(1_800_000_000_000));
        let taken = Taken::new(clock.clone());
        let begun = taken.now();
        let at = |ms| begun.plus_millis(ms);
        assert_eq!((taken.until(CONSUMER, Some("one")), taken.seen_at(CONSUMER)), (begun, None));
        taken.listed(CONSUMER, "one", at(10));
        assert_eq!(taken.until(CONSUMER, Some("one")), begun, "no shard was read");
        taken.begins(CONSUMER, "a");
        taken.begins(CONSUMER, "b");
        taken.is_handled(CONSUMER, "a", at(500));
        assert_eq!(taken.until(CONSUMER, Some("one")), begun);
        taken.is_handled(CONSUMER, "b", at(300));
        assert_eq!(taken.until(CONSUMER, Some("one")), at(300));
        taken.ended(CONSUMER, "b");
        assert_eq!(taken.until(CONSUMER, Some("one")), at(500));
        assert_eq!(taken.until(CONSUMER, None), at(10));
        assert_eq!(taken.until(CONSUMER, Some("two")), at(10), "not yet listed");
        taken.listed(CONSUMER, "two", at(900));
        assert_eq!(taken.until(CONSUMER, Some("two")), begun, "its shards are not read yet");
    }
}
