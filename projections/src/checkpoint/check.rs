//! Compares the log with a checkpoint.

use futures::{StreamExt as _, TryStreamExt as _, stream as streams};
use infra::{Backend, Failure};
use schema::{Checkpoint, body::Bad, checkpoint::Leaf, commit::Chain};
use tokio::sync::Mutex;

use super::{Progress, reread};
use crate::verify::segment::{self, Part, Segment};

/// The streams that are read again at once.
const STREAMS_AT_ONCE: usize = 8;

/// The outcome of a comparison.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Checked {
    /// The commits of the log, later ones included.
    pub commits: u64,
    /// The streams of the log that began after the checkpoint.
    pub later: u64,
    /// A fault for each stream that is not as the checkpoint has it, in the order of its leaves.
    pub bad: Vec<Bad>,
}

/// Compares every leaf with its stream up to the event that the leaf names; what was appended since is not looked
/// at. Reads the log in `segments` scans at once, and calls `tell` with its progress after each page. Costs half a
/// read unit per 4 KB of the log, and 1 read unit per 4 KB of each stream that differs. Holds one byte per stream
/// besides the checkpoint.
///
/// # Errors
/// The table does not answer.
pub async fn check(
    backend: &Backend,
    checkpoint: &Checkpoint,
    segments: u32,
    tell: impl Fn(Progress) + Send + Sync,
) -> Result<Checked, Failure> {
    let scanned = Mutex::new(Scanned {
        progress: Progress::default(),
        later: 0,
        is_same: vec![false; checkpoint.leaves.len()],
    });
    let (scanned_by, tell) = (&scanned, &tell);
    segment::each(backend, segments, |segment| scan(segment, checkpoint, scanned_by, tell)).await?;
    let Scanned { progress: Progress { commits, .. }, later, is_same } = scanned.into_inner();
    let others = checkpoint.leaves.iter().zip(is_same).filter(|(_, is_same)| !is_same).map(|(leaf, _)| *leaf);
    let bad: Vec<Option<Bad>> = streams::iter(others)
        .map(|leaf| judge(backend, leaf))
        .buffered(STREAMS_AT_ONCE)
        .try_collect()
        .await?;
    Ok(Checked { commits, later, bad: bad.into_iter().flatten().collect() })
}

struct Scanned {
    progress: Progress,
    later: u64,
    /// For each leaf, whether a scan found its stream as the checkpoint has it.
    is_same: Vec<bool>,
}

async fn scan(
    mut segment: Segment<'_, (Option<usize>, Chain)>,
    checkpoint: &Checkpoint,
    scanned: &Mutex<Scanned>,
    tell: &(impl Fn(Progress) + Send + Sync),
) -> Result<(), Failure> {
    let leaves = &checkpoint.leaves;
    let begin = |name: &str| (name.parse().ok().and_then(|stream| checkpoint.find(stream)), Chain::START);
    while let Some(Part { commits, streams }) = segment
        .next(begin, |(place, chain), raw| match place {
            Some(place) => (Some(place), chain.follow_to(leaves[place].last, raw)),
            None => (None, chain),
        })
        .await?
    {
        let mut scanned = scanned.lock().await;
        scanned.progress.commits += commits;
        scanned.progress.streams += streams.len() as u64;
        for (_, (place, chain)) in streams {
            match place {
                None => scanned.later += 1,
                Some(place) => scanned.is_same[place] |= leaves[place].compare(&chain).is_ok(),
            }
        }
        tell(scanned.progress);
    }
    Ok(())
}

async fn judge(backend: &Backend, leaf: Leaf) -> Result<Option<Bad>, Failure> {
    let chain = reread(backend, leaf.stream, leaf.last).await?;
    let differs = leaf.compare(&chain).err();
    Ok(differs.map(|(seq, why)| Bad { stream: leaf.stream.to_string(), seq, why: why.to_string() }))
}
