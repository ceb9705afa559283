//! The board, one party, and the parties of a day.

use std::collections::HashMap;

use chrono::NaiveDate;
use infra::{
    Backend, Failure,
    http::{Call, Reply},
    rows::Range,
    vault::{Subject, SubjectKey},
};
use schema::{
    Actor, Problem, Sealed, StreamId, Time, UserId, WaiteeId, WaitlistId,
    body::{Notification, Page, Waitee},
    id::Category,
    message::Entry,
    sealed::Personal,
    sync::SyncToken,
    table,
};
use serde::Deserialize;
use tracing::warn;
use uuid::Uuid;

use super::{WaiteeRow, Waitees, doubles::Doubles};
use crate::{
    cursor::{self, Kind, PageRequest},
    fresh, opened,
    waitlists::query::kept,
};

/// The most parties that a board shows: a full list, and room for parties restored to it.
const BOARD_PARTIES_MAX: usize = 500;

/// `?day=` asks for everyone of a business day, by time of joining; otherwise it is the board, in queue order.
pub(crate) async fn of_list(backend: &Backend, call: &Call<'_>) -> Result<Reply, Failure> {
    let [day, limit, after] = call.query(["day", "limit", "cursor"])?;
    let id = WaitlistId(call.path_id()?);
    let tokens = call.sync_tokens()?;
    let Some(day) = day else {
        let page = Kind::Board.page(limit, after)?;
        let list = kept(backend, call.actor(), id, &tokens).await?;
        fresh::check_others(backend, call.actor(), &tokens, board_of(id)).await?;
        let board = board(backend, call.actor(), id, &tokens).await?;
        return Reply::read(list.seq, &board_page(backend, call.owner, board, &page).await?);
    };
    let day = read_day(&day)
        .ok_or_else(|| Problem::invalid_parameter("day", "must be a date such as 2026-11-20"))?;
    let page = Kind::Day.page(limit, after)?;
    let list = kept(backend, call.actor(), id, &tokens).await?;
    fresh::check_others(backend, call.actor(), &tokens, board_of(id)).await?;
    let (rows, next) = of_day(backend, call.actor(), id, day, &page, &tokens).await?;
    let (keys, now) = (keys(backend, call.owner, &rows).await?, backend.clock.now());
    Reply::read(
        list.seq,
        &Page { items: rows.iter().map(|row| show(row, keys.get(&row.id), None, None, now)).collect(), next },
    )
}

/// `2026-11-20`, and no other way of writing it.
fn read_day(text: &str) -> Option<NaiveDate> {
    const CHARS: usize = "2026-11-20".len(); // years of more digits have a sign
    text.parse().ok().filter(|day: &NaiveDate| text.len() == CHARS && day.to_string() == text)
}

pub(crate) async fn one(backend: &Backend, call: &Call<'_>) -> Result<Reply, Failure> {
    let [] = call.query([])?;
    let tokens = call.sync_tokens()?;
    let id = WaiteeId(call.path_id()?);
    let row = found(backend, call.actor(), id, &tokens).await?;
    kept(backend, call.actor(), row.waitlist, &tokens).await?;
    fresh::check_others(backend, call.actor(), &tokens, |stream| match row.board {
        Some(list) => board_of(list)(stream),
        None => stream == id.into() || stream == row.waitlist.into(),
    })
    .await?;
    let position = position_of(backend, call.actor(), &row, &tokens).await?;
    let key = keys(backend, call.owner, std::slice::from_ref(&row)).await?.remove(&id);
    Reply::read(row.seq, &show(&row, key.as_ref(), position, None, backend.clock.now()))
}

/// The streams whose tokens are looked at where a page is made from a list and its parties: that list's, and any party's, for
/// only its row tells which list it is on.
pub(crate) fn board_of(id: WaitlistId) -> impl Fn(StreamId) -> bool {
    move |stream| stream == id.into() || stream.category == Category::Waitee
}

/// The row of a visit that the caller may see, at least as fresh as the tokens demand.
pub(super) async fn found(
    backend: &Backend,
    caller: Actor,
    id: WaiteeId,
    tokens: &[SyncToken],
) -> Result<WaiteeRow, Failure> {
    let demanded = fresh::demanded(tokens, StreamId::from(id));
    let row = fresh::row::<Waitees>(backend, caller, id.0, demanded).await?.ok_or_else(Problem::not_found)?;
    if row.seq < demanded { Err(fresh::unknown_token().into()) } else { Ok(row) }
}

/// A party's place in line; none when it is not on the board.
pub(super) async fn position_of(
    backend: &Backend,
    caller: Actor,
    row: &WaiteeRow,
    tokens: &[SyncToken],
) -> Result<Option<u32>, Failure> {
    let Some(list) = row.board else { return Ok(None) };
    Ok(position(row, &board(backend, caller, list, tokens).await?))
}

/// The whole board of a list, in queue order, at least as fresh as the tokens demand. That the caller may see it is known before.
pub(crate) async fn board(
    backend: &Backend,
    caller: Actor,
    id: WaitlistId,
    tokens: &[SyncToken],
) -> Result<Vec<WaiteeRow>, Failure> {
    let overlay = fresh::rows::<Waitees>(backend, caller, tokens).await?;
    let list = id.to_string();
    let range = Range { index: "active", hash: ("board", &list), beyond: None, backwards: false };
    let (mut rows, rest) =
        backend.rows.page::<WaiteeRow>(table::WAITEES, range, BOARD_PARTIES_MAX, None).await?;
    if rest.is_some() {
        warn!(waitlist = %id, "a board of more than {BOARD_PARTIES_MAX} parties is cut off");
    }
    rows.retain(|row| overlay.iter().all(|newer| newer.id != row.id));
    rows.extend(overlay.into_iter().filter(|row| row.board == Some(id)));
    rows.sort_by(|a, b| (&a.rank, a.id).cmp(&(&b.rank, b.id)));
    Ok(rows)
}

/// A place in line as it is among these rows; the party itself may be elsewhere among them, or not at all, when the index is behind.
fn position(row: &WaiteeRow, board: &[WaiteeRow]) -> Option<u32> {
    let ahead = board
        .iter()
        .filter(|other| other.id != row.id && (&other.rank, other.id) < (&row.rank, row.id))
        .count();
    u32::try_from(ahead + 1).ok()
}

async fn board_page(
    backend: &Backend,
    owner: UserId,
    board: Vec<WaiteeRow>,
    page: &PageRequest,
) -> Result<Page<Waitee>, Failure> {
    let (keys, now) = (keys(backend, owner, &board).await?, backend.clock.now());
    let mut doubles = Doubles::default();
    let mut shown = Vec::with_capacity(board.len());
    for (row, position) in board.iter().zip(1..) {
        let mut waitee = show(row, keys.get(&row.id), Some(position), None, now);
        waitee.duplicate_of = doubles.first_like(&waitee);
        shown.push((place(row), waitee));
    }
    shown.retain(|(place, _)| page.after.as_ref().is_none_or(|after| place > after));
    let (shown, next) = cursor::cut(Kind::Board, shown, page.limit, |(place, _)| place.clone());
    Ok(Page { items: shown.into_iter().map(|(_, waitee)| waitee).collect(), next })
}

fn place(row: &WaiteeRow) -> String {
    row.place.clone().unwrap_or_default()
}

async fn of_day(
    backend: &Backend,
    caller: Actor,
    id: WaitlistId,
    day: NaiveDate,
    page: &PageRequest,
    tokens: &[SyncToken],
) -> Result<(Vec<WaiteeRow>, Option<String>), Failure> {
    #[derive(Deserialize)]
    struct Arrived {
        id: WaiteeId,
        arrival: String,
    }
    let overlay = fresh::rows::<Waitees>(backend, caller, tokens).await?;
    let list_day = format!("{id}#{day}");
    let range = Range {
        index: "day",
        hash: ("list_day", &list_day),
        beyond: page.after.as_deref().map(|place| ("arrival", place)),
        backwards: false,
    };
    let (arrived, rest) = backend.rows.page::<Arrived>(table::WAITEES, range, page.limit + 1, None).await?;
    let seen_to = arrived.last().filter(|_| rest.is_some()).map(|last| last.arrival.clone());
    let ids: Vec<String> = arrived
        .iter()
        .map(|arrived| arrived.id)
        .filter(|id| overlay.iter().all(|newer| newer.id != *id))
        .map(|id| id.to_string())
        .collect();
    let mut rows: Vec<WaiteeRow> = backend.rows.get_all(&ids).await?;
    rows.extend(overlay.into_iter().filter(|row| {
        let on_page = page.after.as_ref().is_none_or(|after| row.arrival > *after)
            && seen_to.as_ref().is_none_or(|end| row.arrival <= *end);
        row.list_day == list_day && on_page
    }));
    rows.sort_by(|a, b| a.arrival.cmp(&b.arrival));
    Ok(cursor::cut(Kind::Day, rows, page.limit, |row| row.arrival.clone()))
}

async fn keys(
    backend: &Backend,
    owner: UserId,
    rows: &[WaiteeRow],
) -> Result<HashMap<WaiteeId, SubjectKey>, Failure> {
    // Who is erased is shown no more, though their key may stand for moments.
    let shown = rows.iter().filter(|row| !row.erased);
    let subjects: Vec<Subject> = shown.map(|row| Subject::Guest { account: owner, guest: row.id }).collect();
    let keys = backend.vault.keys(&subjects).await?;
    Ok(keys
        .into_iter()
        .filter_map(
            |(subject, key)| {
                if let Subject::Guest { guest, .. } = subject { Some((guest, key)) } else { None }
            },
        )
        .collect())
}

fn notification(entry: &Entry, now: Time) -> Notification {
    Notification {
        id: entry.id.to_string(),
        kind: entry.id.kind.as_str(),
        channel: entry.channel,
        status: entry.status(now),
        at: entry.at,
        reason: entry.reason(),
    }
}

/// A row as it is shown; without its key, the guest was forgotten, or is about to be.
fn show(
    row: &WaiteeRow,
    key: Option<&SubjectKey>,
    position: Option<u32>,
    duplicate_of: Option<Uuid>,
    now: Time,
) -> Waitee {
    Waitee {
        id: row.id.0,
        waitlist_id: row.waitlist.0,
        name: open(row, key, Some(&row.party.name)),
        party_size: row.party.party_size.get(),
        phone: open(row, key, row.party.phone.as_ref()),
        email: open(row, key, row.party.email.as_ref()),
        note: open(row, key, row.party.note.as_ref()),
        quoted_minutes: row.party.quoted_minutes.map(|minutes| minutes.get()),
        language: row.party.language,
        state: row.state,
        position,
        duplicate_of,
        day: row.day.to_string(),
        joined_at: row.joined_at,
        quoted_at: row.quoted_at(),
        called_at: row.called_at,
        calls: row.calls,
        hold_until: row.hold_until,
        confirmed_at: row.confirmed_at,
        finished_at: row.finished_at,
        joined_by: row.by,
        erased: key.is_none(),
        notifications: row.agenda.messages.entries().iter().map(|entry| notification(entry, now)).collect(),
        seq: row.seq,
    }
}

fn open<T: Personal>(
    row: &WaiteeRow,
    key: Option<&SubjectKey>,
    sealed: Option<&Sealed<T>>,
) -> Option<String> {
    opened::text(row.id.into(), key?, sealed?)
}
