//! An account's lists, and one list.

use infra::{
    Backend, Failure,
    http::{Call, Reply},
    rows::Range,
    vault::Subject,
};
use schema::{
    Actor, Problem, StreamId, WaitlistId,
    body::{Page, Waitlist, guest::PublicWaitlist},
    id::Category,
    sync::SyncToken,
    table,
};

use super::{WaitlistRow, Waitlists};
use crate::{
    cursor::{self, Kind},
    fresh, waitees,
};

/// Up to how many parties are counted for guests: no list may hold as many.
const WAITING_COUNTED_MAX: usize = 500;

pub(crate) async fn one(backend: &Backend, call: &Call<'_>) -> Result<Reply, Failure> {
    let [] = call.query([])?;
    let tokens = call.sync_tokens()?;
    let id = WaitlistId(call.path_id()?);
    let row = kept(backend, call.actor(), id, &tokens).await?;
    fresh::check_others(backend, call.actor(), &tokens, waitees::query::board_of(id)).await?;
    let active = waitees::query::board(backend, call.actor(), id, &tokens).await?.len();
    Reply::read(row.seq, &show(backend, &row, Some(active)))
}

/// A list as guests see it. Of who waits there it tells how many they are, as the rows know it: tokens of visits are not looked
/// at, for nobody says who asks.
pub(crate) async fn public(backend: &Backend, call: &Call<'_>) -> Result<Reply, Failure> {
    let [] = call.query([])?;
    let row = at_the_door(backend, WaitlistId(call.path_id()?), &call.sync_tokens()?).await?;
    let waiting = backend.rows.active(row.id, WAITING_COUNTED_MAX).await?;
    let quote_minutes = row.list.settings.quote(waiting).map(|minutes| minutes.get());
    let body = PublicWaitlist {
        id: row.id.0,
        name: row.list.settings.name.to_string(),
        open: row.list.open,
        waiting: u32::try_from(waiting).unwrap_or(u32::MAX),
        quote_minutes,
    };
    Reply::read(row.seq, &body)
}

pub(crate) async fn owned(backend: &Backend, call: &Call<'_>) -> Result<Reply, Failure> {
    let [limit, after] = call.query(["limit", "cursor"])?;
    let page = Kind::Lists.page(limit, after)?;
    let tokens = call.sync_tokens()?;
    let overlay = fresh::rows::<Waitlists>(backend, call.actor(), &tokens).await?;
    fresh::check_others(backend, call.actor(), &tokens, |stream| stream.category == Category::Waitlist)
        .await?;
    let owner = call.owner.to_string();
    let range = Range {
        index: "owned",
        hash: ("owner", &owner),
        beyond: page.after.as_deref().map(|place| ("made", place)),
        backwards: false,
    };
    // As many more as may turn out to be deleted, and one to tell whether there is a next page.
    let (mut rows, rest) = backend
        .rows
        .page::<WaitlistRow>(table::WAITLISTS, range, page.limit + overlay.len() + 1, None)
        .await?;
    let seen_to = rows.last().filter(|_| rest.is_some()).map(|row| row.made.clone());
    rows.retain(|row| overlay.iter().all(|newer| newer.id != row.id));
    rows.extend(overlay.into_iter().filter(|row| {
        let on_page = page.after.as_ref().is_none_or(|after| row.made > *after)
            && seen_to.as_ref().is_none_or(|end| row.made <= *end);
        row.is_kept() && on_page
    }));
    rows.sort_by(|a, b| a.made.cmp(&b.made));
    let (rows, next) = cursor::cut(Kind::Lists, rows, page.limit, |row| row.made.clone());
    Reply::read(0, &Page { items: rows.iter().map(|row| show(backend, row, None)).collect(), next })
}

/// The list of a page; a deleted one is none.
pub(crate) async fn kept(
    backend: &Backend,
    caller: Actor,
    id: WaitlistId,
    tokens: &[SyncToken],
) -> Result<WaitlistRow, Failure> {
    let demanded = fresh::demanded(tokens, StreamId::from(id));
    Ok(still_kept(fresh::row::<Waitlists>(backend, caller, id.0, demanded).await?, demanded)?)
}

/// The list of a page that is for everyone: whoever knows its id may see it, as on the restaurant's door. A deleted one is none,
/// and so is that of a forgotten account.
pub(crate) async fn at_the_door(
    backend: &Backend,
    id: WaitlistId,
    tokens: &[SyncToken],
) -> Result<WaitlistRow, Failure> {
    let demanded = fresh::demanded(tokens, StreamId::from(id));
    let row = still_kept(fresh::public_row::<Waitlists>(backend, id.0, demanded).await?, demanded)?;
    let account = backend.vault.key(Subject::Account(row.tenant)).await?;
    account.map(|_| row).ok_or_else(|| Problem::not_found().into())
}

fn still_kept(row: Option<WaitlistRow>, demanded: u64) -> Result<WaitlistRow, Problem> {
    let row = row.ok_or_else(Problem::not_found)?;
    if row.seq < demanded {
        return Err(fresh::unknown_token());
    }
    if row.is_kept() { Ok(row) } else { Err(Problem::not_found()) }
}

fn show(backend: &Backend, row: &WaitlistRow, active: Option<usize>) -> Waitlist {
    let settings = &row.list.settings;
    Waitlist {
        id: row.id.0,
        name: settings.name.to_string(),
        time_zone: settings.time_zone.to_string(),
        region: settings.region.to_string(),
        capacity: settings.capacity.get(),
        hold_minutes: settings.hold_minutes.get(),
        remind_minutes: settings.remind_minutes.map(|minutes| minutes.get()),
        quote_minutes: settings.quote_minutes.map(|minutes| minutes.get()),
        language: settings.language.to_string(),
        day_starts: settings.day_starts.to_string(),
        open: row.list.open,
        active: active.map(|active| u32::try_from(active).unwrap_or(u32::MAX)),
        created_at: row.list.created_at,
        public_url: format!("{}/join/{}", backend.public_url, row.id),
        seq: row.seq,
    }
}
