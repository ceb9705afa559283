use std::collections::HashSet;

use infra::queue::{DEAD_PAGE_MAX, DeadLetter, Policy, Receipt};

use crate::{AT_ONCE, ATTEMPTS_MAX, POLICY, Table, VISIBILITY_MS, all_dead_letters, bodies, drain};

#[tokio::test]
async fn a_message_received_too_often_becomes_a_dead_letter() {
    let table = Table::new().await;
    let queue = table.queue("deliver");
    let id = queue.send("poison", AT_ONCE).await.unwrap();
    let sent_at = table.now();
    table.exhaust(&queue).await;
    let died_at = Some(table.now().plus_millis(-VISIBILITY_MS)); // the last receive finds it exhausted
    queue.send("sound", AT_ONCE).await.unwrap();
    assert_eq!(bodies(&queue.receive(10).await.unwrap()), ["sound"]);
    assert_eq!(
        all_dead_letters(&queue).await,
        [DeadLetter { id, body: "poison".into(), attempts: ATTEMPTS_MAX, sent_at, died_at }]
    );
    assert!(all_dead_letters(&table.queue("other")).await.is_empty());
}

#[tokio::test]
async fn a_redriven_dead_letter_is_a_new_message() {
    let table = Table::new().await;
    let queue = table.queue("deliver");
    let id = queue.send("poison", AT_ONCE).await.unwrap();
    table.exhaust(&queue).await;
    assert!(!queue.redrive("no such letter").await.unwrap());
    assert!(queue.redrive(&id).await.unwrap());
    assert!(!queue.redrive(&id).await.unwrap(), "redriven already");
    assert!(all_dead_letters(&queue).await.is_empty());
    let again = queue.receive(10).await.unwrap().remove(0);
    assert_eq!((again.body.as_str(), again.attempts), ("poison", 1));
    queue.delete(&Receipt(format!("1:{id}"))).await.unwrap();
    table.pass(VISIBILITY_MS);
    assert_eq!(queue.receive(10).await.unwrap().len(), 1, "a receipt from before the redrive is stale");
}

#[tokio::test(flavor = "multi_thread")]
async fn dead_letters_are_listed_by_pages_and_each_is_redriven_once() {
    let table = Table::new().await;
    let queue = table.queue_with("deliver", Policy { attempts_max: 1, ..POLICY });
    let sent: Vec<String> = (0..DEAD_PAGE_MAX + 5).map(|n| format!("poison {n}")).collect();
    for body in &sent {
        queue.send(body, AT_ONCE).await.unwrap();
    }
    assert_eq!(drain(&queue).await.len(), sent.len());
    table.pass(VISIBILITY_MS);
    // One receive examines a hundred messages at most, so a second one is needed for the rest.
    queue.receive(10).await.unwrap();
    queue.receive(10).await.unwrap();

    let first = queue.dead_letters(None, 7).await.unwrap();
    assert_eq!(first.letters.len(), 7);
    let second = queue.dead_letters(first.next.as_deref(), 7).await.unwrap();
    assert!(second.letters.iter().all(|letter| !first.letters.contains(letter)));
    let listed: HashSet<String> =
        all_dead_letters(&queue).await.into_iter().map(|letter| letter.body).collect();
    assert_eq!(listed, sent.iter().cloned().collect());

    let some = queue.read_dead(DEAD_PAGE_MAX).await.unwrap();
    assert_eq!((some.letters.len(), some.is_complete), (DEAD_PAGE_MAX, false));
    let all = queue.read_dead(2 * DEAD_PAGE_MAX).await.unwrap();
    assert_eq!((all.letters.len(), all.is_complete), (sent.len(), true));

    let (here, there) = (table.queue("deliver"), table.queue("deliver"));
    let (one, other) = tokio::join!(here.redrive_all(), there.redrive_all());
    assert_eq!(one.unwrap() + other.unwrap(), sent.len(), "concurrent redrives send each letter once");
    assert!(all_dead_letters(&queue).await.is_empty());
    let received = drain(&queue).await;
    assert_eq!(received.len(), sent.len());
    assert!(received.iter().all(|message| message.attempts == 1));
}
