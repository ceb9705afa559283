//! The stream of the events table as a stream mapping delivers it.

use std::{collections::HashMap, time::Duration};

use aws_sdk_dynamodbstreams::{
    Client as Streams,
    types::{AttributeValue, Record, ShardIteratorType},
};
use data_encoding::BASE64;
use schema::table::EVENTS;
use serde_json::{Value, json};

use super::Deployment;

/// The most polls of a stream, which shows a written record within moments.
const STREAM_POLLS_MAX: u32 = 200;
const STREAM_POLL: Duration = Duration::from_millis(50);

impl Deployment {
    /// Waits until the events table's stream has this many records. Returns them as an event of a stream
    /// mapping.
    pub(crate) async fn stream(&self, records: usize) -> Value {
        let streams = Streams::new(&self.stage.sdk);
        for _ in 0..STREAM_POLLS_MAX {
            let read = self.read_stream(&streams).await;
            if read.len() >= records {
                assert_eq!(read.len(), records, "{read:?}");
                return json!({ "Records": read });
            }
            tokio::time::sleep(STREAM_POLL).await;
        }
        panic!("the stream does not show {records} records");
    }

    async fn read_stream(&self, streams: &Streams) -> Vec<Value> {
        let table = self
            .stage
            .dynamodb
            .describe_table()
            .table_name(EVENTS.name(&self.stage.prefix))
            .send()
            .await
            .unwrap()
            .table
            .unwrap();
        let arn = table.latest_stream_arn.unwrap();
        let described =
            streams.describe_stream().stream_arn(&arn).send().await.unwrap().stream_description.unwrap();
        let mut read = Vec::new();
        for shard in described.shards() {
            let from = streams.get_shard_iterator().stream_arn(&arn).shard_id(shard.shard_id().unwrap());
            let mut next =
                from.shard_iterator_type(ShardIteratorType::TrimHorizon).send().await.unwrap().shard_iterator;
            while let Some(iterator) = next {
                let page = streams.get_records().shard_iterator(iterator).send().await.unwrap();
                next = page.next_shard_iterator.filter(|_| !page.records.as_ref().is_none_or(Vec::is_empty));
                read.extend(
                    page.records
                        .unwrap_or_default()
                        .into_iter()
                        .map(|record| as_lambda_gets_it(record, &arn)),
                );
            }
        }
        read
    }
}

/// Converts a record of the streams API into the form of a stream mapping.
fn as_lambda_gets_it(record: Record, arn: &str) -> Value {
    let change = record.dynamodb.unwrap();
    json!({
        "eventID": record.event_id,
        "eventName": record.event_name.unwrap().as_str(),
        "eventVersion": record.event_version,
        "eventSource": "aws:dynamodb",
        "awsRegion": "us-east-1",
        "dynamodb": {
            "ApproximateCreationDateTime": change.approximate_creation_date_time.map_or(0.0, |time| time.as_secs_f64()),
            "Keys": item(&change.keys.unwrap()),
            "NewImage": item(&change.new_image.unwrap()),
            "SequenceNumber": change.sequence_number,
            "SizeBytes": change.size_bytes,
            "StreamViewType": "NEW_IMAGE",
        },
        "eventSourceARN": arn,
    })
}

fn item(attributes: &HashMap<String, AttributeValue>) -> Value {
    attributes.iter().map(|(name, value)| (name.clone(), attribute(value))).collect()
}

fn attribute(value: &AttributeValue) -> Value {
    match value {
        AttributeValue::S(text) => json!({ "S": text }),
        AttributeValue::N(digits) => json!({ "N": digits }),
        AttributeValue::B(bytes) => json!({ "B": BASE64.encode(bytes.as_ref()) }),
        AttributeValue::Ss(texts) => json!({ "SS": texts }),
        other => panic!("a commit holds no {other:?}"),
    }
}
