//! Compares the log with a checkpoint.

use infra::{Backend, Failure};
use schema::{Checkpoint, body::Bad};
use tokio::sync::Mutex;

use super::{
    Progress,
    compare::{Comparison, Followed},
};
use crate::verify::segment::{self, Part, Segment};

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
    let comparison = Comparison::with(checkpoint);
    let scanned = Mutex::new(Scanned::default());
    segment::each(backend, segments, |segment| scan(segment, &comparison, &scanned, &tell)).await?;
    let Scanned { progress: Progress { commits, .. }, later } = scanned.into_inner();
    Ok(Checked { commits, later, bad: comparison.differing(backend).await? })
}

#[derive(Default)]
struct Scanned {
    progress: Progress,
    later: u64,
}

async fn scan(
    mut segment: Segment<'_, Option<Followed>>,
    comparison: &Comparison<'_>,
    scanned: &Mutex<Scanned>,
    tell: &(impl Fn(Progress) + Send + Sync),
) -> Result<(), Failure> {
    let follow = |followed: Option<Followed>, raw: &_| followed.map(|followed| followed.follow(raw));
    while let Some(Part { commits, streams }) = segment.next(|name| comparison.begin(name), follow).await? {
        let (found, known) = (streams.len() as u64, streams.into_iter().filter_map(|(_, followed)| followed));
        let known: Vec<Followed> = known.collect();
        let later = found - known.len() as u64;
        comparison.end(known).await;
        let mut scanned = scanned.lock().await;
        scanned.progress.commits += commits;
        scanned.progress.streams += found;
        scanned.later += later;
        tell(scanned.progress);
    }
    Ok(())
}
