//! An account's lists, and one list.

use infra::{
    Backend, Failure,
    http::{Call, Reply},
    rows::Range,
};
use schema::{
    Problem, StreamId, UserId, WaitlistId,
    body::{Page, Waitlist},
    id::Category,
    sync::SyncToken,
    table,
};

use super::{WaitlistRow, Waitlists};
use crate::{
    cursor::{self, Kind},
    fresh, waitees,
};

pub(crate) async fn one(backend: &Backend, call: &Call<'_>) -> Result<Reply, Failure> {
    let [] = call.query([])?;
    let tokens = call.sync_tokens()?;
    let id = WaitlistId(call.path_id()?);
    let row = kept(backend, call.owner, id, &tokens).await?;
    fresh::others(backend, call.owner, &tokens, waitees::query::board_of(id)).await?;
    let active = waitees::query::board(backend, call.owner, id, &tokens).await?.len();
    Reply::read(row.seq, &show(backend, &row, Some(active)))
}

pub(crate) async fn owned(backend: &Backend, call: &Call<'_>) -> Result<Reply, Failure> {
    let [limit, after] = call.query(["limit", "cursor"])?;
    let page = Kind::Lists.page(limit, after)?;
    let tokens = call.sync_tokens()?;
    let overlay = fresh::rows::<Waitlists>(backend, call.owner, &tokens).await?;
    fresh::others(backend, call.owner, &tokens, |stream| stream.category == Category::Waitlist).await?;
    let owner = call.owner.to_string();
    let range =
        Range { index: "owned", hash: ("owner", &owner), beyond: page.after.as_deref().map(|place| ("made", place)), backwards: false };
    // As many more as may turn out to be deleted, and one to tell whether there is a next page.
    let (mut rows, rest) = backend.rows.page::<WaitlistRow>(table::WAITLISTS, range, page.limit + overlay.len() + 1, None).await?;
    let seen_to = rows.last().filter(|_| rest.is_some()).map(|row| row.made.clone());
    rows.retain(|row| overlay.iter().all(|newer| newer.id != row.id));
    rows.extend(overlay.into_iter().filter(|row| {
        let on_page = page.after.as_ref().is_none_or(|after| row.made > *after) && seen_to.as_ref().is_none_or(|end| row.made <= *end);
        row.is_kept() && on_page
    }));
    rows.sort_by(|a, b| a.made.cmp(&b.made));
    let (rows, next) = cursor::cut(Kind::Lists, rows, page.limit, |row| row.made.clone());
    Reply::read(0, &Page { items: rows.iter().map(|row| show(backend, row, None)).collect(), next })
}

/// The list of a page; a deleted one is none.
pub(crate) async fn kept(backend: &Backend, owner: UserId, id: WaitlistId, tokens: &[SyncToken]) -> Result<WaitlistRow, Failure> {
    let demanded = fresh::demanded(tokens, StreamId::from(id));
    let row = fresh::row::<Waitlists>(backend, owner, id.0, demanded).await?.ok_or_else(Problem::not_found)?;
    if row.seq < demanded {
        return Err(fresh::unknown_token().into());
    }
    if row.is_kept() { Ok(row) } else { Err(Problem::not_found().into()) }
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
