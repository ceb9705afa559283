//! Compares streams with the leaves of a checkpoint while a scan reads them.

use futures::{StreamExt as _, TryStreamExt as _, stream as streams};
use infra::{Backend, Failure};
use schema::{
    Checkpoint, StreamId,
    body::Bad,
    checkpoint::Leaf,
    commit::{Chain, RawCommit},
};
use tokio::sync::Mutex;

use super::reread;

/// The streams that are read again at once.
const STREAMS_AT_ONCE: usize = 8;

/// A comparison with a checkpoint. Holds one byte per stream besides the checkpoint.
pub(super) struct Comparison<'a> {
    checkpoint: &'a Checkpoint,
    /// For each leaf, whether a scan found its stream as the checkpoint has it.
    is_same: Mutex<Vec<bool>>,
}

/// A stream that the checkpoint has, followed up to the event that its leaf names.
#[derive(Clone, Copy, Debug)]
pub(super) struct Followed {
    place: usize,
    leaf: Leaf,
    chain: Chain,
}

impl Followed {
    pub(super) fn follow(self, raw: &RawCommit) -> Self {
        Self { chain: self.chain.follow_to(self.leaf.last, raw), ..self }
    }

    /// As [`Followed::follow`], with the chain of the whole stream up to this commit, whose hash is thus computed once.
    pub(super) fn to(self, whole: Chain) -> Self {
        if self.chain.head.seq < self.leaf.last { Self { chain: whole, ..self } } else { self }
    }
}

impl<'a> Comparison<'a> {
    pub(super) fn with(checkpoint: &'a Checkpoint) -> Self {
        Self { checkpoint, is_same: Mutex::new(vec![false; checkpoint.leaves.len()]) }
    }

    /// The beginning of the stream of this name, if the checkpoint has it.
    pub(super) fn begin(&self, name: &str) -> Option<Followed> {
        let place = self.checkpoint.find(StreamId::stored(name).ok()?)?;
        Some(Followed { place, leaf: self.checkpoint.leaves[place], chain: Chain::START })
    }

    /// Compares streams that were scanned to their ends.
    pub(super) async fn end(&self, scanned: impl IntoIterator<Item = Followed>) {
        let mut is_same = self.is_same.lock().await;
        for Followed { place, leaf, chain } in scanned {
            is_same[place] |= leaf.compare(&chain).is_ok();
        }
    }

    /// A fault for each stream that is not as the checkpoint has it, in the order of its leaves. Reads those streams
    /// again that no scan found so: 1 read unit per 4 KB.
    ///
    /// # Errors
    /// The table cannot be read.
    pub(super) async fn differing(self, backend: &Backend) -> Result<Vec<Bad>, Failure> {
        let leaves = self.checkpoint.leaves.iter().zip(self.is_same.into_inner());
        let others = leaves.filter(|(_, is_same)| !is_same).map(|(leaf, _)| *leaf);
        let bad: Vec<Option<Bad>> = streams::iter(others)
            .map(|leaf| judge(backend, leaf))
            .buffered(STREAMS_AT_ONCE)
            .try_collect()
            .await?;
        Ok(bad.into_iter().flatten().collect())
    }
}

async fn judge(backend: &Backend, leaf: Leaf) -> Result<Option<Bad>, Failure> {
    let chain = reread(backend, leaf.stream, leaf.last).await?;
    let differs = leaf.compare(&chain).err();
    Ok(differs.map(|(seq, why)| Bad { stream: leaf.stream.to_string(), seq, why: why.to_string() }))
}
