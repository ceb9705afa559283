//! Reads the end of every stream.

use infra::{Backend, Failure};
use schema::{
    Checkpoint, StreamId,
    body::Bad,
    checkpoint::{self, LEAVES_MAX, Leaf},
    commit::{Chain, RawCommit},
};
use tokio::sync::Mutex;

use super::{
    Progress,
    compare::{Comparison, Followed},
    reread,
};
use crate::verify::{
    NAMED_MAX,
    segment::{self, Part, Segment, unnamed},
};

/// The ends of all streams.
#[derive(Clone, Debug, Default)]
pub struct Taken {
    /// Sorted.
    pub leaves: Vec<Leaf>,
    pub commits: u64,
    /// The number of damaged streams. They have no leaves.
    pub damaged: u64,
    /// The first of them, at most a hundred.
    pub bad: Vec<Bad>,
    /// A fault for each stream that is not as the previous checkpoint has it, in the order of its leaves.
    pub differing: Vec<Bad>,
}

/// Reads the log in `segments` scans at once, and calls `tell` with its progress after each page. Compares it with the
/// `previous` checkpoint on the way. Costs half a read unit per 4 KB of the log, and 1 read unit per 4 KB of each
/// stream that is damaged or differs. Holds 64 bytes per stream.
///
/// # Errors
/// The table does not answer, or has more streams than a checkpoint.
pub async fn take(
    backend: &Backend,
    previous: Option<&Checkpoint>,
    segments: u32,
    tell: impl Fn(Progress) + Send + Sync,
) -> Result<Taken, Failure> {
    let (comparison, taken) = (previous.map(Comparison::with), Mutex::new(Taken::default()));
    segment::each(backend, segments, |segment| scan(segment, backend, comparison.as_ref(), &taken, &tell))
        .await?;
    let mut taken = taken.into_inner();
    checkpoint::sort(&mut taken.leaves);
    if let Some(comparison) = comparison {
        taken.differing = comparison.differing(backend).await?;
    }
    Ok(taken)
}

async fn scan(
    mut segment: Segment<'_, (Chain, Option<Followed>)>,
    backend: &Backend,
    previous: Option<&Comparison<'_>>,
    taken: &Mutex<Taken>,
    tell: &(impl Fn(Progress) + Send + Sync),
) -> Result<(), Failure> {
    let begin = |name: &str| (Chain::START, previous.and_then(|previous| previous.begin(name)));
    let follow = |(chain, followed): (Chain, Option<Followed>), raw: &RawCommit| {
        let chain = chain.follow(raw);
        (chain, followed.map(|followed| followed.to(chain)))
    };
    while let Some(Part { commits, streams }) = segment.next(begin, follow).await? {
        if let Some(previous) = previous {
            previous.end(streams.iter().filter_map(|(_, (_, followed))| *followed)).await;
        }
        let mut ends = Vec::with_capacity(streams.len());
        for (name, (chain, _)) in streams {
            ends.push(end(backend, name, chain).await?);
        }
        let mut taken = taken.lock().await;
        taken.commits += commits;
        ends.into_iter().for_each(|end| taken.add(end));
        if taken.leaves.len() > LEAVES_MAX {
            let bound = format!("there are more than {LEAVES_MAX} streams");
            return Err(Failure::broken("make a checkpoint", bound));
        }
        tell(Progress { commits: taken.commits, streams: taken.leaves.len() as u64 });
    }
    Ok(())
}

async fn end(backend: &Backend, name: String, scanned: Chain) -> Result<Result<Leaf, Bad>, Failure> {
    let Ok(stream) = StreamId::stored(&name) else {
        return Ok(Err(unnamed(name, &scanned)));
    };
    let chain = match scanned.broken {
        None => scanned,
        Some(_) => reread(backend, stream, u64::MAX).await?,
    };
    Ok(match chain.broken {
        Some((seq, broken)) => Err(Bad { stream: name, seq, why: broken.to_string() }),
        None if chain.head.seq == 0 => {
            let why = "was removed while the log was read, and all others of its stream with it".to_owned();
            Err(Bad { stream: name, seq: scanned.key, why })
        }
        None => Ok(Leaf { stream, last: chain.head.seq, hash: chain.head.hash }),
    })
}

impl Taken {
    fn add(&mut self, end: Result<Leaf, Bad>) {
        match end {
            Ok(leaf) => self.leaves.push(leaf),
            Err(bad) => {
                self.damaged += 1;
                if self.bad.len() < NAMED_MAX {
                    self.bad.push(bad);
                }
            }
        }
    }
}
