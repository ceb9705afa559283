//! Scans a segment of two generations side by side, and pairs their rows by id.

use std::{collections::HashMap, mem};

use futures::try_join;
use infra::{
    Failure,
    rows::{Generation, RawPage, RawRow, id_of, read_units},
    work::{Places, Reached},
};
use uuid::Uuid;

/// The most rows that wait for their partners. Beyond this number all partners are looked up.
const ALONE_MAX: usize = 2_000;

/// The two generations of a verification.
pub(super) struct Pair {
    /// Their numbers, the live one first.
    pub(super) generations: [u64; 2],
    pub(super) live: Generation,
    pub(super) candidate: Generation,
}

/// The rows of one stream.
#[derive(Default)]
pub(super) struct Rows {
    pub(super) live: Option<RawRow>,
    pub(super) candidate: Option<RawRow>,
}

/// Two scans of one segment.
///
/// Tables with the same key are scanned in the same order, by the hash of the key. The scan with more rows that lack their
/// partner waits for the other, so that a partner comes with one of the next pages. DynamoDB does not promise that
/// order: at the end of a message, and when there are many of them, partners are looked up by their ids.
///
/// A stream is returned when the scan of the live rows meets it or, if it has no live row, when the candidate's does. A row
/// that the feed writes meanwhile may be missed, or its stream returned twice.
pub(super) struct Pairs<'p> {
    pair: &'p Pair,
    /// The number of the segment, and the number of segments.
    segment: (u32, u32),
    /// The most rows of a page.
    rows_max: i32,
    /// The places that the scans have reached.
    pub(super) places: Places,
    pub(super) read_units: f64,
    alone: Alone,
}

/// The rows that were read of one table, and the place that its scan has reached.
struct Page {
    rows: Vec<RawRow>,
    read_units: f64,
    reached: Reached,
}

/// Rows whose partner has not come yet.
#[derive(Default)]
struct Alone {
    live: HashMap<Uuid, RawRow>,
    candidate: HashMap<Uuid, RawRow>,
}

impl Pair {
    /// Reads the rows of streams from both generations.
    pub(super) async fn read(&self, ids: &[Uuid]) -> Result<HashMap<Uuid, Rows>, Failure> {
        let (mut live, mut candidate) = (self.live.raw(ids).await?, self.candidate.raw(ids).await?);
        let rows = |id: &Uuid| (*id, Rows { live: live.remove(id), candidate: candidate.remove(id) });
        Ok(ids.iter().map(rows).collect())
    }
}

impl Rows {
    pub(super) fn is_single(&self) -> bool {
        self.live.is_some() != self.candidate.is_some()
    }
}

impl<'p> Pairs<'p> {
    pub(super) fn after(places: Places, pair: &'p Pair, segment: (u32, u32), rows_max: i32) -> Self {
        Self { pair, segment, rows_max, places, read_units: 0.0, alone: Alone::default() }
    }

    pub(super) fn is_over(&self) -> bool {
        self.places.live == Reached::End && self.places.candidate == Reached::End
    }

    /// Reads a page of the table with fewer rows that lack their partner, or of both.
    pub(super) async fn next(&mut self) -> Result<Vec<(Uuid, Rows)>, Failure> {
        let Places { live, candidate } = self.places;
        let live_lead = self.alone.live.len().cmp(&self.alone.candidate.len());
        let is_live_read = live_lead.is_le() || candidate == Reached::End;
        let is_candidate_read = live_lead.is_ge() || live == Reached::End;
        let (of_live, of_candidate) = try_join!(
            self.page(&self.pair.live, live, is_live_read),
            self.page(&self.pair.candidate, candidate, is_candidate_read),
        )?;
        self.places = Places { live: of_live.reached, candidate: of_candidate.reached };
        self.read_units += of_live.read_units + of_candidate.read_units;
        let mut pairs = self.alone.pair(of_live.rows, of_candidate.rows);
        if self.alone.live.len() + self.alone.candidate.len() > ALONE_MAX {
            pairs.extend(self.rest().await?);
        }
        Ok(pairs)
    }

    /// Reads the page after a place. It is empty if it is not to be read, or the scan is over.
    async fn page(&self, of: &Generation, reached: Reached, is_read: bool) -> Result<Page, Failure> {
        let start = match reached {
            Reached::Nothing if is_read => None,
            Reached::Row(id) if is_read => Some(id),
            Reached::Nothing | Reached::Row(_) | Reached::End => {
                return Ok(Page { rows: Vec::new(), read_units: 0.0, reached });
            }
        };
        let RawPage { rows, read_units, next } = of.segment_page(self.segment, start, self.rows_max).await?;
        Ok(Page { rows, read_units, reached: next.map_or(Reached::End, Reached::Row) })
    }

    /// Looks up the partners that have not come.
    pub(super) async fn rest(&mut self) -> Result<Vec<(Uuid, Rows)>, Failure> {
        let alone = mem::take(&mut self.alone);
        let candidate = self.look_up(&self.pair.candidate, &alone.live).await?;
        let live = self.look_up(&self.pair.live, &alone.candidate).await?;
        Ok(alone.looked_up(live, candidate))
    }

    async fn look_up(
        &mut self,
        other: &Generation,
        rows: &HashMap<Uuid, RawRow>,
    ) -> Result<HashMap<Uuid, RawRow>, Failure> {
        let ids: Vec<Uuid> = rows.keys().copied().collect();
        let found = other.raw(&ids).await?;
        self.read_units += ids.iter().map(|id| read_units(found.get(id))).sum::<f64>();
        Ok(found)
    }
}

fn by_id(rows: Vec<RawRow>) -> impl Iterator<Item = (Uuid, RawRow)> {
    rows.into_iter().filter_map(|row| Some((id_of(&row)?, row)))
}

impl Alone {
    /// Adds rows, and removes those whose partner is there.
    fn pair(&mut self, live: Vec<RawRow>, candidate: Vec<RawRow>) -> Vec<(Uuid, Rows)> {
        self.live.extend(by_id(live));
        self.candidate.extend(by_id(candidate));
        let candidates = &mut self.candidate;
        let paired = self.live.extract_if(|id, _| candidates.contains_key(id)).collect::<Vec<_>>();
        paired
            .into_iter()
            .map(|(id, live)| (id, Rows { live: Some(live), candidate: candidates.remove(&id) }))
            .collect()
    }

    /// Ends the wait with the partners that were found by their ids. A candidate's row with a live partner is left to
    /// the scan of the live rows, which has met that partner or will, unless the feed wrote it behind that scan.
    fn looked_up(
        self,
        live: HashMap<Uuid, RawRow>,
        mut candidate: HashMap<Uuid, RawRow>,
    ) -> Vec<(Uuid, Rows)> {
        let of_live = self.live.into_iter().map(|(id, row)| {
            let candidate = candidate.remove(&id);
            (id, Rows { live: Some(row), candidate })
        });
        let of_candidate = self
            .candidate
            .into_iter()
            .filter(|(id, _)| !live.contains_key(id))
            .map(|(id, row)| (id, Rows { live: None, candidate: Some(row) }));
        of_live.chain(of_candidate).collect()
    }
}

#[cfg(test)]
mod tests;
