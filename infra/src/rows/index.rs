//! Reads rows by an index, in the order of its sort key.

use std::collections::HashMap;

use aws_sdk_dynamodb::{Client, operation::query::builders::QueryFluentBuilder, types::AttributeValue};
use schema::table::{Index, Table};
use serde::de::DeserializeOwned;

use super::Rows;
use crate::failure::Failure;

/// The most rows that one Query is asked for.
const QUERY_ROWS_MAX: usize = 500;

/// Rows of one partition of an index.
#[derive(Clone, Copy, Debug)]
pub struct Selection<'a> {
    pub table: Table,
    pub index: Index,
    /// The value of the partition key.
    pub partition: &'a str,
    pub range: Range<'a>,
    pub order: Order,
}

/// A range of sort keys.
#[derive(Clone, Copy, Debug)]
pub enum Range<'a> {
    All,
    /// Without the bound itself.
    Before(&'a str),
    /// Without the bound itself.
    After(&'a str),
    /// With both bounds.
    Between(&'a str, &'a str),
}

/// The order of sort keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    Ascending,
    Descending,
}

impl Order {
    #[must_use]
    pub fn reversed(self) -> Self {
        match self {
            Self::Ascending => Self::Descending,
            Self::Descending => Self::Ascending,
        }
    }
}

/// The key of the last row of a page, after which the next page starts.
pub type StartKey = HashMap<String, AttributeValue>;

/// Rows of an index.
#[derive(Clone, Debug)]
pub struct Page<R> {
    pub rows: Vec<R>,
    /// The start of the next page; `None` after the last row.
    pub next: Option<StartKey>,
}

impl<'a> Range<'a> {
    /// The rows after `bound`, or all without one.
    #[must_use]
    pub fn after(bound: Option<&'a str>) -> Self {
        bound.map_or(Self::All, Self::After)
    }
}

impl Rows {
    /// Reads up to `limit` rows. Eventually consistent: half a read unit per 4 KB.
    ///
    /// # Errors
    /// The index cannot be read, or an item is no such row.
    pub async fn page<R: DeserializeOwned>(
        &self,
        selection: Selection<'_>,
        limit: usize,
        mut start: Option<StartKey>,
    ) -> Result<Page<R>, Failure> {
        let Selection { table, index, .. } = selection;
        let doing = || format!("read index {} of {}", index.name, table.suffix);
        let query = query(&self.client, table.name(&self.prefix), selection);
        let mut rows = Vec::new();
        loop {
            let wanted = (limit - rows.len()).min(QUERY_ROWS_MAX) as i32;
            let query = query.clone().limit(wanted).set_exclusive_start_key(start);
            let answer = query.send().await.map_err(|cause| Failure::aws(doing(), cause))?;
            for item in answer.items.unwrap_or_default() {
                rows.push(serde_dynamo::from_item(item).map_err(|cause| Failure::broken(doing(), cause))?);
            }
            start = answer.last_evaluated_key;
            if start.is_none() || rows.len() >= limit {
                return Ok(Page { rows, next: start });
            }
        }
    }
}

/// The Query of a selection from the table of this full name.
pub(crate) fn query(client: &Client, table: String, selection: Selection<'_>) -> QueryFluentBuilder {
    let Selection { index, partition, range, order, .. } = selection;
    let (condition, bounds) = match range {
        Range::All => ("#hash = :hash", vec![]),
        Range::Before(high) => ("#hash = :hash AND #range < :high", vec![(":high", high)]),
        Range::After(low) => ("#hash = :hash AND #range > :low", vec![(":low", low)]),
        Range::Between(low, high) => {
            ("#hash = :hash AND #range BETWEEN :low AND :high", vec![(":low", low), (":high", high)])
        }
    };
    let mut query = client
        .query()
        .table_name(table)
        .index_name(index.name)
        .scan_index_forward(order == Order::Ascending)
        .key_condition_expression(condition)
        .expression_attribute_names("#hash", index.hash.0)
        .expression_attribute_values(":hash", AttributeValue::S(partition.to_owned()));
    if !bounds.is_empty() {
        query = query.expression_attribute_names("#range", index.range.0);
    }
    for (name, bound) in bounds {
        query = query.expression_attribute_values(name, AttributeValue::S(bound.to_owned()));
    }
    query
}
