//! The positions of all consumers of a stream, shared by their pumps.

use std::{collections::BTreeMap, sync::Arc};

use infra::Clock;
use schema::Time;
use tokio::sync::watch;

use super::taken::Taken;

/// The sequence number of the last handled record, by consumer and shard.
pub type Positions = BTreeMap<(&'static str, String), String>;

/// The progress of the consumers of one stream. Clones share it.
#[derive(Clone, Debug)]
pub struct Progress {
    consumers: Arc<[&'static str]>,
    positions: watch::Sender<Positions>,
    pub(super) taken: Taken,
}

impl Progress {
    /// `consumers` must be all consumers of the stream, because records that one of them has not handled must
    /// not be pruned.
    #[must_use]
    pub fn of(consumers: &[&'static str]) -> Self {
        Self::by(Clock::system(), consumers)
    }

    /// Like [`Progress::of`], with times by this clock.
    #[must_use]
    pub fn by(clock: Clock, consumers: &[&'static str]) -> Self {
        let positions = watch::Sender::new(Positions::new());
        Self { consumers: consumers.into(), positions, taken: Taken::new(clock) }
    }

    /// The time before which a consumer has handled all records of the stream `arn`, which the table has now. It is the
    /// start of this process at first, and the time at which a stream was seen last when the table has no stream now.
    #[must_use]
    pub fn taken_until(&self, consumer: &str, arn: Option<&str>) -> Time {
        self.taken.until(consumer, arn)
    }

    /// Returns the sequence number up to which all consumers have handled `shard`, or `None` if one has not
    /// begun.
    #[must_use]
    pub fn consumed(&self, shard: &str) -> Option<String> {
        let positions = self.positions.borrow();
        let of_each = self.consumers.iter().map(|consumer| positions.get(&(*consumer, shard.to_owned())));
        let of_all = of_each.collect::<Option<Vec<_>>>()?;
        of_all.into_iter().min_by_key(|sequence| order(sequence)).cloned()
    }

    /// Returns the positions now, and each change of them.
    #[must_use]
    pub fn subscribe(&self) -> watch::Receiver<Positions> {
        self.positions.subscribe()
    }

    pub(super) fn report(&self, consumer: &'static str, shard: &str, sequence: &str) {
        self.positions.send_modify(|positions| {
            positions.insert((consumer, shard.to_owned()), sequence.to_owned());
        });
    }
}

/// Sequence numbers are decimal numbers of 21 to 40 digits without leading zeros.
fn order(sequence: &str) -> (usize, &str) {
    (sequence.len(), sequence)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_consumed_when_all_consumers_have_handled_it() {
        let progress = Progress::of(&["projector", "reactor"]);
        progress.report("projector", "a", "100");
        assert_eq!(progress.consumed("a"), None);
        progress.report("reactor", "a", "99");
        assert_eq!(progress.consumed("a").as_deref(), Some("99"));
        progress.report("reactor", "a", "101");
        assert_eq!(progress.consumed("a").as_deref(), Some("100"));
        assert_eq!(progress.consumed("b"), None);
    }
}
