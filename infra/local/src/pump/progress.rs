//! What the consumers of a stream have handled, shared between their pumps.

use std::{collections::BTreeMap, sync::Arc};

use tokio::sync::watch;

/// The checkpoints of all consumers of one stream as they are written: by consumer and shard, the last handled sequence number.
pub type Positions = BTreeMap<(&'static str, String), String>;

/// Shared by the pumps of one stream. Clones are the same.
#[derive(Clone, Debug)]
pub struct Progress {
    consumers: Arc<[&'static str]>,
    positions: watch::Sender<Positions>,
}

impl Progress {
    /// Of these consumers: all that the stream has, for what one of them has not handled must not be pruned.
    #[must_use]
    pub fn of(consumers: &[&'static str]) -> Self {
        Self { consumers: consumers.into(), positions: watch::Sender::new(Positions::new()) }
    }

    /// Up to where every consumer has handled `shard`; nothing while one of them has not.
    #[must_use]
    pub fn consumed(&self, shard: &str) -> Option<String> {
        let positions = self.positions.borrow();
        let of_each = self.consumers.iter().map(|consumer| positions.get(&(*consumer, shard.to_owned())));
        let of_all = of_each.collect::<Option<Vec<_>>>()?;
        of_all.into_iter().min_by_key(|sequence| order(sequence)).cloned()
    }

    /// Tells of every checkpoint from now on, and what they are now.
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
    fn only_what_all_have_handled_is_consumed() {
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
