//! Tests of the queue in a table against a real engine.

mod dead_letters;
mod messages;
mod model;

use std::time::Duration;

use infra::queue::{DEAD_PAGE_MAX, DeadLetter, Message, Policy, Queue, TableQueue};
use schema::{Time, table::QUEUE};
use waitlist_tests::stage::Stage;

const VISIBILITY_MS: i64 = 30_000;

const ATTEMPTS_MAX: u32 = 3;

const POLICY: Policy =
    Policy { visibility: Duration::from_millis(VISIBILITY_MS as u64), attempts_max: ATTEMPTS_MAX };
const AT_ONCE: Duration = Duration::ZERO;

struct Table {
    stage: Stage,
}

impl Table {
    async fn new() -> Self {
        Self { stage: Stage::new().await }
    }

    fn queue(&self, name: &str) -> Queue {
        self.queue_with(name, POLICY)
    }

    fn queue_with(&self, name: &str, policy: Policy) -> Queue {
        self.queue_in(QUEUE.name(&self.stage.prefix), name, policy)
    }

    fn queue_in(&self, name_of_table: String, name: &str, policy: Policy) -> Queue {
        Queue::Table(TableQueue::new(
            self.stage.metered(),
            name_of_table,
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

    /// Receives the due messages as often as allowed and once more, so that they become dead letters.
    async fn exhaust(&self, queue: &Queue) {
        for _ in 0..=ATTEMPTS_MAX {
            queue.receive(10).await.unwrap();
            self.pass(VISIBILITY_MS);
        }
    }
}

async fn all_dead_letters(queue: &Queue) -> Vec<DeadLetter> {
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

/// Receives until no message is due.
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
