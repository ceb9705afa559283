//! Generated operations on a queue, compared with a model in memory.

use std::{
    collections::{HashMap, HashSet},
    time::Duration,
};

use infra::queue::{Message, Queue, Receipt};
use proptest::prelude::*;
use waitlist_tests::cases::{cases, runtime};

use crate::{ATTEMPTS_MAX, Table, VISIBILITY_MS, all_dead_letters, drain};

/// An operation on the queue. A receipt is picked from all that were ever returned, so most are stale.
#[derive(Clone, Debug)]
enum Step {
    Send { delay_ms: u64 },
    Receive { max: usize },
    Delete(prop::sample::Index),
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
        5 => prop_oneof![Just(VISIBILITY_MS), Just(VISIBILITY_MS - 1), Just(1), 1..60_000_i64].prop_map(|ms| Step::Pass { ms }),
        1 => any::<prop::sample::Index>().prop_map(Step::Redrive),
        1 => Just(Step::RedriveAll),
    ]
}

/// The expected state of the queue.
#[derive(Default)]
struct Model {
    waiting: Vec<Waiting>,
    /// Bodies of the dead letters. Bodies are unique and survive a redrive.
    dead: HashSet<String>,
    /// How often each message was redriven, by body. Receipts from before a redrive are stale.
    redrives: HashMap<String, u32>,
    receipts: Vec<Received>,
    deleted: HashSet<String>,
    sent: usize,
}

#[derive(Clone, Debug)]
struct Waiting {
    body: String,
    visible_at: i64,
    attempts: u32,
}

/// One receipt of one message.
#[derive(Clone, Debug)]
struct Received {
    receipt: Receipt,
    body: String,
    attempts: u32,
    redrives: u32,
}

impl Model {
    fn redrives(&self, body: &str) -> u32 {
        self.redrives.get(body).copied().unwrap_or(0)
    }

    /// Returns the place of the message for which this receipt is valid.
    fn valid_for(&self, held: &Received) -> Option<usize> {
        let same = |waiting: &Waiting| waiting.body == held.body && waiting.attempts == held.attempts;
        self.waiting.iter().position(same).filter(|_| self.redrives(&held.body) == held.redrives)
    }

    fn redrive(&mut self, body: &str, now: i64) {
        *self.redrives.entry(body.to_owned()).or_default() += 1;
        self.dead.remove(body);
        self.waiting.push(Waiting { body: body.to_owned(), visible_at: now, attempts: 0 });
    }
}

/// Applies the steps to the queue and to the model, and compares the two.
async fn apply(table: &Table, name: &str, steps: Vec<Step>) -> Result<(), TestCaseError> {
    let queue = table.queue(name);
    let mut model = Model::default();
    for step in steps {
        let now = table.now().millis();
        match step {
            Step::Send { delay_ms } => {
                let body = format!("message {}", model.sent);
                model.sent += 1;
                queue.send(&body, Duration::from_millis(delay_ms)).await.unwrap();
                model.waiting.push(Waiting { body, visible_at: now + delay_ms as i64, attempts: 0 });
            }
            Step::Receive { max } => {
                let received = queue.receive(max).await.unwrap();
                let exhausted = model.waiting.iter().any(|waiting| waiting.attempts >= ATTEMPTS_MAX);
                let dead = if exhausted { all_dead_letters(&queue).await } else { Vec::new() };
                let dead =
                    dead.into_iter().map(|letter| letter.body).chain(model.dead.iter().cloned()).collect();
                check_received(&mut model, &received, &dead, max, now)?;
                for Message { body, receipt, attempts, .. } in received {
                    let redrives = model.redrives(&body);
                    model.receipts.push(Received { receipt, body, attempts, redrives });
                }
            }
            Step::Delete(index) if !model.receipts.is_empty() => {
                let held = index.get(&model.receipts).clone();
                queue.delete(&held.receipt).await.unwrap();
                if let Some(at) = model.valid_for(&held) {
                    model.waiting.remove(at);
                    model.deleted.insert(held.body);
                }
            }
            Step::Pass { ms } => table.pass(ms),
            Step::Redrive(index) => {
                let letters = all_dead_letters(&queue).await;
                prop_assert_eq!(letters.len(), model.dead.len());
                if !letters.is_empty() {
                    let letter = index.get(&letters);
                    prop_assert!(queue.redrive(&letter.id).await.unwrap());
                    model.redrive(&letter.body, now);
                }
            }
            Step::RedriveAll => {
                prop_assert_eq!(queue.redrive_all().await.unwrap(), model.dead.len());
                for body in model.dead.clone() {
                    model.redrive(&body, now);
                }
            }
            Step::Delete(_) => {}
        }
    }
    assert_nothing_is_lost(table, &queue, &model).await
}

/// Checks that the received messages were due and came in that order, and that only exhausted messages became
/// dead letters.
fn check_received(
    model: &mut Model,
    received: &[Message],
    dead: &HashSet<String>,
    max: usize,
    now: i64,
) -> Result<(), TestCaseError> {
    let (exhausted, fit): (Vec<Waiting>, Vec<Waiting>) = model
        .waiting
        .iter()
        .filter(|waiting| waiting.visible_at <= now)
        .cloned()
        .partition(|due| due.attempts >= ATTEMPTS_MAX);
    prop_assert_eq!(received.len(), max.min(fit.len()), "as many as are due, up to max");

    let mut reached = i64::MIN;
    for message in received {
        let due = fit.iter().find(|due| due.body == message.body);
        prop_assert!(due.is_some(), "{} was not due", message.body);
        let due = due.unwrap();
        prop_assert_eq!(message.attempts, due.attempts + 1);
        prop_assert!(due.visible_at >= reached, "the longest due comes first");
        reached = due.visible_at;
    }
    let bodies: HashSet<&str> = received.iter().map(|message| message.body.as_str()).collect();
    prop_assert_eq!(bodies.len(), received.len(), "each message once");
    if received.len() < max {
        reached = i64::MAX; // all due messages were examined
    }
    for waiting in &exhausted {
        let was_examined = waiting.visible_at < reached;
        prop_assert!(
            !was_examined || dead.contains(&waiting.body),
            "{} should be a dead letter",
            waiting.body
        );
    }
    let newly_dead: HashSet<&String> = dead.difference(&model.dead).collect();
    prop_assert!(
        newly_dead.iter().all(|body| exhausted.iter().any(|exhausted| exhausted.body == **body)),
        "died too early: {:?}",
        newly_dead
    );

    model.waiting.retain(|waiting| !dead.contains(&waiting.body));
    model.dead.clone_from(dead);
    for waiting in model.waiting.iter_mut().filter(|waiting| bodies.contains(waiting.body.as_str())) {
        waiting.visible_at = now + VISIBILITY_MS;
        waiting.attempts += 1;
    }
    Ok(())
}

/// Checks that each message was deleted, is a dead letter, or is received again.
async fn assert_nothing_is_lost(table: &Table, queue: &Queue, model: &Model) -> Result<(), TestCaseError> {
    let mut found: HashSet<String> = HashSet::new();
    for _ in 0..=ATTEMPTS_MAX {
        table.pass(60_000);
        found.extend(drain(queue).await.into_iter().map(|message| message.body));
    }
    found.extend(all_dead_letters(queue).await.into_iter().map(|letter| letter.body));
    prop_assert!(found.is_disjoint(&model.deleted), "a deleted message is not received again");
    prop_assert_eq!(found.len() + model.deleted.len(), model.sent);
    Ok(())
}

#[test]
fn generated_operations_give_the_same_result_as_the_model() {
    let runtime = runtime();
    let table = runtime.block_on(Table::new());
    let case = std::cell::Cell::new(0);
    proptest!(cases(64), |(steps in prop::collection::vec(step(), 1..30))| {
        case.set(case.get() + 1);
        runtime.block_on(apply(&table, &format!("queue-{}", case.get()), steps))?;
    });
}
