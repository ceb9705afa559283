//! A list's board, and the pages that are made from it.

use infra::{
    Backend, Failure,
    http::{Call, Reply},
};
use schema::{
    Actor, Problem, StreamId, Time, UserId, WaitlistId,
    body::{Page, Waitee},
    id::Category,
    table::WaiteeRow,
};
use tracing::warn;

use super::{
    Waitees, day,
    duplicates::Duplicates,
    past,
    show::{keys, show},
};
use crate::{
    as_of::When,
    cursor::{Kind, PageRequest, cut},
    fresh,
    waitlists::query::{self as lists, kept},
};

/// The most parties that a board shows: a full list, and room for parties restored to it.
const BOARD_PARTIES_MAX: usize = 500;

/// The parties of a list: the board in queue order, or with `?day=` all parties of a business day by time of
/// joining, or with `?as_of=` the board as it was recorded at an earlier time.
pub(crate) async fn of_list(backend: &Backend, call: &Call<'_>) -> Result<Reply, Failure> {
    let [day, as_of, limit, cursor] = call.query(["day", "as_of", "limit", "cursor"])?;
    let id = WaitlistId(call.path_id()?);
    let now = backend.clock.now();
    let when = When::of(call, as_of.as_deref(), now)?;
    let day = day.as_deref().map(day::read).transpose()?;
    let kind = match (day, &when) {
        (None, When::Now(_)) => Kind::Board,
        (None, When::AsOf(_)) => Kind::PastBoard,
        (Some(_), When::Now(_)) => Kind::Day,
        (Some(_), When::AsOf(_)) => {
            let detail = "must be left out with day: a day shows its parties as they are now";
            return Err(Problem::invalid_parameter("as_of", detail).into());
        }
    };
    let page = kind.page(limit, cursor)?;
    let list = kept(backend, call.actor(), id, &when).await?;
    fresh::check_others(backend, call.actor(), when.tokens(), shown_with(id)).await?;
    let shown = match day {
        Some(day) => day::page(backend, call, id, day, &page, when.tokens()).await?,
        None => {
            let board = board(backend, call.actor(), id, &when).await?;
            show_board(backend, call.owner, board, kind, &page, when.shown_at(now)).await?
        }
    };
    Reply::read(list.seq, &shown)
}

/// A list with the number of parties on its board, now or with `?as_of=` at an earlier time.
pub(crate) async fn list(backend: &Backend, call: &Call<'_>) -> Result<Reply, Failure> {
    let [as_of] = call.query(["as_of"])?;
    let when = When::of(call, as_of.as_deref(), backend.clock.now())?;
    let id = WaitlistId(call.path_id()?);
    let row = kept(backend, call.actor(), id, &when).await?;
    fresh::check_others(backend, call.actor(), when.tokens(), shown_with(id)).await?;
    let active = board(backend, call.actor(), id, &when).await?.len();
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
    when: &When,
) -> Result<Option<u32>, Failure> {
    let Some(list) = row.board() else { return Ok(None) };
    Ok(position(row, &board(backend, caller, list, when).await?))
}

/// The whole board in queue order. The caller's access to the list is checked before.
async fn board(
    backend: &Backend,
    caller: Actor,
    id: WaitlistId,
    when: &When,
) -> Result<Vec<WaiteeRow>, Failure> {
    let newer = fresh::rows::<Waitees>(backend, caller, when.tokens()).await?;
    let (mut stored, is_longer) = match when {
        When::Now(_) => {
            let page = backend.rows.board(id, BOARD_PARTIES_MAX).await?;
            (page.rows, page.next.is_some())
        }
        When::AsOf(at) => {
            let rows = past::board(backend, id, *at).await?;
            let is_longer = rows.len() > BOARD_PARTIES_MAX;
            (rows, is_longer)
        }
    };
    if is_longer {
        warn!(waitlist = %id, "a board of more than {BOARD_PARTIES_MAX} parties is cut off");
    }
    in_line(&mut stored);
    stored.truncate(BOARD_PARTIES_MAX);
    let mut rows = fresh::lay_over(stored, newer, |row| row.board() == Some(id));
    in_line(&mut rows);
    Ok(rows)
}

/// Sorts the parties of a board by their places in line.
fn in_line(rows: &mut [WaiteeRow]) {
    rows.sort_by(|a, b| (&a.rank, a.id).cmp(&(&b.rank, b.id)));
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
    kind: Kind,
    page: &PageRequest,
    at: Time,
) -> Result<Page<Waitee>, Failure> {
    let keys = keys(backend, owner, &board).await?;
    let mut duplicates = Duplicates::default();
    let mut shown = Vec::with_capacity(board.len());
    for (row, position) in board.into_iter().zip(1..) {
        let mut waitee = show(&row, keys.get(&row.id), Some(position), at);
        waitee.duplicate_of = duplicates.first_like(&waitee);
        shown.push((row.board_keys.map(|keys| keys.place).unwrap_or_default(), waitee));
    }
    shown.retain(|(place, _)| page.holds(place, None));
    Ok(cut(kind, shown, page.limit, |(place, _)| place.clone()).map(|(_, waitee)| waitee))
}
