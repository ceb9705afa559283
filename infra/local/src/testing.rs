//! The tests' fixture: a real engine in a temporary directory, with clients.

use std::path::Path;

use aws_sdk_dynamodb::types::AttributeValue;
use schema::table::{CHECKPOINTS, EVENTS, Table};
use tempfile::TempDir;

use crate::{engine::Engine, pump::Source};

pub(crate) const TABLES: &[Table] = &[EVENTS, CHECKPOINTS];

pub(crate) struct Backend {
    pub(crate) engine: Engine,
    pub(crate) dynamodb: aws_sdk_dynamodb::Client,
    pub(crate) streams: aws_sdk_dynamodbstreams::Client,
    pub(crate) prefix: String,
}

impl Backend {
    pub(crate) async fn start(dir: &Path) -> Self {
        let (engine, prefix) = (Engine::start(dir, TABLES, "test").unwrap(), "test");
        let sdk = engine.sdk().await;
        let dynamodb = aws_sdk_dynamodb::Client::new(&sdk);
        let streams = aws_sdk_dynamodbstreams::Client::new(&sdk);
        infra::tables::create(&dynamodb, prefix, TABLES).await.unwrap();
        Self { engine, dynamodb, streams, prefix: prefix.to_owned() }
    }

    pub(crate) fn source(&self) -> Source {
        Source {
            dynamodb: self.dynamodb.clone(),
            streams: self.streams.clone(),
            table: EVENTS.name(&self.prefix),
            checkpoints: CHECKPOINTS.name(&self.prefix),
        }
    }

    pub(crate) async fn put(&self, seq: usize) {
        let request = self.dynamodb.put_item().table_name(EVENTS.name(&self.prefix));
        let request = request
            .item("stream", AttributeValue::S("waitee-1".to_owned()))
            .item("seq", AttributeValue::N(seq.to_string()));
        request.send().await.unwrap();
    }

    /// Returns the sequence numbers of the stream's records, oldest first.
    pub(crate) async fn sequences(&self) -> Vec<String> {
        let table = self
            .dynamodb
            .describe_table()
            .table_name(EVENTS.name(&self.prefix))
            .send()
            .await
            .unwrap()
            .table
            .unwrap();
        let stream = table.latest_stream_arn.unwrap();
        let description = self
            .streams
            .describe_stream()
            .stream_arn(&stream)
            .send()
            .await
            .unwrap()
            .stream_description
            .unwrap();
        let shard = description.shards()[0].shard_id().unwrap();
        let opened = self
            .streams
            .get_shard_iterator()
            .stream_arn(&stream)
            .shard_id(shard)
            .shard_iterator_type("TRIM_HORIZON".into());
        let iterator = opened.send().await.unwrap().shard_iterator.unwrap();
        let read = self.streams.get_records().shard_iterator(iterator).send().await.unwrap();
        read.records()
            .iter()
            .map(|record| record.dynamodb().unwrap().sequence_number().unwrap().to_owned())
            .collect()
    }
}

pub(crate) fn temporary() -> TempDir {
    tempfile::tempdir().unwrap()
}
