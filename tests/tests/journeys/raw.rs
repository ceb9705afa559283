//! Reads tables directly from the engine.

use std::collections::{BTreeMap, HashMap};

use aws_sdk_dynamodb::{
    Client,
    types::{AttributeValue, Select},
};
use schema::table::{LIMITS, RowTable, Table};
use waitlist_tests::rows::{deployed, live};

/// An item as stored.
pub(crate) type Item = HashMap<String, AttributeValue>;

/// Small enough that a table of a few hundred items takes several pages, as large tables do.
const PAGE_ITEMS: i32 = 200;
/// Without a limit the embedded engine reads far more items than it counts.
const COUNTED_ITEMS: i32 = 10_000;

/// Returns every item of a table.
pub(crate) async fn scan(client: &Client, table: &Table, prefix: &str) -> Vec<Item> {
    let pages = client.scan().table_name(table.name(prefix)).consistent_read(true).limit(PAGE_ITEMS);
    pages.into_paginator().items().send().collect::<Result<_, _>>().await.unwrap()
}

/// Returns every row of a projection.
pub(crate) async fn rows(client: &Client, table: RowTable, prefix: &str) -> Vec<Item> {
    scan(client, &live(client, prefix, table).await, prefix).await
}

/// Returns the number of items in each table, except for the counted attempts.
pub(crate) async fn census(client: &Client, prefix: &str) -> BTreeMap<String, i32> {
    let tables = deployed(client, prefix).await;
    let count = async |table: &Table| {
        let pages = client
            .scan()
            .table_name(table.name(prefix))
            .consistent_read(true)
            .limit(COUNTED_ITEMS)
            .select(Select::Count);
        let pages: Result<Vec<_>, _> = pages.into_paginator().send().collect().await;
        (table.suffix.to_string(), pages.unwrap().iter().map(|page| page.count).sum())
    };
    futures::future::join_all(tables.iter().filter(|table| **table != LIMITS).map(count))
        .await
        .into_iter()
        .collect()
}
