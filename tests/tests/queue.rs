//! The queue in a table against a real engine: nothing is lost, and nobody holds what another holds.

use std::{
    collections::{HashMap, HashSet},
    time::Duration,
};

use infra::queue::{
    BODY_BYTES_MAX, DEAD_PAGE_MAX, DeadLetter, Message, Policy, Queue, QueueError, Receipt, TableQueue,
};
use proptest::prelude::*;
use schema::{Time, table::QUEUE};
use waitlist_tests::{cases::cases, stage::Stage};

const VISIBILITY_MS: i64 = 30_000;
const ATTEMPTS_MAX: u32 = 3;
const POLICY: Policy =
    Policy { visibility: Duration::from_millis(VISIBILITY_MS as u64), attempts_max: ATTEMPTS_MAX };
const AT_ONCE: Duration = Duration::ZERO;

struct House {
    stage: Stage,
}

impl House {
    async fn new() -> Self {
        Self { stage: Stage::new().await }
    }

    fn queue(&self, name: &str) -> Queue {
        self.queue_with(name, POLICY)
    }

    fn queue_with(&self, name: &str, policy: Policy) -> Queue {
        self.queue_in(QUEUE.name(&self.stage.prefix), name, policy)
    }

    fn queue_in(&self, table: String, name: &str, policy: Policy) -> Queue {
        Queue::Table(TableQueue::new(
            self.stage.metered(),
            table,
            name,
            policy,
            self.stage.backend.clock.clone(),
        ))
    }

    fn now(&self) -> Time {
        self.stage.backend.clock.now()
    }

    fn pass(&self, ms: i64) {
        self.stage.backend.clock.advance_millis(ms);
    }

    /// A message received as often as it may be, and looked for once more.
    async fn wear_out(&self, queue: &Queue) {
        for _ in 0..=ATTEMPTS_MAX {
            queue.receive(10).await.unwrap();
            self.pass(VISIBILITY_MS);
        }
    }
}

async fn all_dead(queue: &Queue) -> Vec<DeadLetter> {
    let mut letters = Vec::new();
    let mut cursor = None;
    loop {
        let page = queue.dead_letters(cursor.as_deref(), DEAD_PAGE_MAX).await.unwrap();
        letters.extend(page.letters);
        cursor = page.next;
        if cursor.is_none() {
            return letters;
        }
    }
}

/// Receives until nothing comes.
async fn drain(queue: &Queue) -> Vec<Message> {
    let mut received = Vec::new();
    loop {
        let batch = queue.receive(10).await.unwrap();
        if batch.is_empty() {
            return received;
        }
        received.extend(batch);
    }
}

fn bodies(messages: &[Message]) -> Vec<&str> {
    messages.iter().map(|message| message.body.as_str()).collect()
}

#[tokio::test]
async fn a_message_is_received_until_it_is_deleted() {
    let house = House::new().await;
    let queue = house.queue("deliver");
    let id = queue.send("one", AT_ONCE).await.unwrap();
    for attempt in 1..=2 {
        let held = queue.receive(10).await.unwrap();
        assert_eq!(
            (held[0].id.as_str(), bodies(&held), held[0].attempts),
            (id.as_str(), vec!["one"], attempt)
        );
        house.pass(VISIBILITY_MS - 1);
        assert!(queue.receive(10).await.unwrap().is_empty(), "hidden while it is held");
        house.pass(1);
    }
    let held = queue.receive(10).await.unwrap();
    queue.delete(&held[0].receipt).await.unwrap();
    queue.delete(&held[0].receipt).await.unwrap();
    house.pass(VISIBILITY_MS);
    assert!(queue.receive(10).await.unwrap().is_empty());
    assert!(all_dead(&queue).await.is_empty());
}

#[tokio::test]
async fn a_message_sent_for_later_comes_later() {
    let house = House::new().await;
    let queue = house.queue("deliver");
    queue.send("later", Duration::from_secs(60)).await.unwrap();
    house.pass(59_999);
    assert!(queue.receive(10).await.unwrap().is_empty());
    house.pass(1);
    assert_eq!(bodies(&queue.receive(10).await.unwrap()), ["later"]);
}

#[tokio::test]
async fn a_released_message_comes_back_when_it_was_told_to() {
    let house = House::new().await;
    let queue = house.queue("deliver");
    queue.send("one", AT_ONCE).await.unwrap();
    let held = queue.receive(10).await.unwrap();
    queue.release(&held[0].receipt, Duration::from_secs(600)).await.unwrap();
    house.pass(599_999);
    assert!(queue.receive(10).await.unwrap().is_empty());
    house.pass(1);
    let again = queue.receive(10).await.unwrap();
    assert_eq!(again[0].attempts, 2);
    queue.release(&again[0].receipt, AT_ONCE).await.unwrap();
    assert_eq!(queue.receive(10).await.unwrap()[0].attempts, 3);
}

#[tokio::test]
async fn a_stale_receipt_does_nothing() {
    let house = House::new().await;
    let queue = house.queue("deliver");
    queue.send("one", AT_ONCE).await.unwrap();
    let stale = queue.receive(10).await.unwrap().remove(0).receipt;
    queue.release(&stale, AT_ONCE).await.unwrap();
    let held = queue.receive(10).await.unwrap().remove(0); // in the same millisecond
    queue.delete(&stale).await.unwrap();
    queue.release(&stale, AT_ONCE).await.unwrap();
    assert!(queue.receive(10).await.unwrap().is_empty(), "still held");
    house.pass(VISIBILITY_MS);
    assert_eq!(queue.receive(10).await.unwrap()[0].id, held.id, "still there");
}

#[tokio::test]
async fn a_message_received_too_often_waits_for_a_person() {
    let house = House::new().await;
    let queue = house.queue("deliver");
    let id = queue.send("poison", AT_ONCE).await.unwrap();
    let sent_at = house.now();
    house.wear_out(&queue).await;
    queue.send("sound", AT_ONCE).await.unwrap();
    assert_eq!(bodies(&queue.receive(10).await.unwrap()), ["sound"]);
    assert_eq!(
        all_dead(&queue).await,
        [DeadLetter { id, body: "poison".into(), attempts: ATTEMPTS_MAX, sent_at }]
    );
    assert!(all_dead(&house.queue("other")).await.is_empty());
}

#[tokio::test]
async fn a_redriven_letter_is_a_new_message() {
    let house = House::new().await;
    let queue = house.queue("deliver");
    let id = queue.send("poison", AT_ONCE).await.unwrap();
    house.wear_out(&queue).await;
    assert!(!queue.redrive("no such letter").await.unwrap());
    assert!(queue.redrive(&id).await.unwrap());
    assert!(!queue.redrive(&id).await.unwrap(), "once");
    assert!(all_dead(&queue).await.is_empty());
    let again = queue.receive(10).await.unwrap().remove(0);
    assert_eq!((again.body.as_str(), again.attempts), ("poison", 1));
    queue.delete(&Receipt(format!("1:{id}"))).await.unwrap();
    house.pass(VISIBILITY_MS);
    assert_eq!(queue.receive(10).await.unwrap().len(), 1, "a receipt of its former life is stale");
}

#[tokio::test(flavor = "multi_thread")]
async fn dead_letters_are_listed_by_pages_and_all_redriven_once() {
    let house = House::new().await;
    let queue = house.queue_with("deliver", Policy { attempts_max: 1, ..POLICY });
    let sent: Vec<String> = (0..DEAD_PAGE_MAX + 5).map(|n| format!("poison {n}")).collect();
    for body in &sent {
        queue.send(body, AT_ONCE).await.unwrap();
    }
    assert_eq!(drain(&queue).await.len(), sent.len());
    house.pass(VISIBILITY_MS);
    // A hundred worn-out messages are all that one receive looks at, so it takes a second one to see that nothing is due.
    queue.receive(10).await.unwrap();
    queue.receive(10).await.unwrap();

    let first = queue.dead_letters(None, 7).await.unwrap();
    assert_eq!(first.letters.len(), 7);
    let second = queue.dead_letters(first.next.as_deref(), 7).await.unwrap();
    assert!(second.letters.iter().all(|letter| !first.letters.contains(letter)));
    let listed: HashSet<String> = all_dead(&queue).await.into_iter().map(|letter| letter.body).collect();
    assert_eq!(listed, sent.iter().cloned().collect());

    let (here, there) = (house.queue("deliver"), house.queue("deliver"));
    let (one, other) = tokio::join!(here.redrive_all(), there.redrive_all());
    assert_eq!(one.unwrap() + other.unwrap(), sent.len(), "two who redrive do not double a letter");
    assert!(all_dead(&queue).await.is_empty());
    let received = drain(&queue).await;
    assert_eq!(received.len(), sent.len());
    assert!(received.iter().all(|message| message.attempts == 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn two_consumers_never_hold_one_message() {
    let house = House::new().await;
    let queue = house.queue("deliver");
    for n in 0..20 {
        queue.send(&n.to_string(), AT_ONCE).await.unwrap();
    }
    for round in 1..=ATTEMPTS_MAX {
        let consumers = (0..4).map(|_| {
            let queue = house.queue("deliver");
            tokio::spawn(async move {
                let mut held = Vec::new();
                let mut misses = 0; // an empty answer may mean that others are taking all that is due
                while misses < 3 {
                    let batch = queue.receive(3).await.unwrap();
                    misses = if batch.is_empty() { misses + 1 } else { 0 };
                    held.extend(batch);
                }
                held
            })
        });
        let held: Vec<Message> = futures::future::try_join_all(consumers).await.unwrap().concat();
        assert_eq!(held.len(), 20, "each message has one holder");
        assert_eq!(held.iter().map(|message| &message.id).collect::<HashSet<_>>().len(), 20);
        assert!(held.iter().all(|message| message.attempts == round));
        house.pass(VISIBILITY_MS);
    }
}

#[tokio::test]
async fn queues_in_one_table_do_not_mix() {
    let house = House::new().await;
    let (deliver, retry) = (house.queue("deliver"), house.queue("retry"));
    deliver.send("deliver", AT_ONCE).await.unwrap();
    retry.send("retry", AT_ONCE).await.unwrap();
    assert_eq!(bodies(&deliver.receive(10).await.unwrap()), ["deliver"]);
    assert_eq!(bodies(&retry.receive(10).await.unwrap()), ["retry"]);
}

#[tokio::test]
async fn what_is_out_of_bounds_is_refused_before_the_call() {
    let house = House::new().await;
    let queue = house.queue("deliver");
    let _before = house.stage.meter.take();
    assert!(matches!(queue.send("", AT_ONCE).await, Err(QueueError::Body { bytes: 0 })));
    assert!(matches!(
        queue.send(&"x".repeat(BODY_BYTES_MAX + 1), AT_ONCE).await,
        Err(QueueError::Body { .. })
    ));
    assert!(matches!(queue.send("x", Duration::from_secs(901)).await, Err(QueueError::Delay { .. })));
    let receipt = Receipt("1:some-id".into());
    assert!(matches!(
        queue.release(&receipt, Duration::from_secs(43_201)).await,
        Err(QueueError::Delay { .. })
    ));
    assert!(matches!(queue.delete(&Receipt("nonsense".into())).await, Err(QueueError::NotAReceipt { .. })));
    assert_eq!(house.stage.meter.take().calls, 0);

    let largest = "x".repeat(BODY_BYTES_MAX);
    queue.send(&largest, AT_ONCE).await.unwrap();
    assert_eq!(queue.receive(10).await.unwrap()[0].body.len(), BODY_BYTES_MAX);
}

#[tokio::test]
async fn a_table_that_does_not_answer_is_an_error_that_says_so() {
    let house = House::new().await;
    let queue = house.queue_in("no-such-table".into(), "deliver", POLICY);
    let error = queue.receive(1).await.unwrap_err();
    assert_eq!(error.to_string(), "queue deliver: look for due messages");
    assert!(std::error::Error::source(&error).is_some());
}

/// One step of a queue's life. Receipts are picked from all there ever were, so most are stale.
#[derive(Clone, Debug)]
enum Step {
    Send { delay_ms: u64 },
    Receive { max: usize },
    Delete(prop::sample::Index),
    Release { receipt: prop::sample::Index, delay_ms: u64 },
    Pass { ms: i64 },
    Redrive(prop::sample::Index),
    RedriveAll,
}

fn step() -> impl Strategy<Value = Step> {
    let delay = || prop_oneof![Just(0), Just(VISIBILITY_MS as u64), 0..60_000_u64];
    prop_oneof![
        4 => delay().prop_map(|delay_ms| Step::Send { delay_ms }),
        8 => (1..=10_usize).prop_map(|max| Step::Receive { max }),
        2 => any::<prop::sample::Index>().prop_map(Step::Delete),
        3 => (any::<prop::sample::Index>(), delay()).prop_map(|(receipt, delay_ms)| Step::Release { receipt, delay_ms }),
        5 => prop_oneof![Just(VISIBILITY_MS), Just(VISIBILITY_MS - 1), Just(1), 1..60_000_i64].prop_map(|ms| Step::Pass { ms }),
        1 => any::<prop::sample::Index>().prop_map(Step::Redrive),
        1 => Just(Step::RedriveAll),
    ]
}

/// What a queue is, in a list.
#[derive(Default)]
struct Model {
    waiting: Vec<Waiting>,
    dead: HashSet<String>, // bodies: each is sent once, and keeps its body when it is redriven
    /// How often each was redriven: receipts from before are stale.
    lives: HashMap<String, u32>,
    receipts: Vec<Held>,
    deleted: HashSet<String>,
    sent: usize,
}

#[derive(Clone, Debug)]
struct Waiting {
    body: String,
    visible_at: i64,
    attempts: u32,
}

/// One receiving of one message.
#[derive(Clone, Debug)]
struct Held {
    receipt: Receipt,
    body: String,
    attempts: u32,
    life: u32,
}

impl Model {
    fn life(&self, body: &str) -> u32 {
        self.lives.get(body).copied().unwrap_or(0)
    }

    /// Where the message is that this receipt still holds.
    fn still(&self, held: &Held) -> Option<usize> {
        let same = |waiting: &Waiting| waiting.body == held.body && waiting.attempts == held.attempts;
        self.waiting.iter().position(same).filter(|_| self.life(&held.body) == held.life)
    }

    fn revive(&mut self, body: &str, now: i64) {
        *self.lives.entry(body.to_owned()).or_default() += 1;
        self.dead.remove(body);
        self.waiting.push(Waiting { body: body.to_owned(), visible_at: now, attempts: 0 });
    }
}

/// Lives through the steps with the queue and the model side by side.
async fn live(house: &House, name: &str, steps: Vec<Step>) -> Result<(), TestCaseError> {
    let queue = house.queue(name);
    let mut model = Model::default();
    for step in steps {
        let now = house.now().millis();
        match step {
            Step::Send { delay_ms } => {
                let body = format!("message {}", model.sent);
                model.sent += 1;
                queue.send(&body, Duration::from_millis(delay_ms)).await.unwrap();
                model.waiting.push(Waiting { body, visible_at: now + delay_ms as i64, attempts: 0 });
            }
            Step::Receive { max } => {
                let received = queue.receive(max).await.unwrap();
                let worn = model.waiting.iter().any(|waiting| waiting.attempts >= ATTEMPTS_MAX);
                let dead = if worn { all_dead(&queue).await } else { Vec::new() };
                let dead =
                    dead.into_iter().map(|letter| letter.body).chain(model.dead.iter().cloned()).collect();
                received_as_due(&mut model, &received, &dead, max, now)?;
                for Message { body, receipt, attempts, .. } in received {
                    let life = model.life(&body);
                    model.receipts.push(Held { receipt, body, attempts, life });
                }
            }
            Step::Delete(index) if !model.receipts.is_empty() => {
                let held = index.get(&model.receipts).clone();
                queue.delete(&held.receipt).await.unwrap();
                if let Some(at) = model.still(&held) {
                    model.waiting.remove(at);
                    model.deleted.insert(held.body);
                }
            }
            Step::Release { receipt, delay_ms } if !model.receipts.is_empty() => {
                let held = receipt.get(&model.receipts).clone();
                queue.release(&held.receipt, Duration::from_millis(delay_ms)).await.unwrap();
                if let Some(at) = model.still(&held) {
                    model.waiting[at].visible_at = now + delay_ms as i64;
                }
            }
            Step::Pass { ms } => house.pass(ms),
            Step::Redrive(index) => {
                let letters = all_dead(&queue).await;
                prop_assert_eq!(letters.len(), model.dead.len());
                if !letters.is_empty() {
                    let letter = index.get(&letters);
                    prop_assert!(queue.redrive(&letter.id).await.unwrap());
                    model.revive(&letter.body, now);
                }
            }
            Step::RedriveAll => {
                prop_assert_eq!(queue.redrive_all().await.unwrap(), model.dead.len());
                for body in model.dead.clone() {
                    model.revive(&body, now);
                }
            }
            Step::Delete(_) | Step::Release { .. } => {}
        }
    }
    nothing_is_lost(house, &queue, &model).await
}

/// What was received was due, and in the order of being due; what died had been received too often.
fn received_as_due(
    model: &mut Model,
    received: &[Message],
    dead: &HashSet<String>,
    max: usize,
    now: i64,
) -> Result<(), TestCaseError> {
    let (worn, fit): (Vec<Waiting>, Vec<Waiting>) = model
        .waiting
        .iter()
        .filter(|waiting| waiting.visible_at <= now)
        .cloned()
        .partition(|due| due.attempts >= ATTEMPTS_MAX);
    prop_assert_eq!(received.len(), max.min(fit.len()), "as many as there are, and no more than asked for");

    let mut reached = i64::MIN;
    for message in received {
        let due = fit.iter().find(|due| due.body == message.body);
        prop_assert!(due.is_some(), "{} was not due", message.body);
        let due = due.unwrap();
        prop_assert_eq!(message.attempts, due.attempts + 1);
        prop_assert!(due.visible_at >= reached, "the longest due comes first");
        reached = due.visible_at;
    }
    let names: HashSet<&str> = received.iter().map(|message| message.body.as_str()).collect();
    prop_assert_eq!(names.len(), received.len(), "each once");
    if received.len() < max {
        reached = i64::MAX; // everything due was looked at
    }
    for waiting in &worn {
        let must = waiting.visible_at < reached;
        prop_assert!(!must || dead.contains(&waiting.body), "{} was received too often", waiting.body);
    }
    let newly_dead: HashSet<&String> = dead.difference(&model.dead).collect();
    prop_assert!(
        newly_dead.iter().all(|body| worn.iter().any(|worn| worn.body == **body)),
        "died too early: {:?}",
        newly_dead
    );

    model.waiting.retain(|waiting| !dead.contains(&waiting.body));
    model.dead.clone_from(dead);
    for waiting in model.waiting.iter_mut().filter(|waiting| names.contains(waiting.body.as_str())) {
        waiting.visible_at = now + VISIBILITY_MS;
        waiting.attempts += 1;
    }
    Ok(())
}

/// In the end each message was deleted, is dead, or comes again.
async fn nothing_is_lost(house: &House, queue: &Queue, model: &Model) -> Result<(), TestCaseError> {
    let mut found: HashSet<String> = HashSet::new();
    for _ in 0..=ATTEMPTS_MAX {
        house.pass(60_000);
        found.extend(drain(queue).await.into_iter().map(|message| message.body));
    }
    found.extend(all_dead(queue).await.into_iter().map(|letter| letter.body));
    prop_assert!(found.is_disjoint(&model.deleted), "what is deleted stays deleted");
    prop_assert_eq!(found.len() + model.deleted.len(), model.sent);
    Ok(())
}

#[test]
fn whatever_happens_to_it_a_queue_does_as_its_model() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let house = runtime.block_on(House::new());
    let case = std::cell::Cell::new(0);
    proptest!(cases(64), |(steps in prop::collection::vec(step(), 1..30))| {
        case.set(case.get() + 1);
        runtime.block_on(live(&house, &format!("queue-{}", case.get()), steps))?;
    });
}

#[tokio::test]
async fn many_messages_are_sent_at_once_and_counted_while_they_wait() {
    let house = House::new().await;
    let (queue, other) = (house.queue("many"), house.queue("other"));
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
            assert!(received.insert(message.body.clone()), "{} came twice", message.body);
            queue.delete(&message.receipt).await.unwrap();
        }
    }
    assert_eq!(received, bodies.into_iter().collect());
    assert_eq!((queue.waiting(10).await.unwrap(), other.waiting(10).await.unwrap()), (0, 3));

    queue.send_all(&["later".into()], Duration::from_secs(60)).await.unwrap();
    assert!(queue.receive(10).await.unwrap().is_empty());
    assert_eq!(queue.waiting(10).await.unwrap(), 1, "what is put off waits, too");
    for wrong in [String::new(), "x".repeat(infra::queue::BATCH_BODY_BYTES_MAX + 1)] {
        assert!(matches!(
            queue.send_all(&["fine".into(), wrong], AT_ONCE).await,
            Err(QueueError::Body { .. })
        ));
    }
    assert_eq!(queue.waiting(10).await.unwrap(), 1, "all or nothing, as far as can be known before");
}
