//! Checks one stream: its chain, its derived attributes, and that no row shows more than it has.

use infra::{Backend, Failure};
use schema::{Actor, StreamId, access, commit::Chain};

use crate::shown::shown;

/// The check of a stream up to some commit.
#[derive(Clone, Copy, Debug)]
pub(super) struct Checked {
    pub(super) chain: Chain,
    /// The number of commits that were read.
    pub(super) commits: usize,
    /// Whether the end of the stream was reached.
    pub(super) ended: bool,
}

/// Reads up to `commits_max` commits of a stream, strongly consistent, and checks on from `from`. `None` if the
/// stream has neither commits nor a row, or `caller` may not access it.
///
/// # Errors
/// A table does not answer.
pub(super) async fn check(
    backend: &Backend,
    caller: Option<Actor>,
    stream: StreamId,
    from: Chain,
    commits_max: usize,
) -> Result<Option<Checked>, Failure> {
    let shown = shown(backend, stream).await?; // before the log, which is then never behind the row
    let (mut chain, mut commits) = (from, 0);
    // Ends: each page but the last has at least one commit.
    loop {
        let page = backend.log.raw_after(stream, chain.after(), commits_max - commits).await?;
        let Some(tenant) = shown.and_then(|shown| shown.tenant).or_else(|| page.tenant()) else {
            return Ok(None);
        };
        if caller.is_some_and(|caller| access::may(caller, stream, tenant).is_err()) {
            return Ok(None);
        }
        chain = page.commits.iter().fold(chain, Chain::follow);
        commits += page.commits.len();
        if !page.has_more {
            let chain = chain.end(shown.map_or(0, |shown| shown.seq));
            return Ok(Some(Checked { chain, commits, ended: true }));
        }
        if commits >= commits_max || page.commits.is_empty() {
            return Ok(Some(Checked { chain, commits, ended: false }));
        }
    }
}
