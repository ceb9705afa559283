//! A simulated stream with features that the embedded engine lacks: parent and child shards, closed shards,
//! pages of shards, expired iterators and trimmed records.

use std::{
    convert::Infallible,
    sync::{Arc, Mutex},
};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode, header::CONTENT_TYPE},
    response::IntoResponse,
};
use serde_json::{Value, json};

use super::super::*;
use crate::testing::{Backend, temporary};

const CONSUMER: &str = "projector";
const SEQUENCES_FROM: u128 = 100_000_000_000_000_000_000;
const BATCH: i32 = 2;

/// A shard with the records `first` to `last`, of which those before `oldest` are trimmed.
#[derive(Clone, Copy)]
struct SimulatedShard {
    id: &'static str,
    parent: Option<&'static str>,
    first: usize,
    oldest: usize,
    last: usize,
    closed: bool,
}

/// The server side of the simulated stream.
struct Stream {
    shards: Vec<SimulatedShard>,
    reads: usize,
    expire_each: usize, // the number of reads after which an iterator has expired; 0: never
}

type Shared = Arc<Mutex<Stream>>;

impl Stream {
    fn answer(&mut self, operation: &str, request: &Value) -> Result<Value, &'static str> {
        match operation {
            "ListStreams" => Ok(json!({ "Streams": [{ "StreamArn": "arn", "StreamLabel": "one" }] })),
            "DescribeStream" => Ok(self.describe(request["ExclusiveStartShardId"].as_str())),
            "GetShardIterator" => self.open(request),
            "GetRecords" => self.read(request["ShardIterator"].as_str().unwrap()),
            other => panic!("unexpected operation {other}"),
        }
    }

    /// Returns one shard per page.
    fn describe(&self, after: Option<&str>) -> Value {
        let place = after.map_or(0, |id| 1 + self.shards.iter().position(|shard| shard.id == id).unwrap());
        let shard = self.shards[place];
        let more = (place + 1 < self.shards.len()).then_some(shard.id);
        let range = json!({ "StartingSequenceNumber": sequence(shard.first), "EndingSequenceNumber": sequence(shard.last) });
        let shards =
            [json!({ "ShardId": shard.id, "ParentShardId": shard.parent, "SequenceNumberRange": range })];
        json!({ "StreamDescription": { "StreamArn": "arn", "Shards": shards, "LastEvaluatedShardId": more } })
    }

    fn open(&self, request: &Value) -> Result<Value, &'static str> {
        let shard = self.shard(request["ShardId"].as_str().unwrap());
        let next = match request["SequenceNumber"].as_str() {
            Some(after) => 1 + place(after),
            None => shard.oldest,
        };
        if next < shard.oldest {
            Err("TrimmedDataAccessException")
        } else {
            Ok(json!({ "ShardIterator": format!("{}/{next}", shard.id) }))
        }
    }

    fn read(&mut self, iterator: &str) -> Result<Value, &'static str> {
        self.reads += 1;
        if self.expire_each > 0 && self.reads.is_multiple_of(self.expire_each) {
            return Err("ExpiredIteratorException");
        }
        let (id, next) = iterator.split_once('/').unwrap();
        let (shard, next) = (self.shard(id), next.parse::<usize>().unwrap());
        let until = (next + usize::try_from(BATCH).unwrap()).min(shard.last + 1);
        let records: Vec<_> = (next..until).map(record).collect();
        let ended = shard.closed && until > shard.last;
        Ok(json!({ "Records": records, "NextShardIterator": (!ended).then(|| format!("{id}/{until}")) }))
    }

    fn shard(&self, id: &str) -> SimulatedShard {
        *self.shards.iter().find(|shard| shard.id == id).unwrap()
    }
}

fn sequence(place: usize) -> String {
    (SEQUENCES_FROM + u128::try_from(place).unwrap()).to_string()
}

fn place(sequence: &str) -> usize {
    usize::try_from(sequence.parse::<u128>().unwrap() - SEQUENCES_FROM).unwrap()
}

fn record(place: usize) -> Value {
    let keys = json!({ "stream": { "S": "waitee-1" }, "seq": { "N": place.to_string() } });
    let change = json!({ "Keys": keys, "SequenceNumber": sequence(place), "SizeBytes": 1, "StreamViewType": "NEW_IMAGE" });
    json!({ "eventID": place.to_string(), "eventName": "INSERT", "dynamodb": change })
}

async fn serve(State(stream): State<Shared>, headers: HeaderMap, body: Bytes) -> impl IntoResponse {
    let operation = headers["x-amz-target"].to_str().unwrap().rsplit('.').next().unwrap().to_owned();
    let answer = stream.lock().unwrap().answer(&operation, &serde_json::from_slice(&body).unwrap());
    let (status, body) = match answer {
        Ok(body) => (StatusCode::OK, body),
        Err(kind) => (
            StatusCode::BAD_REQUEST,
            json!({ "__type": format!("com.amazonaws.dynamodb.v20120810#{kind}"), "message": "simulated" }),
        ),
    };
    (status, [(CONTENT_TYPE, "application/x-amz-json-1.0")], body.to_string())
}

/// Pumps the simulated stream until record `last` is handled. Returns the places of the delivered records in
/// order.
async fn pumped(backend: &Backend, stream: &Shared, last: usize) -> Vec<usize> {
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let serving = tokio::spawn(
        axum::serve(listener, Router::new().fallback(serve).with_state(stream.clone())).into_future(),
    );
    let streams = aws_sdk_dynamodbstreams::Client::new(&infra::aws::local(&url, "anyone").await);
    let source = Source { streams, ..backend.source() };

    let delivered = Arc::new(Mutex::new(Vec::new()));
    let remember = delivered.clone();
    let handler = move |event: Event| {
        let places =
            event.records.iter().map(|record| place(record.change.sequence_number.as_deref().unwrap()));
        remember.lock().unwrap().extend(places);
        async { Ok::<_, Infallible>(DynamoDbEventResponse::default()) }
    };
    let progress = Progress::of(&[CONSUMER]);
    let mapping = Mapping { batch_size: BATCH, poll_ms: 1, ..Mapping::of(CONSUMER) };
    let pump = Pump::new(source, mapping, progress.clone(), handler, |_| async { Ok::<_, Infallible>(()) });
    let (stop, stopping) = watch::channel(false);
    let running = tokio::spawn(pump.run(stopping));
    progress.subscribe().wait_for(|positions| positions.values().any(|at| place(at) == last)).await.unwrap();
    stop.send_replace(true);
    running.await.unwrap();
    serving.abort();
    let delivered = delivered.lock().unwrap();
    delivered.clone()
}

fn shard(
    id: &'static str,
    parent: Option<&'static str>,
    records: std::ops::RangeInclusive<usize>,
    closed: bool,
) -> SimulatedShard {
    SimulatedShard {
        id,
        parent,
        first: *records.start(),
        oldest: *records.start(),
        last: *records.end(),
        closed,
    }
}

fn shared(shards: Vec<SimulatedShard>, expire_each: usize) -> Shared {
    Arc::new(Mutex::new(Stream { shards, reads: 0, expire_each }))
}

#[tokio::test]
async fn parent_shards_are_read_to_their_end_before_their_children() {
    let dir = temporary();
    let backend = Backend::start(dir.path()).await;
    let family = vec![
        shard("grandchild", Some("child"), 9..=12, false),
        shard("child", Some("parent"), 5..=8, true),
        shard("parent", Some("expired"), 1..=4, true),
    ];
    let stream = shared(family, 0);
    assert_eq!(pumped(&backend, &stream, 12).await, (1..=12).collect::<Vec<_>>());

    // Closed shards are marked as finished, so nothing is delivered again.
    stream.lock().unwrap().shards[0].last = 13;
    assert_eq!(pumped(&backend, &stream, 13).await, [13]);
}

#[tokio::test]
async fn an_expired_iterator_is_replaced_without_loss_or_repetition() {
    let dir = temporary();
    let backend = Backend::start(dir.path()).await;
    let stream = shared(vec![shard("only", None, 1..=9, false)], 2);
    assert_eq!(pumped(&backend, &stream, 9).await, (1..=9).collect::<Vec<_>>());
}

#[tokio::test]
async fn after_trimmed_records_the_oldest_remaining_record_is_delivered_next() {
    let dir = temporary();
    let backend = Backend::start(dir.path()).await;
    let stream = shared(vec![shard("only", None, 1..=3, false)], 0);
    assert_eq!(pumped(&backend, &stream, 3).await, [1, 2, 3]);
    {
        let only = &mut stream.lock().unwrap().shards[0];
        (only.oldest, only.last) = (6, 8);
    }
    assert_eq!(pumped(&backend, &stream, 8).await, [6, 7, 8]);
}
