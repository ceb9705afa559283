//! Compares the rows of all generations with the fold of the log, part by part, so that a large log fits.

use std::collections::{BTreeMap, HashMap};

use aws_sdk_dynamodb::Client;
use infra::{Clock, Log, generations};
use projections::{
    mails::Mails,
    projection::{Projection, fold},
    users::Users,
    waitees::Waitees,
    waitlists::Waitlists,
};
use schema::{Commit, StreamId, projection::Name, table::EVENTS};

use crate::{
    place::text,
    raw::{Item, scan},
};

/// The parts in which the log is read. The commits of a stream are in one of them.
const PARTS: i32 = 16;
const PAGE_ITEMS: i32 = 1_000;

/// A generation's rows by id, with its name.
type Rows = (String, HashMap<String, Item>);

/// Returns the number of rows, or which one differs.
pub(super) async fn compare(dynamodb: &Client, prefix: &str) -> Result<usize, String> {
    let log = Log::new(dynamodb.clone(), prefix, Clock::system());
    let mut tables: BTreeMap<Name, Vec<Rows>> = BTreeMap::new();
    let mut count = 0;
    for name in Name::ALL {
        for generation in generations::roles(&log, name).await.unwrap().all() {
            let table = name.table().generation(generation);
            let rows = scan(dynamodb, &table, prefix).await.into_iter();
            let rows: HashMap<String, Item> = rows.map(|row| (text(&row, "id").to_owned(), row)).collect();
            count += rows.len();
            tables.entry(name).or_default().push((table.suffix.into_owned(), rows));
        }
    }
    for part in 0..PARTS {
        for (stream, commits) in streams(dynamodb, prefix, part).await {
            let Some(name) = Name::folding(stream.category) else { continue };
            let expected = match name {
                Name::Waitlists => folded::<Waitlists>(&commits),
                Name::Waitees => folded::<Waitees>(&commits),
                Name::Users => folded::<Users>(&commits),
                Name::Mails => folded::<Mails>(&commits),
            };
            for (table, rows) in tables.get_mut(&name).into_iter().flatten() {
                let row = rows.remove(&stream.id.to_string());
                if row != expected {
                    return Err(format!("{stream} in {table} is {row:#?}, and not {expected:#?}"));
                }
            }
        }
    }
    let extra = tables.values().flatten().find(|(_, rows)| !rows.is_empty());
    extra.map_or(Ok(count), |(table, rows)| {
        Err(format!("{table} has rows without a stream: {:?}", rows.keys()))
    })
}

fn folded<P: Projection>(commits: &[Commit]) -> Option<Item> {
    fold::<P>(None, commits).unwrap().map(|row| serde_dynamo::to_item(row).unwrap())
}

async fn streams(dynamodb: &Client, prefix: &str, part: i32) -> BTreeMap<StreamId, Vec<Commit>> {
    let pages = dynamodb.scan().table_name(EVENTS.name(prefix)).consistent_read(true).limit(PAGE_ITEMS);
    let items = pages.segment(part).total_segments(PARTS).into_paginator().items().send();
    let items: Vec<Item> = items.collect::<Result<_, _>>().await.unwrap();
    let mut streams: BTreeMap<StreamId, Vec<Commit>> = BTreeMap::new();
    for item in items {
        let commit: Commit = serde_dynamo::from_item(item).unwrap();
        streams.entry(commit.stream).or_default().push(commit);
    }
    streams.values_mut().for_each(|commits| commits.sort_by_key(|commit| commit.seq));
    streams
}
