//! Reads the end of every stream.

use infra::{Backend, Failure};
use schema::{
    StreamId,
    body::Bad,
    checkpoint::{self, LEAVES_MAX, Leaf},
    commit::Chain,
};
use tokio::sync::Mutex;

use super::{Progress, reread};
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
}

/// Reads the log in `segments` scans at once, and calls `tell` with its progress after each page. Costs half a read
/// unit per 4 KB of the log. Holds 64 bytes per stream.
///
/// # Errors
/// The table does not answer, or has more streams than a checkpoint.
pub async fn take(
    backend: &Backend,
    segments: u32,
    tell: impl Fn(Progress) + Send + Sync,
) -> Result<Taken, Failure> {
    let taken = Mutex::new(Taken::default());
    segment::each(backend, segments, |segment| scan(segment, backend, &taken, &tell)).await?;
    let mut taken = taken.into_inner();
    checkpoint::sort(&mut taken.leaves);
    Ok(taken)
}

async fn scan(
    mut segment: Segment<'_, Chain>,
    backend: &Backend,
    taken: &Mutex<Taken>,
    tell: &(impl Fn(Progress) + Send + Sync),
) -> Result<(), Failure> {
    while let Some(Part { commits, streams }) =
        segment.next(|_| Chain::START, |chain, raw| chain.follow(raw)).await?
    {
        let mut ends = Vec::with_capacity(streams.len());
        for (name, chain) in streams {
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
