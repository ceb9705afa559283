//! A list's board, and the pages that are made from it.

use infra::{
    Backend, Failure,
    http::{Call, Reply},
};
use schema::{
    Actor, StreamId, UserId, WaitlistId,
    body::{Page, Waitee},
    id::Category,
    sync::SyncToken,
    table::WaiteeRow,
};
use tracing::warn;

use super::{
    Waitees, day,
    duplicates::Duplicates,
    show::{keys, show},
};
use crate::{
    cursor::{Kind, PageRequest, cut},
    fresh,
    waitlists::query::{self as lists, kept},
};

/// The most parties that a board shows: a full list, and room for parties restored to it.
const BOARD_PARTIES_MAX: usize = 500;

/// The parties of a list: the board in queue order, or with `?day=` all parties of a business day by time of
/// joining.
pub(crate) async fn of_list(backend: &Backend, call: &Call<'_>) -> Result<Reply, Failure> {
    let [day, limit, cursor] = call.query(["day", "limit", "cursor"])?;
    let id = WaitlistId(call.path_id()?);
    let tokens = call.sync_tokens()?;
    let kind = if day.is_some() { Kind::Day } else { Kind::Board };
    let day = day.as_deref().map(day::read).transpose()?;
    let page = kind.page(limit, cursor)?;
    let list = kept(backend, call.actor(), id, &tokens).await?;
    fresh::check_others(backend, call.actor(), &tokens, shown_with(id)).await?;
    let shown = match day {
        Some(day) => day::page(backend, call, id, day, &page, &tokens).await?,
        None => {
            show_board(backend, call.owner, board(backend, call.actor(), id, &tokens).await?, &page).await?
        }
    };
    Reply::read(list.seq, &shown)
}

/// A list with the number of parties on its board.
pub(crate) async fn list(backend: &Backend, call: &Call<'_>) -> Result<Reply, Failure> {
    let [] = call.query([])?;
    let tokens = call.sync_tokens()?;
    let id = WaitlistId(call.path_id()?);
    let row = kept(backend, call.actor(), id, &tokens).await?;
    fresh::check_others(backend, call.actor(), &tokens, shown_with(id)).await?;
    let active = board(backend, call.actor(), id, &tokens).await?.len();
    Reply::read(row.seq, &lists::show(backend, &row, Some(active)))
}

/// Selects the streams that a page of a list and its parties depends on: the list, and any party, because
/// only a party's row names its list.
pub(super) fn shown_with(id: WaitlistId) -> impl Fn(StreamId) -> bool {
    move |stream| stream == id.into() || stream.category == Category::Waitee
}

/// A party's position on the board; `None` if it is not on it.
pub(super) async fn position_of(
    backend: &Backend,
    caller: Actor,
    row: &WaiteeRow,
    tokens: &[SyncToken],
) -> Result<Option<u32>, Failure> {
    let Some(list) = row.board() else { return Ok(None) };
    Ok(position(row, &board(backend, caller, list, tokens).await?))
}

/// The whole board in queue order, at least as fresh as the tokens demand. The caller's access to the list is
/// checked before.
async fn board(
    backend: &Backend,
    caller: Actor,
    id: WaitlistId,
    tokens: &[SyncToken],
) -> Result<Vec<WaiteeRow>, Failure> {
    let newer = fresh::rows::<Waitees>(backend, caller, tokens).await?;
    let stored = backend.rows.board(id, BOARD_PARTIES_MAX).await?;
    if stored.next.is_some() {
        warn!(waitlist = %id, "a board of more than {BOARD_PARTIES_MAX} parties is cut off");
    }
    let mut rows = fresh::lay_over(stored.rows, newer, |row| row.board() == Some(id));
    rows.sort_by(|a, b| (&a.rank, a.id).cmp(&(&b.rank, b.id)));
    Ok(rows)
}

/// The position that a party has among these rows by its rank. An index that is behind may show the party at
/// another place, or not at all.
fn position(row: &WaiteeRow, board: &[WaiteeRow]) -> Option<u32> {
    let is_ahead = |other: &&WaiteeRow| other.id != row.id && (&other.rank, other.id) < (&row.rank, row.id);
    u32::try_from(board.iter().filter(is_ahead).count() + 1).ok()
}

async fn show_board(
    backend: &Backend,
    owner: UserId,
    board: Vec<WaiteeRow>,
    page: &PageRequest,
) -> Result<Page<Waitee>, Failure> {
    let (keys, now) = (keys(backend, owner, &board).await?, backend.clock.now());
    let mut duplicates = Duplicates::default();
    let mut shown = Vec::with_capacity(board.len());
    for (row, position) in board.into_iter().zip(1..) {
        let mut waitee = show(&row, keys.get(&row.id), Some(position), now);
        waitee.duplicate_of = duplicates.first_like(&waitee);
        shown.push((row.board_keys.map(|keys| keys.place).unwrap_or_default(), waitee));
    }
    shown.retain(|(place, _)| page.holds(place, None));
    Ok(cut(Kind::Board, shown, page.limit, |(place, _)| place.clone()).map(|(_, waitee)| waitee))
}
