//! The parties of a business day, by time of joining.

use chrono::NaiveDate;
use infra::{
    Backend, Failure,
    http::Call,
    rows::{Order, Range, Selection},
};
use schema::{
    Problem, WaitlistId,
    body::{Page, Waitee},
    sync::SyncToken,
    table::{DAY, DayEntry, DayKeys, WAITEES, WaiteeRow},
};

use super::{
    Waitees,
    show::{keys, show},
};
use crate::{
    cursor::{Kind, PageRequest, cut},
    fresh,
};

/// Reads the parameter `day`: `2026-11-20`, and no other spelling.
pub(super) fn read(text: &str) -> Result<NaiveDate, Problem> {
    const CHARS: usize = "2026-11-20".len(); // years of more digits have a sign
    let day = text.parse().ok().filter(|day: &NaiveDate| text.len() == CHARS && day.to_string() == text);
    day.ok_or_else(|| Problem::invalid_parameter("day", "must be a date such as 2026-11-20"))
}

/// A page of the parties. The caller's access to the list is checked before.
pub(super) async fn page(
    backend: &Backend,
    call: &Call<'_>,
    list: WaitlistId,
    day: NaiveDate,
    page: &PageRequest,
    tokens: &[SyncToken],
) -> Result<Page<Waitee>, Failure> {
    let newer = fresh::rows::<Waitees>(backend, call.actor(), tokens).await?;
    let list_day = DayKeys::partition(list, day);
    let selection = Selection {
        index: DAY,
        partition: &list_day,
        range: Range::after(page.after.as_deref()),
        order: Order::Ascending,
    };
    let entries = backend.rows.entries::<DayEntry>(WAITEES, selection, page.limit + 1, None).await?;
    let end = entries.rows.last().filter(|_| entries.next.is_some()).map(|last| last.arrival.clone());
    let is_stale = |entry: &DayEntry| newer.iter().any(|newer| newer.id == entry.id);
    let ids: Vec<_> = entries.rows.iter().filter(|entry| !is_stale(entry)).map(|entry| entry.id.0).collect();
    let stored: Vec<WaiteeRow> = backend.rows.get_all(&ids).await?;
    let is_here = |row: &WaiteeRow| {
        row.day_keys.list_day == list_day && page.holds(&row.day_keys.arrival, end.as_deref())
    };
    let mut rows = fresh::lay_over(stored, newer, is_here);
    rows.sort_by(|a, b| a.day_keys.arrival.cmp(&b.day_keys.arrival));
    let rows = cut(Kind::Day, rows, page.limit, |row| row.day_keys.arrival.clone());
    let (keys, now) = (keys(backend, call.owner, &rows.items).await?, backend.clock.now());
    Ok(rows.map(|row| show(&row, keys.get(&row.id), None, now)))
}
