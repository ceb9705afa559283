//! Opens the sealed fields of a page's events, of those subjects that are not erased.

use std::collections::{BTreeSet, HashMap};

use futures::stream::{self, StreamExt as _, TryStreamExt as _};
use infra::{
    Backend, Failure,
    vault::{Subject, SubjectKey},
};
use schema::{
    Commit, StreamId, UserId, WaiteeId,
    body::Event,
    id::Category,
    table::{UserRow, WaiteeRow, users::State},
};
use tracing::error;

use super::walk::Hit;
use crate::events::{begins_erasure, events, holds_sealed};

const STREAMS_AT_ONCE: usize = 16;

/// The events as they are shown. Commits that cannot be read are left out.
pub(super) async fn show(
    backend: &Backend,
    account: UserId,
    row: Option<&UserRow>,
    hits: Vec<Hit>,
) -> Result<Vec<Event>, Failure> {
    let sealed = hits.iter().map(|hit| &hit.commit).filter(|commit| holds_sealed(commit));
    let keys = keys(backend, account, row, sealed.map(|commit| commit.stream).collect()).await?;
    let mut shown = Vec::new();
    for Hit { commit, events: numbers } in hits {
        let mut all = match events(&commit, keys.get(&commit.stream)) {
            Ok(all) => all,
            Err(unreadable) => {
                let Commit { stream, seq, .. } = commit;
                error!(%stream, seq, cause = unreadable.chain(), "a stored commit cannot be shown and is left out of the history; `waitlist verify` names the fault");
                continue;
            }
        };
        for number in numbers {
            if let Some(place) = all.iter().position(|event| event.seq == number) {
                shown.push(all.swap_remove(place));
            }
        }
    }
    Ok(shown)
}

/// The keys of those subjects of these streams that are not erased. A row that is not erased yet may be behind
/// its stream, so the rest of the stream is read as well: no value is shown once an erasure was answered.
async fn keys(
    backend: &Backend,
    account: UserId,
    row: Option<&UserRow>,
    streams: BTreeSet<StreamId>,
) -> Result<HashMap<StreamId, SubjectKey>, Failure> {
    let is_gone = row.is_some_and(|row| row.state != State::Kept);
    if streams.is_empty()
        || is_gone
        || is_erased(backend, account.into(), row.map_or(0, |row| row.seq)).await?
    {
        return Ok(HashMap::new());
    }
    let guests: Vec<_> =
        streams.iter().filter(|stream| stream.category == Category::Waitee).map(|stream| stream.id).collect();
    let rows: Vec<WaiteeRow> = backend.rows.get_all(&guests).await?;
    let rows: HashMap<WaiteeId, WaiteeRow> = rows.into_iter().map(|row| (row.id, row)).collect();
    let subjects: Vec<Subject> = stream::iter(streams)
        .map(|stream| subject(backend, account, stream, rows.get(&WaiteeId(stream.id))))
        .buffer_unordered(STREAMS_AT_ONCE)
        .try_filter_map(async |subject| Ok(subject))
        .try_collect()
        .await?;
    let keys = backend.vault.keys(&subjects).await?.into_iter();
    Ok(keys
        .map(|(subject, key)| match subject {
            Subject::Account(account) => (account.into(), key),
            Subject::Guest { guest, .. } => (guest.into(), key),
        })
        .collect())
}

/// The subject of a stream, unless it is erased.
async fn subject(
    backend: &Backend,
    account: UserId,
    stream: StreamId,
    row: Option<&WaiteeRow>,
) -> Result<Option<Subject>, Failure> {
    match stream.category {
        Category::User => Ok(Some(Subject::Account(account))),
        Category::Waitee => {
            let is_erased = row.is_some_and(|row| row.erased)
                || is_erased(backend, stream, row.map_or(0, |row| row.seq)).await?;
            let guest = WaiteeId(stream.id);
            Ok((!is_erased).then_some(Subject::Guest { account, guest }))
        }
        // Nothing in them is sealed.
        Category::Mail | Category::Session | Category::Waitlist | Category::Access | Category::Projection => {
            Ok(None)
        }
    }
}

/// Whether a stream holds the beginning of an erasure after event `seq`. A stream that cannot be read counts as
/// erased.
async fn is_erased(backend: &Backend, stream: StreamId, seq: u64) -> Result<bool, Failure> {
    match backend.log.load_after(stream, seq).await {
        Ok(commits) => Ok(commits.iter().any(begins_erasure)),
        Err(failure) if failure.is_passing() => Err(failure),
        Err(failure) => {
            error!(%stream, cause = failure.chain(), "values of a damaged stream are not shown");
            Ok(true)
        }
    }
}
