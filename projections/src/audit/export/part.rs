//! Reads the events of a part.

use infra::{Backend, Failure};
use schema::{Time, UserId, table::UserRow};

use super::{Export, cursor, file::File};
use crate::audit::{
    open,
    range::{Position, Range},
    walk::{self, Found},
};

/// The most commits of a part.
const COMMITS_MAX: usize = 1_000;
/// The most events that are read at once.
const EVENTS_AT_ONCE: usize = 250;
/// The most times that a part reads events.
const READS_MAX: usize = 8;

/// A part of an export.
#[derive(Debug)]
pub struct Part {
    pub file: File,
    pub events: usize,
    /// The cursor of the part that would follow the last event of this one; `None` if it has no event.
    pub last: Option<String>,
    /// Every event of the export before this time is in this part or in an earlier one.
    pub end: Time,
    /// The cursor of the next part; `None` after the last.
    pub next: Option<String>,
}

/// Reads events of a range until the range ends or the part is full. The part holds at least one event if the first
/// one is longer than `bytes_max`.
pub(super) async fn read(
    backend: &Backend,
    account: UserId,
    row: Option<&UserRow>,
    export: &Export,
    mut range: Range,
    bytes_max: usize,
) -> Result<Part, Failure> {
    let to = range.high.at();
    let mut file = File::new(export.format);
    let (mut events, mut commits, mut last) = (0, 0, None);
    for _ in 0..READS_MAX {
        let query = export.query.limited(EVENTS_AT_ONCE.min(COMMITS_MAX - commits));
        let Found { hits, next } = walk::find(backend, account, &query, range, &[]).await?;
        let is_empty = hits.is_empty();
        commits += hits.len();
        for event in open::show(backend, account, row, hits).await? {
            if !file.add(&event, bytes_max)? {
                return Ok(part(file, events, last, range.low));
            }
            events += 1;
            range.low = Position { commit: event.commit, event: event.seq };
            last = Some(range.low);
        }
        let Some(next) = next else {
            return Ok(Part { file, events, last: last.map(cursor), end: to, next: None });
        };
        range.low = next;
        if is_empty || commits >= COMMITS_MAX {
            break;
        }
    }
    Ok(part(file, events, last, range.low))
}

/// A part that ends at a place inside the export.
fn part(file: File, events: usize, last: Option<Position>, place: Position) -> Part {
    Part { file, events, last: last.map(cursor), end: place.at(), next: Some(cursor(place)) }
}
