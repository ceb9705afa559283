//! Reads due rows by the index `due`.

use schema::{
    Time,
    table::{DUE, DueRow, RowTable, shard_key},
};

use super::{Order, Page, Range, Rows, Selection, StartKey};
use crate::failure::Failure;

impl Rows {
    /// Rows of a table that fall due from `from` to `to`, under one key of the index `due`.
    ///
    /// # Errors
    /// As [`Rows::page`].
    pub async fn due(
        &self,
        table: RowTable,
        shard: u8,
        (from, to): (Time, Time),
        order: Order,
        limit: usize,
        start: Option<StartKey>,
    ) -> Result<Page<DueRow>, Failure> {
        let (partition, from, to) = (&shard_key(shard), &from.to_string(), &to.to_string());
        let range = Range::Between(from, to);
        self.entries(table, Selection { index: DUE, partition, range, order }, limit, start).await
    }
}
