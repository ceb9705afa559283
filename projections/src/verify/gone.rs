//! Streams that were removed from the log as a whole: their rows are left.

use infra::{Backend, Failure, rows::Showing};
use schema::{StreamId, body::Bad, commit::Chain, id::Category, projection::Name};
use tokio::sync::Mutex;

use super::{bad, report::Report, stream::check};

/// The streams whose first commits are read at once.
const STREAMS_AT_ONCE: usize = 100;

/// Reports the rows of streams without any commit. Costs half a read unit per 4 KB of the rows, and 1 read unit
/// for the first commit of each stream.
///
/// # Errors
/// A table does not answer.
pub(super) async fn find(backend: &Backend, report: &Mutex<Report>) -> Result<(), Failure> {
    let set = backend.rows.generations().current().await?;
    for name in Name::ALL {
        let (live, mut start) = (set.roles(name).live, None);
        // Ends with the table, which the engine reads in the order of keys.
        loop {
            let (rows, next) = backend.rows.scan(name, live, start).await?;
            for some in rows.chunks(STREAMS_AT_ONCE) {
                let gone = gone(backend, name.category(), some).await?;
                let mut report = report.lock().await;
                gone.into_iter().for_each(|bad| report.damaged(bad));
            }
            start = next;
            if start.is_none() {
                break;
            }
        }
    }
    Ok(())
}

/// The streams of these rows that have no commit. A row is written after the first commit of its stream, so the
/// stream of a row that was read has one unless it was removed.
async fn gone(backend: &Backend, category: Category, rows: &[Showing]) -> Result<Vec<Bad>, Failure> {
    let streams = rows.iter().map(|row| StreamId { category, id: row.id });
    let begun = backend.log.commits_at(streams.clone().map(|stream| (stream, 1))).await?;
    let mut found = Vec::new();
    for stream in streams.filter(|stream| !begun.contains_key(&(*stream, 1))) {
        // If later commits are left, the scan of the log has reported the missing first one.
        if backend.log.raw_latest(stream).await?.is_none()
            && let Some(checked) = check(backend, None, stream, Chain::START, 1).await?
        {
            found.extend(bad(stream, &checked.chain));
        }
    }
    Ok(found)
}
