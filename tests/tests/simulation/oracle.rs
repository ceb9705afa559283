//! The expected rows: a fold of the stored log that shares no code with the projections.

mod fold;

use std::{collections::HashMap, time::Duration};

use aws_sdk_dynamodb::types::AttributeValue;
use infra::{Clock, Log, generations};
use schema::{StreamId, projection::Name, table::EVENTS};
use serde_json::Value;
use waitlist_tests::stage::Stage;

use self::fold::fold;

pub(crate) type Item = HashMap<String, AttributeValue>;

/// The page size of a scan. Without a limit the embedded engine reads the whole table at once.
const SCAN_PAGE: i32 = 500;

/// How long a test waits for rows to be written.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);
pub(crate) const POLL: Duration = Duration::from_millis(25);

/// Direct access to the tables of one deployment.
#[derive(Clone)]
pub(crate) struct Tables {
    pub(crate) dynamodb: aws_sdk_dynamodb::Client,
    pub(crate) prefix: String,
}

impl Tables {
    pub(crate) fn of(stage: &Stage) -> Self {
        Self { dynamodb: stage.dynamodb.clone(), prefix: stage.prefix.clone() }
    }

    /// Returns the stored commits of a stream, the oldest first.
    pub(crate) async fn commits(&self, stream: &str) -> Vec<Item> {
        let pages = self
            .dynamodb
            .query()
            .table_name(EVENTS.name(&self.prefix))
            .consistent_read(true)
            .key_condition_expression("#stream = :stream")
            .expression_attribute_names("#stream", "stream")
            .expression_attribute_values(":stream", AttributeValue::S(stream.to_owned()))
            .into_paginator()
            .items()
            .send();
        pages.collect::<Result<_, _>>().await.unwrap()
    }

    /// Returns the names of all streams, sorted.
    pub(crate) async fn streams(&self) -> Vec<String> {
        let scan =
            self.dynamodb.scan().table_name(EVENTS.name(&self.prefix)).consistent_read(true).limit(SCAN_PAGE);
        let items: Vec<Item> = scan.into_paginator().items().send().collect::<Result<_, _>>().await.unwrap();
        let mut names: Vec<String> = items.iter().map(|item| text(item, "stream")).collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    /// Returns the stored row of a stream.
    pub(crate) async fn row(&self, stream: StreamId) -> Option<Value> {
        self.row_in(stream, self.live(stream).await).await
    }

    /// Returns the row of a stream in a generation.
    pub(crate) async fn row_in(&self, stream: StreamId, generation: u64) -> Option<Value> {
        let key = AttributeValue::S(stream.id.to_string());
        let get = self.dynamodb.get_item().table_name(self.table(stream, generation)).key("id", key);
        get.consistent_read(true).send().await.unwrap().item.map(plain)
    }

    /// Overwrites the row of a stream with any content.
    pub(crate) async fn put_row(&self, stream: StreamId, row: &Value) {
        let item: Item = serde_dynamo::to_item(row).unwrap();
        self.dynamodb
            .put_item()
            .table_name(self.table(stream, self.live(stream).await))
            .set_item(Some(item))
            .send()
            .await
            .unwrap();
    }

    pub(crate) async fn remove_row(&self, stream: StreamId) {
        let key = AttributeValue::S(stream.id.to_string());
        self.dynamodb
            .delete_item()
            .table_name(self.table(stream, self.live(stream).await))
            .key("id", key)
            .send()
            .await
            .unwrap();
    }

    fn table(&self, stream: StreamId, generation: u64) -> String {
        projection(stream).table_name(&self.prefix, generation)
    }

    async fn live(&self, stream: StreamId) -> u64 {
        let log = Log::new(self.dynamodb.clone(), &self.prefix, Clock::system());
        generations::roles(&log, projection(stream)).await.unwrap().live
    }

    /// Returns the expected row of a stream.
    pub(crate) async fn expected(&self, stream: StreamId) -> Option<Value> {
        fold(stream, &self.commits(&stream.to_string()).await)
    }

    /// Waits until the rows of these streams are as expected.
    pub(crate) async fn settle(&self, streams: &[StreamId]) {
        let settled = async {
            for stream in streams {
                while self.row(*stream).await != self.expected(*stream).await {
                    tokio::time::sleep(POLL).await;
                }
            }
        };
        if tokio::time::timeout(PATIENCE, settled).await.is_err() {
            for stream in streams {
                assert_eq!(self.row(*stream).await, self.expected(*stream).await, "the row of {stream}");
            }
        }
    }
}

fn projection(stream: StreamId) -> Name {
    let folding = Name::ALL.into_iter().find(|name| name.category() == stream.category);
    folding.unwrap_or_else(|| panic!("no rows of {stream} are compared"))
}

pub(crate) fn text(item: &Item, name: &str) -> String {
    item[name].as_s().unwrap().clone()
}

fn plain(item: Item) -> Value {
    serde_dynamo::from_item(item).unwrap()
}
