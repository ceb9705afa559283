//! Rows as fresh as the reader demands: from the table when it shows enough, else folded from the log, now.

use std::collections::BTreeSet;

use futures::future::try_join_all;
use infra::{Backend, Failure, rows::Row};
use schema::{Actor, Problem, StreamId, access, event::DomainEvent, sync::SyncToken};
use uuid::Uuid;

use crate::projection::{Projection, fold};

/// The row of a stream, showing at least event `seq`; none when nothing ever happened there, or the caller may not see it.
/// 1 read unit, and those of loading the stream when the row is behind.
///
/// # Errors
/// Table or log cannot be read.
pub async fn row<P: Projection>(
    backend: &Backend,
    caller: Actor,
    id: Uuid,
    seq: u64,
) -> Result<Option<P::Row>, Failure> {
    let stream = StreamId { category: P::Event::CATEGORY, id };
    let row = anyones::<P>(backend, id, seq).await?;
    Ok(row.filter(|row| access::may(caller, stream, row.tenant()).is_ok()))
}

/// As [`row`], whoever's it is: for pages that are for everyone.
///
/// # Errors
/// Table or log cannot be read.
pub(crate) async fn anyones<P: Projection>(
    backend: &Backend,
    id: Uuid,
    seq: u64,
) -> Result<Option<P::Row>, Failure> {
    let stream = StreamId { category: P::Event::CATEGORY, id };
    // A row of a newer version is shown as far as this code understands it; it is only not written over.
    let stored: Option<P::Row> =
        backend.rows.get(&id.to_string(), P::VERSION).await?.and_then(|found| found.row);
    match stored {
        Some(row) if row.seq() >= seq => Ok(Some(row)),
        behind => {
            let commits = backend.log.load_after(stream, behind.as_ref().map_or(0, Row::seq)).await?;
            fold::<P>(behind, &commits).map_err(|cause| Failure::broken(format!("fold {stream}"), cause))
        }
    }
}

/// The rows that the reader's tokens are about, each showing at least what its token says.
///
/// # Errors
/// A token names what the caller may not see, or more than there is: one and the same 400. Table or log cannot be read.
pub async fn rows<P: Projection>(
    backend: &Backend,
    caller: Actor,
    tokens: &[SyncToken],
) -> Result<Vec<P::Row>, Failure> {
    let streams: BTreeSet<StreamId> = tokens
        .iter()
        .map(|token| token.stream)
        .filter(|stream| stream.category == P::Event::CATEGORY)
        .collect();
    let mut rows = Vec::with_capacity(streams.len());
    for stream in streams {
        let seq = demanded(tokens, stream);
        let row = row::<P>(backend, caller, stream.id, seq).await?;
        rows.push(row.filter(|row| row.seq() >= seq).ok_or_else(unknown_token)?);
    }
    Ok(rows)
}

/// Looks at the tokens about streams that the answer is not `made_from`: a wrong one is refused wherever it is sent. 1 read
/// unit for each such stream, all at once.
///
/// # Errors
/// As [`rows`].
pub async fn others(
    backend: &Backend,
    caller: Actor,
    tokens: &[SyncToken],
    made_from: impl Fn(StreamId) -> bool,
) -> Result<(), Failure> {
    let streams: BTreeSet<StreamId> =
        tokens.iter().map(|token| token.stream).filter(|stream| !made_from(*stream)).collect();
    let looks = streams.into_iter().map(|stream| async move {
        let latest = backend.log.latest(stream).await?;
        let seen = latest.filter(|latest| access::may(caller, stream, latest.tenant).is_ok());
        let is_there = seen.is_some_and(|latest| latest.last >= demanded(tokens, stream));
        if is_there { Ok(()) } else { Err(Failure::from(unknown_token())) }
    });
    try_join_all(looks).await.map(drop)
}

/// The seq that the tokens demand of one stream; 0 when they are silent about it.
#[must_use]
pub fn demanded(tokens: &[SyncToken], stream: StreamId) -> u64 {
    tokens.iter().filter(|token| token.stream == stream).map(|token| token.seq).max().unwrap_or(0)
}

/// A token of a stream that there is not, not yet, or not for this account.
#[must_use]
pub fn unknown_token() -> Problem {
    Problem::invalid_header("Sync-Token", "must be as a write of this account answered it")
}
