//! Reads rows by an index, in the order of its sort key.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use schema::table::{Row, RowTable};
use serde::de::DeserializeOwned;

use super::{Rows, version};
use crate::{
    batch::Item,
    failure::Failure,
    query::{Selection, query},
};

/// The most rows that one Query is asked for.
const QUERY_ROWS_MAX: usize = 500;

/// The key of the last row of a page, after which the next page starts.
pub type StartKey = HashMap<String, AttributeValue>;

/// Rows of an index.
#[derive(Clone, Debug)]
pub struct Page<R> {
    pub rows: Vec<R>,
    /// The start of the next page; `None` after the last row.
    pub next: Option<StartKey>,
}

impl Rows {
    /// Reads up to `limit` rows by an index that holds whole rows. Eventually consistent: half a read unit per 4 KB.
    ///
    /// # Errors
    /// The index cannot be read, or holds a row older than [`Row::OLDEST`] or that is no such row.
    pub async fn page<R: Row>(
        &self,
        selection: Selection<'_>,
        limit: usize,
        start: Option<StartKey>,
    ) -> Result<Page<R>, Failure> {
        let page = self.items(R::TABLE, selection, limit, start).await?;
        let rows = page.rows.into_iter().map(version::read).collect::<Result<_, _>>()?;
        Ok(Page { rows, next: page.next })
    }

    /// Reads what an index holds of up to `limit` rows, of any version. Eventually consistent: half a read unit per
    /// 4 KB.
    ///
    /// # Errors
    /// The index cannot be read, or holds no such entry.
    pub async fn entries<E: DeserializeOwned>(
        &self,
        table: RowTable,
        selection: Selection<'_>,
        limit: usize,
        start: Option<StartKey>,
    ) -> Result<Page<E>, Failure> {
        let page = self.items(table, selection, limit, start).await?;
        let rows = page.rows.into_iter().map(serde_dynamo::from_item).collect::<Result<_, _>>();
        let rows = rows.map_err(|cause| Failure::broken(doing(table, selection), cause))?;
        Ok(Page { rows, next: page.next })
    }

    async fn items(
        &self,
        table: RowTable,
        selection: Selection<'_>,
        limit: usize,
        start: Option<StartKey>,
    ) -> Result<Page<Item>, Failure> {
        let read = |name| {
            let (query, mut start) = (query(&self.client, name, selection), start.clone());
            async move {
                let mut rows = Vec::new();
                loop {
                    let wanted = (limit - rows.len()).min(QUERY_ROWS_MAX) as i32;
                    let query = query.clone().limit(wanted).set_exclusive_start_key(start);
                    let answer = query.send().await;
                    let answer = answer.map_err(|cause| Failure::aws(doing(table, selection), cause))?;
                    rows.extend(answer.items.unwrap_or_default());
                    start = answer.last_evaluated_key;
                    if start.is_none() || rows.len() >= limit {
                        return Ok(Page { rows, next: start });
                    }
                }
            }
        };
        self.live(table, read).await
    }
}

fn doing(table: RowTable, selection: Selection<'_>) -> String {
    format!("read index {} of the rows of {}", selection.index.name, table.projection.as_str())
}
