//! An account's lists, and one list as everyone may see it.

use infra::{
    Backend, Failure,
    cache::Answer,
    http::{Call, Reply},
    rows::{Order, Range, Selection},
    vault::Subject,
};
use schema::{
    Actor, Problem, WaitlistId,
    body::{Waitlist, guest::PublicWaitlist},
    id::Category,
    page::Page,
    sync::SyncToken,
    table::{OWNED, WaitlistRow},
};

use super::{Waitlists, past};
use crate::{
    as_of::When,
    cursor::{Kind, cut},
    fresh,
};

/// The bound on counting the parties of a list for guests. Lists hold fewer.
const WAITING_COUNTED_MAX: usize = 500;

/// A list as everyone may see it. Only tokens of the list itself are taken, because the caller is unknown: any other answer
/// would reveal that a stream exists. The number of parties is that of the rows. Without a Sync-Token the answer may be a second old.
pub(crate) async fn public(backend: &Backend, call: &Call<'_>) -> Result<Reply, Failure> {
    let [] = call.query([])?;
    let (id, tokens) = (WaitlistId(call.path_id()?), call.sync_tokens()?);
    let read = || shown_at_the_door(backend, id, &tokens);
    let Answer { seq, body } = if tokens.is_empty() {
        backend.public_lists.answer(id.0, backend.clock.moment(), read).await?
    } else {
        read().await?
    };
    Reply::read(seq, &body)
}

async fn shown_at_the_door(
    backend: &Backend,
    id: WaitlistId,
    tokens: &[SyncToken],
) -> Result<Answer<PublicWaitlist>, Failure> {
    let row = at_the_door(backend, id, tokens).await?;
    if tokens.iter().any(|token| token.stream != id.into()) {
        return Err(fresh::unknown_token().into());
    }
    let waiting = backend.rows.active(row.id, WAITING_COUNTED_MAX).await?;
    let settings = &row.list.settings;
    let quote_minutes = settings.quote(waiting).map(|minutes| minutes.get());
    let body = PublicWaitlist {
        id: row.id.0,
        name: settings.name.to_string(),
        open: row.list.open,
        waiting: u32::try_from(waiting).unwrap_or(u32::MAX),
        quote_minutes,
        time_zone: settings.time_zone.to_string(),
        language: settings.language,
        region: settings.region.to_string(),
    };
    Ok(Answer { seq: row.seq, body })
}

/// The caller's lists by creation.
pub(crate) async fn owned(backend: &Backend, call: &Call<'_>) -> Result<Reply, Failure> {
    let [limit, cursor] = call.query(["limit", "cursor"])?;
    let page = Kind::Lists.page(limit, cursor)?;
    let tokens = call.sync_tokens()?;
    let newer = fresh::rows::<Waitlists>(backend, call.actor(), &tokens).await?;
    let is_list = |stream: schema::StreamId| stream.category == Category::Waitlist;
    fresh::check_others(backend, call.actor(), &tokens, is_list).await?;
    let selection = Selection {
        index: OWNED,
        partition: &call.owner.to_string(),
        range: Range::after(page.after.as_deref()),
        order: Order::Ascending,
    };
    // One row more tells whether there is a next page; each newer row may show that its list was deleted.
    let stored = backend.rows.page::<WaitlistRow>(selection, page.limit + newer.len() + 1, None).await?;
    let end = stored.rows.last().filter(|_| stored.next.is_some()).map(|row| row.made.clone());
    let is_here = |row: &WaitlistRow| row.is_kept() && page.holds(&row.made, end.as_deref());
    let mut rows = fresh::lay_over(stored.rows, newer, is_here);
    rows.sort_by(|a, b| a.made.cmp(&b.made));
    let rows = cut(Kind::Lists, rows, page.limit, |row| row.made.clone());
    Reply::read(0, &rows.map(|row| show(backend, &row, None)))
}

/// The row of a list that the caller may see and that is not deleted at that time.
pub(crate) async fn kept(
    backend: &Backend,
    caller: Actor,
    id: WaitlistId,
    when: &When,
) -> Result<WaitlistRow, Failure> {
    only_kept(match when {
        When::Now(tokens) => fresh::found::<Waitlists>(backend, caller, id.0, tokens).await?,
        When::AsOf(at) => past::found(backend, caller, id, *at).await?,
    })
}

/// The row of a list that is not deleted, at least as fresh as the tokens demand, for pages that are open to
/// everyone: the id of a list is enough to see it. A list of a forgotten account is not found.
pub(crate) async fn at_the_door(
    backend: &Backend,
    id: WaitlistId,
    tokens: &[SyncToken],
) -> Result<WaitlistRow, Failure> {
    let row = only_kept(fresh::found_by_anyone::<Waitlists>(backend, id.0, tokens).await?)?;
    let account = backend.vault.key(Subject::Account(row.tenant)).await?;
    account.map(|_| row).ok_or_else(|| Problem::not_found().into())
}

fn only_kept(row: WaitlistRow) -> Result<WaitlistRow, Failure> {
    if row.is_kept() { Ok(row) } else { Err(Problem::not_found().into()) }
}

/// The body that shows a list, with the number of active parties where the page counts them.
pub(crate) fn show(backend: &Backend, row: &WaitlistRow, active: Option<usize>) -> Waitlist {
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
        public_url: Page::Join.link(&backend.public_url, &row.id.to_string()),
        seq: row.seq,
    }
}
