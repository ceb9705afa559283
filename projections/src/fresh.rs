//! Rows at least as fresh as a request's Sync-Tokens demand: from the table, or folded from the log if the
//! table is behind.

use std::collections::BTreeSet;

use futures::future::try_join_all;
use infra::{Backend, Failure};
use schema::{Actor, Problem, StreamId, access, event::DomainEvent, sync::SyncToken, table::Row};
use uuid::Uuid;

use crate::{
    lag,
    projection::{Projection, fold},
};

/// Returns the row of a stream, showing at least the events that the tokens demand.
///
/// # Errors
/// 404 if the stream is empty or the caller may not see it; 400 if a token names an event that does not
/// exist. The table or the log cannot be read.
pub async fn found<P: Projection>(
    backend: &Backend,
    caller: Actor,
    id: Uuid,
    tokens: &[SyncToken],
) -> Result<P::Row, Failure> {
    let stream = stream::<P>(id);
    let row = row::<P>(backend, id, demanded(tokens, stream)).await?;
    let row = row.filter(|row| access::may(caller, stream, row.tenant()).is_ok());
    as_fresh_as(demanded(tokens, stream), row.ok_or_else(Problem::not_found)?)
}

/// Like [`found`], without a check of the caller: for public pages.
///
/// # Errors
/// As [`found`].
pub async fn found_by_anyone<P: Projection>(
    backend: &Backend,
    id: Uuid,
    tokens: &[SyncToken],
) -> Result<P::Row, Failure> {
    let demanded = demanded(tokens, stream::<P>(id));
    as_fresh_as(demanded, row::<P>(backend, id, demanded).await?.ok_or_else(Problem::not_found)?)
}

fn as_fresh_as<R: Row>(seq: u64, row: R) -> Result<R, Failure> {
    if row.seq() < seq { Err(unknown_token().into()) } else { Ok(row) }
}

fn stream<P: Projection>(id: Uuid) -> StreamId {
    StreamId { category: P::Event::CATEGORY, id }
}

/// Returns the row of a stream, folded from the log if the table does not show event `seq` yet. Returns
/// `None` if the stream is empty. Costs 1 read unit, and those of loading the stream if the row is behind.
///
/// # Errors
/// The table or the log cannot be read.
pub async fn row<P: Projection>(backend: &Backend, id: Uuid, seq: u64) -> Result<Option<P::Row>, Failure> {
    let stream = stream::<P>(id);
    // A row of a newer version is shown as far as this code understands it, but never overwritten.
    let found = backend.rows.get::<P::Row>(id, P::VERSION).await?;
    let shown = found.as_ref().map_or(0, |found| found.seq);
    match found.and_then(|found| found.row) {
        Some(row) if row.seq() >= seq => Ok(Some(row)),
        behind => {
            let commits = backend.log.load_after(stream, behind.as_ref().map_or(0, Row::seq)).await?;
            if let Some(lacking) = commits.iter().find(|commit| commit.seq > shown) {
                lag::observe(backend, P::NAME, lacking.at);
            }
            fold::<P>(behind, &commits).map_err(|cause| Failure::broken(format!("fold {stream}"), cause))
        }
    }
}

/// Returns the rows of the streams that the tokens name, each showing at least its token's event.
///
/// # Errors
/// A token names a stream that the caller may not see, or an event that does not exist: the same 400 for
/// both. The table or the log cannot be read.
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
        let row = row::<P>(backend, stream.id, seq).await?;
        let visible = row.filter(|row| access::may(caller, stream, row.tenant()).is_ok());
        rows.push(visible.filter(|row| row.seq() >= seq).ok_or_else(unknown_token)?);
    }
    Ok(rows)
}

/// Puts fresh rows in the place of rows read from an index: removes the index's version of each, and adds
/// those that belong on the page.
pub fn lay_over<R: Row>(mut stored: Vec<R>, newer: Vec<R>, is_here: impl Fn(&R) -> bool) -> Vec<R> {
    stored.retain(|row| newer.iter().all(|newer| newer.id() != row.id()));
    stored.extend(newer.into_iter().filter(is_here));
    stored
}

/// Checks the tokens of streams that the answer does not depend on, because a wrong token is refused in every
/// request. Costs 1 read unit for each such stream.
///
/// # Errors
/// As [`rows`].
pub async fn check_others(
    backend: &Backend,
    caller: Actor,
    tokens: &[SyncToken],
    is_shown: impl Fn(StreamId) -> bool,
) -> Result<(), Failure> {
    let streams: BTreeSet<StreamId> =
        tokens.iter().map(|token| token.stream).filter(|stream| !is_shown(*stream)).collect();
    let checks = streams.into_iter().map(|stream| async move {
        let latest = backend.log.latest(stream).await?;
        let visible = latest.filter(|latest| access::may(caller, stream, latest.tenant).is_ok());
        let exists = visible.is_some_and(|latest| latest.last >= demanded(tokens, stream));
        if exists { Ok(()) } else { Err(Failure::from(unknown_token())) }
    });
    try_join_all(checks).await.map(drop)
}

/// Returns the seq that the tokens demand of a stream, or 0 if they do not name it.
#[must_use]
pub fn demanded(tokens: &[SyncToken], stream: StreamId) -> u64 {
    tokens.iter().filter(|token| token.stream == stream).map(|token| token.seq).max().unwrap_or(0)
}

/// The problem of a token whose stream or event does not exist or belongs to another account.
#[must_use]
pub fn unknown_token() -> Problem {
    Problem::invalid_header("Sync-Token", "must be a Sync-Token returned by one of this account's writes")
}
