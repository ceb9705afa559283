//! The local replacement of AWS's event source mappings and schedule: passes stream records and queue
//! messages to handlers.

use std::{collections::HashMap, convert::Infallible, sync::Arc, time::Duration};

use aws_lambda_events::{
    dynamodb::Event,
    sqs::{SqsBatchResponse, SqsEvent, SqsMessage},
    streams::DynamoDbEventResponse,
};
use infra::{
    Backend,
    clock::Moment,
    messenger::Messengers,
    queue::{MESSAGES_AT_ONCE, Message, Queue, QueueError, RECEIVE_MAX},
    telemetry::metrics::TICK_LOOKED_AT,
};
use projections::{
    feed::{self, Feed},
    rebuild::Worker,
};
use reactors::{
    delivery::Deliver,
    erasure::Eraser,
    reactor::{self, Reactor},
    tick::Tick,
};
use tokio::{sync::watch, task::JoinSet};
use tracing::{error, warn};

use crate::{
    engine::Engine,
    gate::Gate,
    lag::Lag,
    pump::{Failure, Mapping, Progress, Pump, Source},
};

/// Pause between receives while a queue is empty.
const QUEUE_POLL: Duration = Duration::from_millis(500);

/// Pause between two looks for stream records of the embedded engine, which wakes the pump at each write.
const WOKEN_POLL_MS: u64 = 500;

/// The tick runs once a minute, as the schedule in AWS does.
const TICK: Duration = Duration::from_secs(60);

/// The interval at which the clock is checked for a passed minute. The clock may have been moved.
const TICK_POLL: Duration = Duration::from_millis(250);

/// The pause between deletions of expired items. They only keep the file small: readers check the expiry
/// themselves.
const EXPIRY_PAUSE: Duration = Duration::from_secs(300);

/// The handler of a queue's messages.
#[derive(Clone)]
pub enum Consumer {
    /// Parked doorbells.
    Projector(Feed),
    /// Due work of visits and mails.
    Deliver(Deliver),
    /// Erasures.
    Eraser(Eraser),
    /// Steps of rebuilds.
    Rebuild(Worker),
}

impl Consumer {
    async fn handle(&self, event: SqsEvent) -> SqsBatchResponse {
        match self {
            Self::Projector(feed) => feed.parked(event).await,
            Self::Deliver(deliver) => deliver.messages(event).await,
            Self::Eraser(eraser) => eraser.messages(event).await,
            Self::Rebuild(worker) => worker.messages(event).await,
        }
    }
}

/// The settings of the workers that send messages.
pub(crate) struct Sending {
    pub(crate) messengers: Messengers,
    /// Whether the tick runs each minute.
    pub(crate) tick: bool,
}

/// Starts all workers. Their handlers pass the gate. They end once `shutdown` is true, after the running
/// batch.
pub(crate) fn start(
    backend: &Backend,
    Sending { messengers, tick }: Sending,
    Lag { source, progress }: &Lag,
    engine: Option<Arc<Engine>>,
    gate: &Gate,
    shutdown: &watch::Receiver<bool>,
) -> JoinSet<()> {
    let mut workers = JoinSet::new();
    let (feed, reactor) = (Feed::new(backend.clone()), Reactor::new(backend.clone()));
    let (projecting, passing) = (feed.clone(), gate.clone());
    let projector = pump(backend, source, feed::CONSUMER, progress.clone(), move |event| {
        let (feed, gate) = (projecting.clone(), passing.clone());
        async move {
            let _running = gate.pass().await;
            Ok::<_, Infallible>(feed.records(event).await)
        }
    });
    let passing = gate.clone();
    let reactor = pump(backend, source, reactor::CONSUMER, progress.clone(), move |event| {
        let (reactor, gate) = (reactor.clone(), passing.clone());
        async move {
            let _running = gate.pass().await;
            Ok::<_, Infallible>(reactor.records(event).await)
        }
    });
    // Both prune the records that both have handled, because either may be the slower one.
    for pump in [projector, reactor] {
        workers.spawn(on_own_engine(pump, source, engine.clone()).run(shutdown.clone()));
    }
    let eraser = Consumer::Eraser(Eraser::new(backend.clone()));
    workers.spawn(consume(
        backend.retries.clone(),
        Consumer::Projector(feed),
        gate.clone(),
        shutdown.clone(),
    ));
    let deliver = Consumer::Deliver(Deliver::new(backend.clone(), messengers));
    workers.spawn(consume(backend.deliveries.clone(), deliver, gate.clone(), shutdown.clone()));
    if tick {
        workers.spawn(each_minute(backend.clone(), gate.clone(), shutdown.clone()));
    }
    workers.spawn(consume(backend.erasures.clone(), eraser, gate.clone(), shutdown.clone()));
    let worker = Consumer::Rebuild(Worker::new(backend.clone(), MESSAGES_AT_ONCE as u32));
    workers.spawn(consume(backend.rebuilds.clone(), worker, gate.clone(), shutdown.clone()));
    if let Some(engine) = engine {
        workers.spawn(expire(engine, shutdown.clone()));
    }
    workers
}

fn pump<H, Handled>(
    backend: &Backend,
    source: &Source,
    consumer: &'static str,
    progress: Progress,
    handler: H,
) -> Pump
where
    H: Fn(Event) -> Handled + Send + Sync + 'static,
    Handled: Future<Output = Result<DynamoDbEventResponse, Infallible>> + Send + 'static,
{
    let failed = backend.stream_failures.clone();
    Pump::new(source.clone(), Mapping::of(consumer), progress, handler, move |failure: Failure| {
        let failed = failed.clone();
        async move {
            let pointer = serde_json::json!({
                "consumer": failure.consumer, "stream": failure.stream_arn, "since": failure.since, "shard": failure.shard,
                "first": failure.first, "last": failure.last, "records": failure.records, "attempts": failure.attempts,
                "cause": failure.cause,
            });
            failed.send(&pointer.to_string(), Duration::ZERO).await?;
            error!(
                consumer = failure.consumer,
                shard = failure.shard,
                first = failure.first,
                records = failure.records,
                cause = failure.cause,
                "gave up stream records; run `waitlist sweep` once the cause is removed"
            );
            Ok::<_, QueueError>(())
        }
    })
}

/// Lets the embedded engine wake the pump, and the pump prune the engine's stream. Other engines are polled
/// and expire their records themselves.
fn on_own_engine(pump: Pump, source: &Source, engine: Option<Arc<Engine>>) -> Pump {
    let Some(engine) = engine else { return pump };
    let table = source.table.clone();
    pump.woken_by(engine.written(), WOKEN_POLL_MS).pruning(move |consumed| {
        let (engine, table) = (engine.clone(), table.clone());
        async move {
            if let Err(cause) = engine.prune(&table, &consumed).await {
                warn!(%cause, "could not prune consumed stream records");
            }
        }
    })
}

async fn consume(queue: Queue, consumer: Consumer, gate: Gate, mut shutdown: watch::Receiver<bool>) {
    while !*shutdown.borrow() {
        let running = gate.pass().await;
        let received = receive_once(&queue, &consumer).await;
        drop(running);
        if received == 0 {
            tokio::select! {
                () = tokio::time::sleep(QUEUE_POLL) => {}
                _ = shutdown.changed() => {}
            }
        }
    }
}

/// Runs the tick whenever a minute has passed, by the backend's clock, which may be moved forward, or by the
/// monotonic clock, in case the machine's clock is set back.
async fn each_minute(backend: Backend, gate: Gate, mut shutdown: watch::Receiver<bool>) {
    let (tick, clock) = (Tick::new(backend.clone()), backend.clock);
    let mut looked_at: Option<Moment> = None;
    while !*shutdown.borrow() {
        let running = gate.pass().await;
        let now = clock.moment();
        if looked_at.is_none_or(|at| now.since(at) >= TICK) {
            looked_at = Some(now);
            match tick.look().await {
                Ok(_) => TICK_LOOKED_AT.set(u64::try_from(clock.now().millis() / 1_000).unwrap_or(0), []),
                Err(cause) => {
                    warn!(cause = cause.chain(), "could not queue due work; trying again in a minute");
                }
            }
        }
        drop(running);
        tokio::select! {
            () = tokio::time::sleep(TICK_POLL) => {}
            _ = shutdown.changed() => {}
        }
    }
}

/// Makes the engine delete expired items at intervals. DynamoDB does so by itself.
async fn expire(engine: Arc<Engine>, mut shutdown: watch::Receiver<bool>) {
    while !*shutdown.borrow() {
        if let Err(cause) = engine.expire().await {
            warn!(%cause, "could not delete expired items");
        }
        tokio::select! {
            () = tokio::time::sleep(EXPIRY_PAUSE) => {}
            _ = shutdown.changed() => {}
        }
    }
}

/// Receives messages from a queue once and handles them. Returns their number.
pub async fn receive_once(queue: &Queue, consumer: &Consumer) -> usize {
    let messages = queue.receive(RECEIVE_MAX).await.unwrap_or_else(|cause| {
        let cause = infra::Failure::passing("receive from a queue", cause);
        warn!(cause = cause.chain(), "could not receive from a queue; trying again");
        Vec::new()
    });
    let received = messages.len();
    if received > 0 {
        deliver(queue, consumer, messages).await;
    }
    received
}

/// Handles a batch. Deletes the messages that the handler does not report as failed.
async fn deliver(queue: &Queue, consumer: &Consumer, messages: Vec<Message>) {
    let receipts: HashMap<String, _> =
        messages.iter().map(|message| (message.id.clone(), message.receipt.clone())).collect();
    let mut event = SqsEvent::default();
    event.records = messages.into_iter().map(sqs_message).collect();
    let answer = consumer.handle(event).await;
    let failed =
        |id: &String| answer.batch_item_failures.iter().any(|failure| failure.item_identifier == *id);
    for (_, receipt) in receipts.iter().filter(|(id, _)| !failed(id)) {
        if let Err(cause) = queue.delete(receipt).await {
            let cause = infra::Failure::passing("delete a handled message", cause);
            warn!(
                cause = cause.chain(),
                "could not delete a handled message; the queue will deliver it again"
            );
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
