//! Rows as fresh as the reader demands: from the table when it shows enough, else folded from the log, now.

use std::collections::BTreeSet;

use futures::future::try_join_all;
use infra::{Backend, Failure, rows::Row};
use schema::{Problem, StreamId, UserId, commit::DomainEvent, sync::SyncToken};
use uuid::Uuid;

use crate::projection::{Projection, fold};

/// The row of a stream, showing at least event `seq`; none when nothing ever happened there, or it is another account's.
/// 1 read unit, and those of loading the stream when the row is behind.
///
/// # Errors
/// Table or log cannot be read.
pub async fn row<P: Projection>(backend: &Backend, owner: UserId, id: Uuid, seq: u64) -> Result<Option<P::Row>, Failure>
where
    P::Row: Owned,
{
    let stream = StreamId { category: P::Event::CATEGORY, id };
    // A row of a newer version is shown as far as this code understands it; it is only not written over.
    let stored: Option<P::Row> = backend.rows.get(&id.to_string(), P::VERSION).await?.and_then(|found| found.row);
    let row = match stored {
        Some(row) if row.seq() >= seq => Some(row),
        behind => {
            let commits = backend.log.load_after(stream, behind.as_ref().map_or(0, Row::seq)).await?;
            fold::<P>(behind, &commits).map_err(|cause| Failure::broken(format!("fold {stream}"), cause))?
        }
    };
    Ok(row.filter(|row| row.tenant() == owner))
}

/// Rows with an owner.
pub trait Owned {
    /// The account the row belongs to.
    fn tenant(&self) -> UserId;
}

/// The rows that the reader's tokens are about, each showing at least what its token says.
///
/// # Errors
/// A token names what is not the account's, or more than there is: one and the same 400. Table or log cannot be read.
pub async fn rows<P: Projection>(backend: &Backend, owner: UserId, tokens: &[SyncToken]) -> Result<Vec<P::Row>, Failure>
where
    P::Row: Owned,
{
    let streams: BTreeSet<StreamId> =
        tokens.iter().map(|token| token.stream).filter(|stream| stream.category == P::Event::CATEGORY).collect();
    let mut rows = Vec::with_capacity(streams.len());
    for stream in streams {
        let seq = demanded(tokens, stream);
        let row = row::<P>(backend, owner, stream.id, seq).await?;
        rows.push(row.filter(|row| row.seq() >= seq).ok_or_else(unknown_token)?);
    }
    Ok(rows)
}

/// Looks at the tokens about streams that the answer is not `made_from`: a wrong one is refused wherever it is sent. 1 read
/// unit for each such stream, all at once.
///
/// # Errors
/// As [`rows`].
pub async fn others(backend: &Backend, owner: UserId, tokens: &[SyncToken], made_from: impl Fn(StreamId) -> bool) -> Result<(), Failure> {
    let streams: BTreeSet<StreamId> = tokens.iter().map(|token| token.stream).filter(|stream| !made_from(*stream)).collect();
    let looks = streams.into_iter().map(|stream| async move {
        let latest = backend.log.latest(stream).await?;
        let is_there = latest.is_some_and(|latest| latest.tenant == owner && latest.last >= demanded(tokens, stream));
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

impl Owned for crate::waitees::WaiteeRow {
    fn tenant(&self) -> UserId {
        self.tenant
    }
}

impl Owned for crate::waitlists::WaitlistRow {
    fn tenant(&self) -> UserId {
        self.tenant
    }
}
