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
pub(super) struct Rows {
    pub(super) live: Option<RawRow>,
    pub(super) candidate: Option<RawRow>,
}

/// Two scans of one segment.
///
/// Tables with the same key are scanned in the same order, by the hash of the key, so that a row's partner comes with
/// the page of the other table or the next one. DynamoDB does not promise it: a row whose partner has not come is looked up.
/// A stream is returned when the scan of the live rows meets it or, if it has no live row, when the candidate's does.
pub(super) struct Pairs<'p> {
    pair: &'p Pair,
    /// The segment, of so many.
    segment: (u32, u32),
    /// The places that the scans have reached.
    pub(super) places: Places,
    pub(super) read_units: f64,
    alone: Alone,
}

/// Rows whose partner has not come yet.
#[derive(Default)]
struct Alone {
    live: HashMap<Uuid, RawRow>,
    candidate: HashMap<Uuid, RawRow>,
}

impl Pair {
    pub(super) async fn read(&self, id: Uuid) -> Result<Rows, Failure> {
        let live = self.live.raw(&[id]).await?.remove(&id);
        Ok(Rows { live, candidate: self.candidate.raw(&[id]).await?.remove(&id) })
    }
}

impl<'p> Pairs<'p> {
    pub(super) fn after(places: Places, pair: &'p Pair, segment: (u32, u32)) -> Self {
        Self { pair, segment, places, read_units: 0.0, alone: Alone::default() }
    }

    pub(super) fn is_over(&self) -> bool {
        self.places.live == Reached::End && self.places.candidate == Reached::End
    }

    /// Reads a page of each table.
    pub(super) async fn next(&mut self) -> Result<Vec<(Uuid, Rows)>, Failure> {
        let page = |of: &'p Generation, reached| page(of, self.segment, reached);
        let Places { live, candidate } = self.places;
        let (live, candidate) =
            try_join!(page(&self.pair.live, live), page(&self.pair.candidate, candidate))?;
        self.places = Places { live: reached(&live), candidate: reached(&candidate) };
        self.read_units += live.read_units + candidate.read_units;
        let mut pairs = self.alone.pair(live.rows, candidate.rows);
        if self.alone.live.len() + self.alone.candidate.len() > ALONE_MAX {
            pairs.extend(self.rest().await?);
        }
        Ok(pairs)
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

async fn page(of: &Generation, segment: (u32, u32), reached: Reached) -> Result<RawPage, Failure> {
    match reached {
        Reached::Nothing => of.segment_page(segment, None).await,
        Reached::Row(id) => of.segment_page(segment, Some(id)).await,
        Reached::End => Ok(RawPage { rows: Vec::new(), read_units: 0.0, next: None }),
    }
}

fn reached(page: &RawPage) -> Reached {
    page.next.map_or(Reached::End, Reached::Row)
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
    /// the scan of the live rows, which has met that partner or will.
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
