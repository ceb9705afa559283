//! The history of an account: the events of all its streams in the order of time, found by the index `audit`
//! of the events table.
//!
//! The index is read, filtered by what it holds, and only then the commits that may be shown. It is eventually
//! consistent, so every answer names the time up to which it is complete.

mod bounds;
pub mod export;
mod open;
mod place;
mod query;
mod range;
mod walk;

use infra::{
    Backend, Failure,
    http::{Call, Reply},
    log::{Entry, entry_of},
    rows::Order,
};
use schema::{Actor, UserId, access, body::Audit, sync::SyncToken};

pub use self::query::{PARAMETERS, Query};
use self::{
    bounds::{CLOCKS_APART_MS, oldest},
    range::{Position, Range},
};
use crate::{complete::complete_until, cursor::Kind, fresh, users::Users};

pub(crate) async fn of_account(backend: &Backend, call: &Call<'_>) -> Result<Reply, Failure> {
    let query = Query::parse(call.query(PARAMETERS)?)?;
    let page = page(backend, call.owner, &query, &call.sync_tokens()?).await?;
    Reply::read(0, &page)
}

/// A page of the account's history. The caller may see the account.
///
/// # Errors
/// A token names another account's stream or no event: 400. A table cannot be read.
pub async fn page(
    backend: &Backend,
    account: UserId,
    query: &Query,
    tokens: &[SyncToken],
) -> Result<Audit, Failure> {
    let now = backend.clock.now();
    let complete_until = complete_until(now);
    let written = written(backend, account, tokens).await?;
    let row = fresh::row::<Users>(backend, account.0, 0).await?;
    let newest = match query.order {
        Order::Ascending => complete_until,
        Order::Descending => now.plus_millis(CLOCKS_APART_MS),
    };
    let range = query.range().and(Range { low: oldest(row.as_ref()), high: Position::before(newest) });
    let found = walk::find(backend, account, query, range, &written).await?;
    let items = open::show(backend, account, row.as_ref(), found.hits).await?;
    let next = found.next.map(|position| Kind::Audit.cursor(&position.to_string()));
    Ok(Audit { items, next, complete_until })
}

/// The commits that the tokens name, which the index may not hold yet. Costs 1 read unit each.
async fn written(backend: &Backend, account: UserId, tokens: &[SyncToken]) -> Result<Vec<Entry>, Failure> {
    let read = tokens.iter().map(|token| backend.log.holding(token.stream, token.seq));
    let mut entries: Vec<Entry> = Vec::with_capacity(tokens.len());
    for commit in futures::future::try_join_all(read).await? {
        let visible =
            |commit: &schema::Commit| access::may(Actor::User(account), commit.stream, commit.tenant).is_ok();
        let commit = commit.filter(visible).ok_or_else(fresh::unknown_token)?;
        let entry = entry_of(&commit)
            .map_err(|cause| Failure::broken(format!("read {}@{}", commit.stream, commit.seq), cause))?;
        entries.extend(entry);
    }
    Ok(entries)
}
