//! Restarts of a consumer, and pruning of records that all consumers have handled.

use std::{
    convert::Infallible,
    sync::{Arc, Mutex},
};

use aws_sdk_dynamodb::types::{StreamSpecification, StreamViewType};

use super::super::*;
use crate::testing::{Backend, temporary};

type Seen = Arc<Mutex<Vec<String>>>;

const CONSUMER: &str = "projector";
/// How long a test waits for a delivery on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);

/// Returns a pump whose handler accepts all records and collects their sequence numbers.
fn collecting(backend: &Backend, mapping: Mapping, progress: &Progress, seen: &Seen) -> Pump {
    let seen = seen.clone();
    let handler = move |event: Event| {
        let sequences = event.records.iter().map(|record| record.change.sequence_number.clone().unwrap());
        seen.lock().unwrap().extend(sequences);
        async { Ok::<_, Infallible>(DynamoDbEventResponse::default()) }
    };
    Pump::new(backend.source(), mapping, progress.clone(), handler, |failure| async move {
        Err::<(), _>(format!("unexpected: {failure:?}"))
    })
}

/// Runs `pump` until its checkpoint is `sequence`, then stops it.
async fn run_to(pump: Pump, progress: &Progress, sequence: &str) {
    let mut positions = progress.subscribe();
    let (stop, stopping) = watch::channel(false);
    let running = tokio::spawn(pump.run(stopping));
    positions.wait_for(|positions| positions.values().any(|position| position == sequence)).await.unwrap();
    stop.send_replace(true);
    running.await.unwrap();
}

#[tokio::test]
async fn after_a_restart_only_new_records_are_delivered() {
    let dir = temporary();
    let seen = Seen::default();
    let first = Backend::start(dir.path()).await;
    for seq in 1..=7 {
        first.put(seq).await;
    }
    let progress = Progress::of(&[CONSUMER]);
    let mapping = Mapping { batch_size: 3, ..Mapping::of(CONSUMER) };
    let sequences = first.sequences().await;
    run_to(collecting(&first, mapping, &progress, &seen), &progress, &sequences[6]).await;
    assert_eq!(*seen.lock().unwrap(), sequences);
    first.engine.stop().await;
    drop(first);

    let second = Backend::start(dir.path()).await;
    second.put(8).await;
    let progress = Progress::of(&[CONSUMER]);
    let sequences = second.sequences().await;
    run_to(collecting(&second, mapping, &progress, &seen), &progress, &sequences[7]).await;
    assert_eq!(*seen.lock().unwrap(), sequences);
}

#[tokio::test]
async fn a_write_ends_the_pause_of_an_idle_shard() {
    let dir = temporary();
    let seen = Seen::default();
    let backend = Backend::start(dir.path()).await;
    backend.put(1).await;
    let progress = Progress::of(&[CONSUMER]);
    let mut positions = progress.subscribe();
    let mapping = Mapping::of(CONSUMER);
    let pump = collecting(&backend, mapping, &progress, &seen).woken_by(backend.engine.written(), 3_600_000);
    let (stop, stopping) = watch::channel(false);
    let running = tokio::spawn(pump.run(stopping));
    for seq in 2..=4 {
        let newest = backend.sequences().await.pop().unwrap();
        let delivered =
            positions.wait_for(|positions| positions.values().any(|position| *position == newest));
        tokio::time::timeout(PATIENCE, delivered).await.expect("the record is delivered at once").unwrap();
        backend.put(seq).await;
    }
    stop.send_replace(true);
    running.await.unwrap();
}

#[tokio::test]
async fn a_stream_that_was_replaced_while_nothing_read_it_is_given_up_once() {
    let dir = temporary();
    let backend = Backend::start(dir.path()).await;
    let set_stream = async |is_on: bool| {
        let stream = StreamSpecification::builder().stream_enabled(is_on);
        let stream = if is_on { stream.stream_view_type(StreamViewType::NewImage) } else { stream };
        let update = backend.dynamodb.update_table().table_name(backend.source().table);
        update.stream_specification(stream.build().unwrap()).send().await.unwrap();
    };
    let given_up = Arc::new(Mutex::new(Vec::new()));
    for seq in 1..=4 {
        backend.put(seq).await;
        let (progress, kept) = (Progress::of(&[CONSUMER]), given_up.clone());
        let handler = |_| async { Ok::<_, Infallible>(DynamoDbEventResponse::default()) };
        let pump =
            Pump::new(backend.source(), Mapping::of(CONSUMER), progress.clone(), handler, move |failure| {
                kept.lock().unwrap().push((seq, failure.records, failure.stream_arn));
                async { Ok::<_, Infallible>(()) }
            });
        run_to(pump, &progress, backend.sequences().await.last().unwrap()).await;
        if seq == 2 {
            set_stream(false).await;
            set_stream(true).await;
        }
    }
    let given_up = given_up.lock().unwrap();
    assert_eq!(given_up.iter().map(|(seq, records, _)| (*seq, *records)).collect::<Vec<_>>(), [(3, 0)]);
    assert!(given_up[0].2.contains("table/test-events/stream/"), "{given_up:?}");
}

#[tokio::test]
async fn records_that_all_consumers_have_handled_are_pruned() {
    let dir = temporary();
    let backend = Arc::new(Backend::start(dir.path()).await);
    for seq in 1..=6 {
        backend.put(seq).await;
    }
    let sequences = backend.sequences().await;
    let progress = Progress::of(&["projector", "reactor"]);
    for consumer in ["projector", "reactor"] {
        let mapping = Mapping { batch_size: 2, prune_batches: 1, ..Mapping::of(consumer) };
        let pruned = backend.clone();
        let pump = collecting(&backend, mapping, &progress, &Seen::default()).pruning(move |consumed| {
            let pruned = pruned.clone();
            async move {
                pruned.engine.prune(&pruned.source().table, &consumed).await.unwrap();
            }
        });
        let mut positions = progress.subscribe();
        let (stop, stopping) = watch::channel(false);
        let running = tokio::spawn(pump.run(stopping));
        let done = |positions: &Positions| {
            positions.iter().any(|((of, _), position)| *of == consumer && *position == sequences[5])
        };
        positions.wait_for(done).await.unwrap();
        stop.send_replace(true);
        running.await.unwrap();
        let left = if consumer == "projector" { &sequences[..] } else { &sequences[5..] };
        assert_eq!(backend.sequences().await, left);
    }
}

#[tokio::test]
async fn a_handler_gets_a_record_in_the_form_that_lambda_uses() {
    let dir = temporary();
    let backend = Backend::start(dir.path()).await;
    backend.put(1).await;
    let progress = Progress::of(&[CONSUMER]);
    let (sender, mut received) = watch::channel(Event::default());
    let handler = move |event: Event| {
        sender.send_replace(event);
        async { Ok::<_, Infallible>(DynamoDbEventResponse::default()) }
    };
    let pump = Pump::new(backend.source(), Mapping::of(CONSUMER), progress.clone(), handler, |_| async {
        Ok::<_, Infallible>(())
    });
    run_to(pump, &progress, &backend.sequences().await[0]).await;
    let record = received.borrow_and_update().records[0].clone();
    assert_eq!(record.event_name, "INSERT");
    assert_eq!(record.event_source.as_deref(), Some("aws:dynamodb"));
    assert!(record.event_source_arn.unwrap().contains("table/test-events/stream/"));
    let keys: serde_json::Value = serde_dynamo::from_item(record.change.keys).unwrap();
    assert_eq!(keys, serde_json::json!({ "stream": "waitee-1", "seq": 1 }));
    let image: serde_json::Value = serde_dynamo::from_item(record.change.new_image).unwrap();
    assert_eq!(image, keys);
    assert!(record.change.approximate_creation_date_time.timestamp() > 0);
}
