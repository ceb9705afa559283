//! Reads a list's board: its active parties in the order of the line, by the index `active`.

use schema::{
    Rank, WaiteeId, WaitlistId,
    table::{ACTIVE, BoardKeys, OnBoard, WAITEES, WaiteeRow},
};

use super::{Order, Page, Range, Rows, Selection};
use crate::failure::Failure;

impl Rows {
    /// The rows of up to `limit` parties on the board.
    ///
    /// # Errors
    /// As [`Rows::page`].
    pub async fn board(&self, list: WaitlistId, limit: usize) -> Result<Page<WaiteeRow>, Failure> {
        let partition = &BoardKeys::partition(list);
        self.page(line(partition, Range::All, Order::Ascending), limit, None).await
    }

    /// The ids of up to `limit` parties on the board.
    ///
    /// # Errors
    /// As [`Rows::page`].
    pub async fn on_board(&self, list: WaitlistId, limit: usize) -> Result<Vec<WaiteeId>, Failure> {
        let parties = self.parties(list, Range::All, Order::Ascending, limit).await?;
        Ok(parties.into_iter().map(|party| party.id).collect())
    }

    /// The number of parties on the board, counted up to `limit`.
    ///
    /// # Errors
    /// As [`Rows::page`].
    pub async fn active(&self, list: WaitlistId, limit: usize) -> Result<usize, Failure> {
        Ok(self.on_board(list, limit).await?.len())
    }

    /// The rank of the nearest party after `rank` on the board, or before it with `backwards`. Skips the
    /// parties in `not`: the moving party and the one it moves next to, whose rows may be stale.
    ///
    /// # Errors
    /// As [`Rows::page`].
    pub async fn neighbour(
        &self,
        list: WaitlistId,
        rank: &Rank,
        backwards: bool,
        not: [WaiteeId; 2],
    ) -> Result<Option<Rank>, Failure> {
        let limit = not.len() + 1;
        let near = if backwards {
            let bound = BoardKeys::before_rank(rank);
            self.parties(list, Range::Before(&bound), Order::Descending, limit).await?
        } else {
            let bound = BoardKeys::after_rank(rank);
            self.parties(list, Range::After(&bound), Order::Ascending, limit).await?
        };
        Ok(near.into_iter().find(|party| !not.contains(&party.id)).map(|party| party.rank))
    }

    async fn parties(
        &self,
        list: WaitlistId,
        range: Range<'_>,
        order: Order,
        limit: usize,
    ) -> Result<Vec<OnBoard>, Failure> {
        let partition = &BoardKeys::partition(list);
        Ok(self.entries(WAITEES, line(partition, range, order), limit, None).await?.rows)
    }
}

fn line<'a>(partition: &'a str, range: Range<'a>, order: Order) -> Selection<'a> {
    Selection { index: ACTIVE, partition, range, order }
}
