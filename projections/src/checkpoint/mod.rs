//! Checkpoints of the log: reads the end of every stream, and compares the log with an earlier checkpoint.
//!
//! Both read the whole log by parallel scans, like the verification, and recompute the hash chains as they go. A
//! stream that a scan does not find as it should be is read again by its key, strongly consistent, and that reading
//! decides: a scan may lag, and the engine may return commits in another order.

mod check;
mod compare;
mod take;

use infra::{Backend, Failure};
use schema::{StreamId, commit::Chain};

use crate::again::again;

pub use self::{
    check::{Checked, check},
    take::{Taken, take},
};

/// The commits of a stream that are read by one call.
const COMMITS_AT_ONCE: usize = 1_000;

/// How far a scan of the log is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    pub commits: u64,
    pub streams: u64,
}

/// Follows a stream to event `last`, strongly consistent. 1 read unit per 4 KB.
///
/// # Errors
/// The table cannot be read.
async fn reread(backend: &Backend, stream: StreamId, last: u64) -> Result<Chain, Failure> {
    let mut chain = Chain::START;
    // Ends: each page but the last has at least one commit, and moves the chain on.
    loop {
        let page =
            again(&backend.clock, || backend.log.raw_after(stream, chain.after(), COMMITS_AT_ONCE)).await?;
        chain = page.commits.iter().fold(chain, |chain, raw| chain.follow_to(last, raw));
        if !page.has_more || page.commits.is_empty() || chain.head.seq >= last {
            return Ok(chain);
        }
    }
}
