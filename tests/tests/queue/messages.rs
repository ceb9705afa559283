use std::{collections::HashSet, time::Duration};

use infra::queue::{BATCH_BODY_BYTES_MAX, BODY_BYTES_MAX, Message, QueueError, Receipt, Waiting};

use crate::{AT_ONCE, ATTEMPTS_MAX, POLICY, Table, VISIBILITY_MS, all_dead_letters, bodies};

#[tokio::test]
async fn a_message_is_received_until_it_is_deleted() {
    let table = Table::new().await;
    let queue = table.queue("deliver");
    let id = queue.send("one", AT_ONCE).await.unwrap();
    for attempt in 1..=2 {
        let held = queue.receive(10).await.unwrap();
        assert_eq!(
            (held[0].id.as_str(), bodies(&held), held[0].attempts),
            (id.as_str(), vec!["one"], attempt)
        );
        table.pass(VISIBILITY_MS - 1);
        assert!(queue.receive(10).await.unwrap().is_empty(), "hidden during the visibility time-out");
        table.pass(1);
    }
    let held = queue.receive(10).await.unwrap();
    queue.delete(&held[0].receipt).await.unwrap();
    queue.delete(&held[0].receipt).await.unwrap();
    table.pass(VISIBILITY_MS);
    assert!(queue.receive(10).await.unwrap().is_empty());
    assert!(all_dead_letters(&queue).await.is_empty());
}

#[tokio::test]
async fn a_delayed_message_is_not_received_before_its_delay_has_passed() {
    let table = Table::new().await;
    let queue = table.queue("deliver");
    queue.send("later", Duration::from_secs(60)).await.unwrap();
    table.pass(59_999);
    assert!(queue.receive(10).await.unwrap().is_empty());
    table.pass(1);
    assert_eq!(bodies(&queue.receive(10).await.unwrap()), ["later"]);
}

#[tokio::test]
async fn the_oldest_messages_are_read_without_being_received() {
    let table = Table::new().await;
    let queue = table.queue("deliver");
    queue.send("dies", AT_ONCE).await.unwrap();
    table.exhaust(&queue).await;
    let mut sent = Vec::new();
    for body in ["one", "two", "three"] {
        sent.push(Waiting { body: body.to_owned(), sent_at: table.now() });
        queue.send(body, Duration::from_secs(60)).await.unwrap();
        table.pass(1);
    }
    assert_eq!(queue.oldest(2).await.unwrap(), sent[..2]);
    let dead = queue.oldest_dead(2).await.unwrap();
    assert_eq!(dead.iter().map(|dead| dead.body.as_str()).collect::<Vec<_>>(), ["dies"]);
    table.pass(60_000);
    assert_eq!(bodies(&queue.receive(10).await.unwrap()), ["one", "two", "three"]);
}

#[tokio::test]
async fn a_stale_receipt_deletes_nothing() {
    let table = Table::new().await;
    let queue = table.queue("deliver");
    queue.send("one", AT_ONCE).await.unwrap();
    let stale = queue.receive(10).await.unwrap().remove(0).receipt;
    table.pass(VISIBILITY_MS);
    let held = queue.receive(10).await.unwrap().remove(0);
    queue.delete(&stale).await.unwrap();
    assert!(queue.receive(10).await.unwrap().is_empty(), "still hidden");
    table.pass(VISIBILITY_MS);
    assert_eq!(queue.receive(10).await.unwrap()[0].id, held.id, "not deleted");
}

#[tokio::test(flavor = "multi_thread")]
async fn concurrent_consumers_never_receive_the_same_message() {
    let table = Table::new().await;
    let queue = table.queue("deliver");
    for n in 0..20 {
        queue.send(&n.to_string(), AT_ONCE).await.unwrap();
    }
    for round in 1..=ATTEMPTS_MAX {
        let consumers = (0..4).map(|_| {
            let queue = table.queue("deliver");
            tokio::spawn(async move {
                let mut held = Vec::new();
                let mut misses = 0; // other consumers may have taken all due messages
                while misses < 3 {
                    let batch = queue.receive(3).await.unwrap();
                    misses = if batch.is_empty() { misses + 1 } else { 0 };
                    held.extend(batch);
                }
                held
            })
        });
        let held: Vec<Message> = futures::future::try_join_all(consumers).await.unwrap().concat();
        assert_eq!(held.len(), 20, "each message was received by one consumer");
        assert_eq!(held.iter().map(|message| &message.id).collect::<HashSet<_>>().len(), 20);
        assert!(held.iter().all(|message| message.attempts == round));
        table.pass(VISIBILITY_MS);
    }
}

#[tokio::test]
async fn queues_in_one_table_are_separate() {
    let table = Table::new().await;
    let (deliver, retry) = (table.queue("deliver"), table.queue("retry"));
    deliver.send("deliver", AT_ONCE).await.unwrap();
    retry.send("retry", AT_ONCE).await.unwrap();
    assert_eq!(bodies(&deliver.receive(10).await.unwrap()), ["deliver"]);
    assert_eq!(bodies(&retry.receive(10).await.unwrap()), ["retry"]);
}

#[tokio::test]
async fn bodies_delays_and_receipts_out_of_bounds_are_refused_before_the_call() {
    let table = Table::new().await;
    let queue = table.queue("deliver");
    let _before = table.stage.meter.take();
    assert!(matches!(queue.send("", AT_ONCE).await, Err(QueueError::Body { bytes: 0, .. })));
    assert!(matches!(
        queue.send(&"x".repeat(BODY_BYTES_MAX + 1), AT_ONCE).await,
        Err(QueueError::Body { .. })
    ));
    assert!(matches!(queue.send("x", Duration::from_secs(901)).await, Err(QueueError::Delay { .. })));
    assert!(matches!(queue.delete(&Receipt("nonsense".into())).await, Err(QueueError::NotAReceipt { .. })));
    assert_eq!(table.stage.meter.take().calls, 0);

    let largest = "x".repeat(BODY_BYTES_MAX);
    queue.send(&largest, AT_ONCE).await.unwrap();
    assert_eq!(queue.receive(10).await.unwrap()[0].body.len(), BODY_BYTES_MAX);
}

#[tokio::test]
async fn an_error_names_the_queue_and_the_call_and_keeps_its_cause() {
    let table = Table::new().await;
    let queue = table.queue_in("no-such-table".into(), "deliver", POLICY);
    let error = queue.receive(1).await.unwrap_err();
    assert_eq!(error.to_string(), "queue deliver: look for due messages");
    assert!(std::error::Error::source(&error).is_some());
}

#[tokio::test]
async fn many_messages_are_sent_in_batches_and_counted_until_they_are_deleted() {
    let table = Table::new().await;
    let (queue, other) = (table.queue("many"), table.queue("other"));
    let bodies: Vec<String> = (0..137).map(|number| format!("message {number}")).collect();
    queue.send_all(&bodies, AT_ONCE).await.unwrap();
    other.send_all(&bodies[..3], AT_ONCE).await.unwrap();
    queue.send_all(&[], AT_ONCE).await.unwrap();
    for (most, counted) in [(1_000, 137), (137, 137), (50, 50)] {
        assert_eq!(queue.waiting(most).await.unwrap(), counted);
    }
    let mut received = HashSet::new();
    while let Some(messages) = Some(queue.receive(10).await.unwrap()).filter(|messages| !messages.is_empty())
    {
        for message in messages {
            assert!(received.insert(message.body.clone()), "{} was received twice", message.body);
            queue.delete(&message.receipt).await.unwrap();
        }
    }
    assert_eq!(received, bodies.into_iter().collect());
    assert_eq!((queue.waiting(10).await.unwrap(), other.waiting(10).await.unwrap()), (0, 3));

    queue.send_all(&["later".into()], Duration::from_secs(60)).await.unwrap();
    assert!(queue.receive(10).await.unwrap().is_empty());
    assert_eq!(queue.waiting(10).await.unwrap(), 1, "a delayed message is counted");
    for wrong in [String::new(), "x".repeat(BATCH_BODY_BYTES_MAX + 1)] {
        assert!(matches!(
            queue.send_all(&["fine".into(), wrong], AT_ONCE).await,
            Err(QueueError::Body { .. })
        ));
    }
    assert_eq!(queue.waiting(10).await.unwrap(), 1, "nothing is sent when a body is out of bounds");
}
