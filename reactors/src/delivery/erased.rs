//! The last check before a message goes out: its account and its guest must not have been erased.
//!
//! A message is worded from data that was read before the lease. An erasure that was accepted since then must
//! stop it.

use infra::{Backend, Failure};
use schema::{Commit, StreamId, UserId, id::Category};

/// Event types after which no message is sent.
const ERASURES: [&str; 4] = ["user.erased", "user.forgotten", "waitee.erased", "waitee.forgotten"];

/// Whether the account was erased, or the message's visit was erased after event `known`. Strongly
/// consistent: 1 read unit for the account's latest commit, and for a visit 1 for its commits after `known`.
pub(super) async fn is_erased(
    backend: &Backend,
    account: UserId,
    stream: StreamId,
    known: u64,
) -> Result<bool, Failure> {
    // Only `forgotten` can follow `erased` in an account's stream, so the latest commit is enough.
    let latest = backend.log.latest(account.into()).await?;
    let since = match stream.category {
        Category::Waitee => backend.log.load_after(stream, known).await?,
        // These are erased with their account.
        Category::User
        | Category::Mail
        | Category::Session
        | Category::Waitlist
        | Category::Access
        | Category::Projection => Vec::new(),
    };
    latest.iter().chain(&since).try_fold(false, |erased, commit| Ok(erased || erases(commit)?))
}

fn erases(commit: &Commit) -> Result<bool, Failure> {
    let types = commit.types().map_err(|cause| Failure::broken(format!("read {}", commit.stream), cause))?;
    Ok(types.iter().any(|kind| ERASURES.contains(&kind.as_str())))
}
