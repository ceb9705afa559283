//! Items that were altered or added in the events table: pages and exports hold exactly the events that can be read.

use aws_sdk_dynamodb::types::{AttributeValue, PutRequest, WriteRequest};
use projections::verify;
use schema::table::EVENTS;
use serde_json::Value;
use waitlist_tests::stage::{Owner, Stage};

use super::{
    joined::joined,
    page,
    world::{LISTS, World, Write},
};
use crate::{
    place::text,
    raw::{Item, scan},
};

const PAGES_MAX: usize = 60;
const COMMITS: usize = 24;
/// More than a page examines.
const ADDED: usize = 520;
/// DynamoDB's bound on BatchWriteItem.
const PUTS_MAX: usize = 25;

/// An account with a visit of [`COMMITS`] commits, and the end of its complete history.
struct Scene<'s> {
    world: World<'s>,
    owner: Owner<'s>,
    to: String,
}

impl<'s> Scene<'s> {
    async fn new(stage: &'s Stage) -> Self {
        let mut world = World::begin(stage).await;
        for choice in 0..COMMITS {
            let (stream, events) = (1 + LISTS, 1 + choice % 2);
            // Without the fourth choice, an erasure.
            let choice = choice % 3;
            world
                .write(Write {
                    wait_ms: 7,
                    stream,
                    events: if choice == 2 { 1 } else { events },
                    choice,
                    actor: 0,
                    request: 0,
                    lag_ms: 0,
                })
                .await;
        }
        world.pass(11_000).await;
        let owner = stage.owner_with(world.owner, None);
        let to = page(&owner, "limit=1").await["complete_until"].as_str().unwrap().to_owned();
        Self { world, owner, to }
    }

    fn visit(&self) -> String {
        self.world.streams[1 + LISTS].to_string()
    }

    /// The visit's items, in the order of their numbers.
    async fn items(&self) -> Vec<Item> {
        let mut items = scan(&self.world.stage.dynamodb, &EVENTS, &self.world.stage.prefix).await;
        items.retain(|item| text(item, "stream") == self.visit());
        items.sort_by_key(|item| item["seq"].as_n().unwrap().parse::<u64>().unwrap());
        items
    }

    async fn put(&self, items: Vec<Item>) {
        let table = EVENTS.name(&self.world.stage.prefix);
        for items in items.chunks(PUTS_MAX) {
            let put = |item: &Item| {
                let put = PutRequest::builder().set_item(Some(item.clone())).build().unwrap();
                WriteRequest::builder().put_request(put).build()
            };
            let puts = self.world.stage.dynamodb.batch_write_item();
            let left = puts.request_items(&table, items.iter().map(put).collect()).send().await.unwrap();
            assert!(left.unprocessed_items.unwrap_or_default().is_empty());
        }
    }

    /// The events on all pages.
    async fn pages(&self, order: &str, limit: usize) -> Vec<Value> {
        let query = format!("order={order}&limit={limit}&to={}", self.to);
        let (mut events, mut cursor) = (Vec::new(), String::new());
        for _ in 0..PAGES_MAX {
            let page = page(&self.owner, &format!("{query}{cursor}")).await;
            events.extend(page["items"].as_array().unwrap().clone());
            match page["next"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return events,
            }
        }
        panic!("more than {PAGES_MAX} pages: {query}");
    }

    /// Asserts that pages in both orders and the parts of an export hold these events, oldest first.
    async fn assert_shows(&self, events: &[Value]) {
        for limit in [1, 7, 200] {
            assert_same(&self.pages("asc", limit).await, events, &format!("ascending, {limit}"));
            let newest_first: Vec<Value> = events.iter().rev().cloned().collect();
            assert_same(&self.pages("desc", limit).await, &newest_first, &format!("descending, {limit}"));
        }
        for format in ["ndjson", "csv"] {
            assert_same(&joined(&self.owner, format, &format!("to={}", self.to)).await, events, format);
        }
    }
}

fn assert_same(found: &[Value], events: &[Value], context: &str) {
    let numbers =
        |events: &[Value]| events.iter().map(|event| event["seq"].to_string()).collect::<Vec<_>>().join(" ");
    assert_eq!(numbers(found), numbers(events), "{context}");
    assert_eq!(found, events, "{context}");
}

fn with(item: &Item, attributes: &[(&str, AttributeValue)]) -> Item {
    let mut item = item.clone();
    item.extend(attributes.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
    item
}

fn string(text: impl Into<String>) -> AttributeValue {
    AttributeValue::S(text.into())
}

fn number(digits: &str) -> AttributeValue {
    AttributeValue::N(digits.into())
}

#[tokio::test]
async fn hundreds_of_items_without_a_commits_id_between_two_commits_are_passed_over() {
    let stage = Stage::new().await;
    let scene = Scene::new(&stage).await;
    let events = scene.pages("asc", 200).await;
    assert!(events.len() > COMMITS);
    let item = scene.items().await.remove(COMMITS / 2);
    let id = text(&item, "commit").to_owned();
    let keys: [&dyn Fn(usize) -> String; 6] = [
        // Between the milliseconds of two commits.
        &|n| format!("{}-{n:04}-zzzzzzzzzzzz", &id[..13]),
        // Between two neighbouring ids.
        &|n| format!("{id}{n}"),
        // The id of the commit itself.
        &|_| id.clone(),
        // One id, of no commit.
        &|_| format!("{}-0000-000000000000", &id[..18]),
        &|n| format!("{}{n}", &id[..18].to_uppercase()),
        &|n| format!("{}\u{e9}|{n}", &id[..9]),
    ];
    for (place, key) in keys.iter().enumerate() {
        let added = |n| {
            let stream = string(format!("waitee-added-{place}-{n}"));
            with(&item, &[("stream", stream), ("commit", string(key(n)))])
        };
        scene.put((0..ADDED).map(added).collect()).await;
        scene.assert_shows(&events).await;
    }
}

#[tokio::test]
async fn an_item_with_a_number_below_1_is_not_shown() {
    let stage = Stage::new().await;
    let scene = Scene::new(&stage).await;
    let events = scene.pages("asc", 200).await;
    let item = scene.items().await.remove(2);
    let id = text(&item, "commit");
    for seq in ["0", "-5"] {
        let own = string(format!("{}{:012x}", &id[..24], seq.len()));
        scene.put(vec![with(&item, &[("seq", number(seq)), ("last", number(seq)), ("commit", own)])]).await;
        scene.assert_shows(&events).await;
    }
}

#[tokio::test]
async fn a_copy_under_the_streams_name_in_capitals_is_not_shown_and_is_named() {
    let stage = Stage::new().await;
    let scene = Scene::new(&stage).await;
    let events = scene.pages("asc", 200).await;
    let (prefix, id) = ("waitee-", scene.visit()["waitee-".len()..].to_uppercase());
    let name = format!("{prefix}{id}");
    let copies = scene.items().await.iter().map(|item| with(item, &[("stream", string(&name))])).collect();
    scene.put(copies).await;
    scene.assert_shows(&events).await;
    let bad = verify::all(&stage.backend, 2, |_| ()).await.unwrap().bad;
    assert_eq!(bad.iter().map(|bad| bad.stream.clone()).collect::<Vec<_>>(), [name]);
    assert_eq!(bad[0].why, "its key names no stream that this code knows");
}

#[tokio::test]
async fn an_event_whose_data_cannot_be_read_is_left_out_alone() {
    let stage = Stage::new().await;
    let scene = Scene::new(&stage).await;
    let events = scene.pages("asc", 200).await;
    let item = scene.items().await.remove(COMMITS / 2);
    let others: Vec<Value> =
        events.iter().filter(|event| event["commit"] != text(&item, "commit")).cloned().collect();
    assert!(others.len() < events.len());
    let deep = format!("{}{}", "[".repeat(200), "]".repeat(200));
    for value in ["1e999", r#""\ud800""#, &deep] {
        let altered = text(&item, "events").replacen(r#""data":{"#, &format!(r#""data":{{"x":{value},"#), 1);
        let altered = altered.replacen(",}", "}", 1);
        scene.put(vec![with(&item, &[("events", string(altered))])]).await;
        scene.assert_shows(&others).await;
    }
    scene.put(vec![item]).await;
    scene.assert_shows(&events).await;
}
