//! Reading a stream as of an earlier time.

use schema::{Commit, StreamId, Time};

use super::Log;
use crate::failure::Failure;

impl Log {
    /// The first commit of a stream and the last one at or before `at`; nothing if the stream began later. For
    /// streams whose events hold the whole state.
    ///
    /// Reads the first and the latest commit. If the latest is too late, halves the stream until the commit is
    /// found: one item per call, 14 calls for 10,000 events, each strongly consistent.
    ///
    /// # Errors
    /// The table cannot be read, or a commit on the way is damaged or missing.
    pub async fn first_and_last_until(&self, stream: StreamId, at: Time) -> Result<Vec<Commit>, Failure> {
        let first = self.page_after(stream, 0, 1).await?.commits.pop();
        let Some(first) = first.filter(|first| first.at <= at) else { return Ok(Vec::new()) };
        let latest = self.latest(stream).await?.unwrap_or_else(|| first.clone());
        let mut found = first.clone();
        let mut too_late_from = latest.last + 1;
        let mut next = latest;
        loop {
            if next.at <= at {
                found = next;
            } else {
                too_late_from = next.seq;
            }
            if found.last + 1 >= too_late_from {
                break;
            }
            let seq = (found.last + too_late_from) / 2;
            next = self.holding(stream, seq).await?.ok_or_else(|| {
                Failure::broken(format!("load {stream}@{seq}"), "no commit holds this event")
            })?;
        }
        Ok(if found.seq == first.seq { vec![first] } else { vec![first, found] })
    }
}
