//! The tables as the engine holds them, read past all the code under test.

use std::collections::{BTreeMap, HashMap};

use aws_sdk_dynamodb::{
    Client,
    types::{AttributeValue, Select},
};
use schema::table::{DEPLOYED, LIMITS, Table};

/// An item, as the engine holds it.
pub(crate) type Item = HashMap<String, AttributeValue>;

/// Small enough that a table of a few hundred items takes several pages, as large ones do.
const PAGE_ITEMS: i32 = 200;
/// Without a bound the embedded engine reads far more than it counts.
const COUNTED_ITEMS: i32 = 10_000;

/// Every item of a table.
pub(crate) async fn scan(client: &Client, table: &Table, prefix: &str) -> Vec<Item> {
    let pages = client.scan().table_name(table.name(prefix)).consistent_read(true).limit(PAGE_ITEMS);
    pages.into_paginator().items().send().collect::<Result<_, _>>().await.unwrap()
}

/// How many items each table of a deployment has. That somebody tried is counted for a while, whatever came of it.
pub(crate) async fn census(client: &Client, prefix: &str) -> BTreeMap<&'static str, i32> {
    let count = async |table: &Table| {
        let pages = client
            .scan()
            .table_name(table.name(prefix))
            .consistent_read(true)
            .limit(COUNTED_ITEMS)
            .select(Select::Count);
        let pages: Result<Vec<_>, _> = pages.into_paginator().send().collect().await;
        (table.suffix, pages.unwrap().iter().map(|page| page.count).sum())
    };
    futures::future::join_all(DEPLOYED.iter().filter(|table| **table != LIMITS).map(count))
        .await
        .into_iter()
        .collect()
}
