//! Queues of SQS and keys of KMS, reached as a lambda reaches them, on an engine that has them.

use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use aws_sdk_sqs::types::QueueAttributeName as Attribute;
use infra::{
    aws,
    queue::{DEAD_PAGE_MAX, Queue, RECEIVE_MAX, SqsQueue},
    vault::{KmsKey, MasterError, MasterKey, Subject, Vault, VaultError},
};
use schema::{UserId, WaiteeId, table::VAULT};
use uuid::Uuid;
use waitlist_tests::{endpoints::endpoint, external, stage::Stage};

const AT_ONCE: Duration = Duration::ZERO;
/// Longer than a receive that finds nothing takes.
const VISIBILITY: Duration = Duration::from_secs(3);
/// How often a message is received before it becomes a dead letter.
const ATTEMPTS_MAX: u32 = 2;

/// Creates a queue and its dead-letter queue.
async fn queue() -> Queue {
    let client = aws_sdk_sqs::Client::new(&aws::config().await);
    let name = format!("test-{}", external::unique());
    let dead_url =
        client.create_queue().queue_name(format!("{name}-dead")).send().await.unwrap().queue_url.unwrap();
    let asked = client
        .get_queue_attributes()
        .queue_url(&dead_url)
        .attribute_names(Attribute::QueueArn)
        .send()
        .await
        .unwrap();
    let dead_arn = &asked.attributes.unwrap()[&Attribute::QueueArn];
    let redrive =
        serde_json::json!({ "deadLetterTargetArn": dead_arn, "maxReceiveCount": ATTEMPTS_MAX }).to_string();
    let made = client.create_queue().queue_name(name).attributes(Attribute::RedrivePolicy, redrive);
    let made =
        made.attributes(Attribute::VisibilityTimeout, VISIBILITY.as_secs().to_string()).send().await.unwrap();
    Queue::Sqs(SqsQueue::new(client, made.queue_url.unwrap(), Some(dead_url)))
}

/// Receives all messages until they become dead letters.
async fn wear_out(queue: &Queue) {
    for attempt in 1..=ATTEMPTS_MAX {
        let received = queue.receive(RECEIVE_MAX).await.unwrap();
        assert!(received.iter().all(|message| message.attempts == attempt), "{received:?}");
        tokio::time::sleep(VISIBILITY + Duration::from_millis(200)).await;
    }
    assert_eq!(queue.receive(RECEIVE_MAX).await.unwrap(), []);
}

#[tokio::test]
async fn a_message_in_sqs_is_received_until_it_is_deleted() {
    if endpoint("a_message_in_sqs_is_received_until_it_is_deleted", "AWS_ENDPOINT_URL_SQS").is_none() {
        return;
    }
    let queue = queue().await;
    let id = queue.send("Größe 🍜", AT_ONCE).await.unwrap();
    let first = queue.receive(1).await.unwrap().remove(0);
    assert_eq!((&first.id, first.body.as_str(), first.attempts), (&id, "Größe 🍜", 1));
    assert_eq!(queue.receive(1).await.unwrap(), [], "the message has one receiver at a time");
    tokio::time::sleep(VISIBILITY + Duration::from_millis(200)).await;
    let second = queue.receive(1).await.unwrap().remove(0);
    assert_eq!((&second.id, second.attempts), (&id, 2));
    queue.delete(&second.receipt).await.unwrap();
    queue.delete(&second.receipt).await.unwrap(); // a stale receipt does nothing
    tokio::time::sleep(VISIBILITY + Duration::from_millis(200)).await;
    assert_eq!(queue.receive(1).await.unwrap(), []);

    queue.send("later", Duration::from_secs(2)).await.unwrap();
    assert_eq!(queue.receive(1).await.unwrap(), [], "the message is delayed");
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(queue.receive(1).await.unwrap().len(), 1);
}

#[tokio::test]
async fn dead_letters_of_sqs_are_listed_and_sent_anew() {
    if endpoint("dead_letters_of_sqs_are_listed_and_sent_anew", "AWS_ENDPOINT_URL_SQS").is_none() {
        return;
    }
    let queue = queue().await;
    for body in ["one", "two", "three"] {
        queue.send(body, AT_ONCE).await.unwrap();
    }
    wear_out(&queue).await;
    let mut letters = queue.dead_letters(None, DEAD_PAGE_MAX).await.unwrap().letters;
    let hidden = queue.read_dead(DEAD_PAGE_MAX).await.unwrap();
    assert_eq!((hidden.letters.len(), hidden.is_complete), (0, false), "they were just listed");
    letters.sort_by(|a, b| a.body.cmp(&b.body));
    assert_eq!(
        letters.iter().map(|letter| letter.body.as_str()).collect::<Vec<_>>(),
        ["one", "three", "two"]
    );

    // The dead letter is hidden because it was just listed, but a redrive must find it.
    assert!(queue.redrive(&letters[0].id).await.unwrap());
    let again = queue.receive(RECEIVE_MAX).await.unwrap();
    assert_eq!(
        again.iter().map(|message| (message.body.as_str(), message.attempts)).collect::<Vec<_>>(),
        [("one", 1)]
    );
    queue.delete(&again[0].receipt).await.unwrap();
    assert!(!queue.redrive("no such letter").await.unwrap());

    tokio::time::sleep(Duration::from_secs(11)).await; // listed dead letters are hidden for ten seconds
    let read = queue.read_dead(DEAD_PAGE_MAX).await.unwrap();
    assert_eq!((read.letters.len(), read.is_complete), (2, true));
    tokio::time::sleep(Duration::from_secs(11)).await;
    assert_eq!(queue.redrive_all().await.unwrap(), 2);
    assert_eq!(queue.receive(RECEIVE_MAX).await.unwrap().len(), 2);
}

#[tokio::test]
async fn a_key_of_kms_wraps_an_account_s_key_and_no_other_account_s() {
    let name = "a_key_of_kms_wraps_an_account_s_key_and_no_other_account_s";
    if endpoint(name, "AWS_ENDPOINT_URL_KMS").is_none()
        || endpoint(name, "AWS_ENDPOINT_URL_DYNAMODB").is_none()
    {
        return;
    }
    let kms = aws_sdk_kms::Client::new(&aws::config().await);
    let key = kms.create_key().send().await.unwrap().key_metadata.unwrap().key_id;
    let stage = Stage::new().await;
    let table = VAULT.name(&stage.prefix);
    let vault = |key: &str| {
        let master = MasterKey::Kms(KmsKey::new(kms.clone(), key.to_owned()));
        Vault::new(stage.dynamodb.clone(), table.clone(), master, stage.backend.clock.clone())
    };
    let [ana, ben] = [1, 2].map(|n| UserId(Uuid::from_u128(n)));
    let guest = Subject::Guest { account: ana, guest: WaiteeId(Uuid::from_u128(3)) };
    let made = vault(&key).create(Subject::Account(ana)).await.unwrap();
    let guests = vault(&key).create(guest).await.unwrap();
    let read = vault(&key).keys(&[Subject::Account(ana), guest]).await.unwrap();
    assert_eq!(read[&Subject::Account(ana)].mac("same", &[]), made.mac("same", &[]));
    assert_eq!(read[&guest].mac("same", &[]), guests.mac("same", &[]));

    // Puts Ana's wrapped key in place of Ben's.
    let stored = stage.dynamodb.get_item().table_name(&table).consistent_read(true);
    let stored =
        stored.key("subject", AttributeValue::S(Subject::Account(ana).to_string())).send().await.unwrap();
    let mut item = stored.item.unwrap();
    item.insert("subject".into(), AttributeValue::S(Subject::Account(ben).to_string()));
    stage.dynamodb.put_item().table_name(&table).set_item(Some(item)).send().await.unwrap();
    let refused = vault(&key).key(Subject::Account(ben)).await;
    assert!(
        matches!(refused, Err(VaultError::Master { cause: MasterError::Kms(_), .. })),
        "{:?}",
        refused.err()
    );

    let refused = vault("no-such-key").create(Subject::Account(UserId(Uuid::from_u128(4)))).await;
    assert!(
        matches!(refused, Err(VaultError::Master { cause: MasterError::Kms(_), .. })),
        "{:?}",
        refused.err()
    );
}

#[tokio::test]
async fn many_messages_of_sqs_are_sent_at_once_and_counted() {
    if endpoint("many_messages_of_sqs_are_sent_at_once_and_counted", "AWS_ENDPOINT_URL_SQS").is_none() {
        return;
    }
    let queue = queue().await;
    let mut bodies: Vec<String> = (0..23).map(|number| format!("message {number}")).collect();
    queue.send_all(&bodies, AT_ONCE).await.unwrap();
    assert_eq!((queue.waiting(100).await.unwrap(), queue.waiting(7).await.unwrap()), (23, 7));
    let mut received = Vec::new();
    while received.len() < bodies.len() {
        let messages = queue.receive(RECEIVE_MAX).await.unwrap();
        assert!(!messages.is_empty(), "{received:?}");
        for message in messages {
            queue.delete(&message.receipt).await.unwrap();
            received.push(message.body);
        }
    }
    bodies.sort_unstable();
    received.sort_unstable();
    assert_eq!(received, bodies);
}
