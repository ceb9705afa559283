//! What AWS runs beside the API: the event source mappings, from the stream and from the queue of parked doorbells.

use std::{collections::HashMap, convert::Infallible, sync::Arc, time::Duration};

use aws_lambda_events::sqs::{SqsEvent, SqsMessage};
use infra::{
    Backend,
    queue::{Message, Policy, Queue, RECEIVE_MAX, TableQueue},
};
use projections::feed::{CONSUMER, Feed};
use schema::table;
use tokio::{sync::watch, task::JoinSet};
use tracing::warn;

use crate::{
    engine::Engine,
    gate::Gate,
    pump::{Failure, Mapping, Progress, Pump, Source},
};

/// How often the queue of parked doorbells is looked at while it is empty.
const QUEUE_POLL: Duration = Duration::from_millis(500);

/// How often expired items are dropped. Nothing hangs on it but the size of the file: who reads an item looks when it ends.
const EXPIRY_PAUSE: Duration = Duration::from_secs(300);

/// The queue of pointers to batches that the projector would not take: what a mapping's failure destination is in AWS.
const FAILED_BATCHES: &str = "failed-batches";

/// Starts both; their handlers pass the gate. They end, in order, once `shutdown` is true.
pub(crate) fn start(
    backend: &Backend,
    source: Source,
    prefix: &str,
    engine: Option<Arc<Engine>>,
    gate: &Gate,
    shutdown: &watch::Receiver<bool>,
) -> JoinSet<()> {
    let mut workers = JoinSet::new();
    let feed = Feed::new(backend.clone());
    if let Some(engine) = engine.clone() {
        workers.spawn(expire(engine, shutdown.clone()));
    }
    workers.spawn(pump(backend, feed.clone(), source, prefix, engine, gate).run(shutdown.clone()));
    workers.spawn(consume(backend.retries.clone(), feed, gate.clone(), shutdown.clone()));
    workers
}

fn pump(backend: &Backend, feed: Feed, source: Source, prefix: &str, engine: Option<Arc<Engine>>, gate: &Gate) -> Pump {
    let gate = gate.clone();
    let policy = Policy { visibility: Duration::from_secs(30), attempts_max: 1 };
    let failed = TableQueue::new(source.dynamodb.clone(), table::QUEUE.name(prefix), FAILED_BATCHES, policy, backend.clock.clone());
    let failed = Queue::Table(failed);
    let table = source.table.clone();
    let pump = Pump::new(
        source,
        Mapping::of(CONSUMER),
        Progress::of(&[CONSUMER]),
        move |event| {
            let (feed, gate) = (feed.clone(), gate.clone());
            async move {
                let _running = gate.pass().await;
                Ok::<_, Infallible>(feed.records(event).await)
            }
        },
        move |failure: Failure| {
            let failed = failed.clone();
            async move {
                let pointer = serde_json::json!({
                    "consumer": failure.consumer, "stream": failure.stream_arn, "shard": failure.shard, "first": failure.first,
                    "last": failure.last, "records": failure.records, "attempts": failure.attempts, "cause": failure.cause,
                });
                failed.send(&pointer.to_string(), Duration::ZERO).await.map(|_| ())
            }
        },
    );
    let Some(engine) = engine else { return pump };
    pump.pruning(move |consumed| {
        let (engine, table) = (engine.clone(), table.clone());
        async move {
            if let Err(cause) = engine.prune(&table, &consumed).await {
                warn!(%cause, "consumed stream records were not pruned");
            }
        }
    })
}

async fn consume(queue: Queue, feed: Feed, gate: Gate, mut shutdown: watch::Receiver<bool>) {
    while !*shutdown.borrow() {
        let running = gate.pass().await;
        let taken = look(&queue, &feed).await;
        drop(running);
        if taken == 0 {
            tokio::select! {
                () = tokio::time::sleep(QUEUE_POLL) => {}
                _ = shutdown.changed() => {}
            }
        }
    }
}

/// Now and then has the engine drop what has expired, as DynamoDB does by itself.
async fn expire(engine: Arc<Engine>, mut shutdown: watch::Receiver<bool>) {
    while !*shutdown.borrow() {
        if let Err(cause) = engine.expire().await {
            warn!(%cause, "expired items were not dropped");
        }
        tokio::select! {
            () = tokio::time::sleep(EXPIRY_PAUSE) => {}
            _ = shutdown.changed() => {}
        }
    }
}

/// One look at the queue of parked doorbells: what is due is delivered. How many that was.
pub async fn look(queue: &Queue, feed: &Feed) -> usize {
    let messages = queue.receive(RECEIVE_MAX).await.unwrap_or_else(|cause| {
        warn!(%cause, "the queue of parked doorbells does not answer");
        Vec::new()
    });
    let taken = messages.len();
    if taken > 0 {
        deliver(queue, feed, messages).await;
    }
    taken
}

/// One batch, with the semantics of partial batch answers: what is not reported as failed is deleted.
async fn deliver(queue: &Queue, feed: &Feed, messages: Vec<Message>) {
    let receipts: HashMap<String, _> = messages.iter().map(|message| (message.id.clone(), message.receipt.clone())).collect();
    let mut event = SqsEvent::default();
    event.records = messages.into_iter().map(sqs_message).collect();
    let answer = feed.parked(event).await;
    let failed = |id: &String| answer.batch_item_failures.iter().any(|failure| failure.item_identifier == *id);
    for (_, receipt) in receipts.iter().filter(|(id, _)| !failed(id)) {
        if let Err(cause) = queue.delete(receipt).await {
            warn!(%cause, "a handled message was not deleted; it will come again");
        }
    }
}

fn sqs_message(message: Message) -> SqsMessage {
    let mut record = SqsMessage::default();
    record.message_id = Some(message.id);
    record.receipt_handle = Some(message.receipt.0);
    record.body = Some(message.body);
    record.attributes.insert("ApproximateReceiveCount".into(), message.attempts.to_string());
    record
}
