//! Queues of SQS in memory, with a clock of their own.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use serde_json::{Value, json};

use crate::template::QueueMapping;

/// A message of a queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    pub id: String,
    pub body: String,
    /// How often it was received.
    pub receives: u32,
    visible_at: Duration,
}

/// Queues by name. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct Sqs(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    now: Duration,
    sent: u64,
    queues: BTreeMap<String, Vec<Message>>,
    dead: BTreeMap<String, Vec<Message>>,
}

impl Sqs {
    /// Sends a message. Returns its id.
    pub fn send(&self, queue: &str, body: &str, delay: Duration) -> String {
        let mut state = self.state();
        state.sent += 1;
        let (id, visible_at) = (format!("message-{}", state.sent), state.now + delay);
        let message = Message { id: id.clone(), body: body.to_owned(), receives: 0, visible_at };
        state.queues.entry(queue.to_owned()).or_default().push(message);
        id
    }

    /// All messages of a queue, hidden ones included.
    #[must_use]
    pub fn messages(&self, queue: &str) -> Vec<Message> {
        self.state().queues.get(queue).cloned().unwrap_or_default()
    }

    /// The messages in the dead-letter queue of a queue.
    #[must_use]
    pub fn dead(&self, queue: &str) -> Vec<Message> {
        self.state().dead.get(queue).cloned().unwrap_or_default()
    }

    /// The time that has passed.
    #[must_use]
    pub fn now(&self) -> Duration {
        self.state().now
    }

    pub(super) fn advance(&self, by: Duration) {
        self.state().now += by;
    }

    /// Lets time pass until a message of the queue is visible. Returns false when the queue is empty.
    pub(super) fn await_message(&self, queue: &str) -> bool {
        let mut state = self.state();
        let next = state.queues.get(queue).and_then(|all| all.iter().map(|message| message.visible_at).min());
        let now = state.now;
        state.now = now.max(next.unwrap_or_default());
        next.is_some()
    }

    /// Receives a batch of visible messages, beginning with the `first`-th of them. Those received too often move to the
    /// dead-letter queue instead.
    pub(super) fn receive(&self, mapping: &QueueMapping, first: usize) -> Vec<Message> {
        let mut state = self.state();
        let State { now, queues, dead, .. } = &mut *state;
        let (now, queue) = (*now, queues.entry(mapping.queue.clone()).or_default());
        let is_exhausted =
            |message: &Message| message.visible_at <= now && message.receives >= mapping.receives_max;
        dead.entry(mapping.queue.clone())
            .or_default()
            .extend(queue.iter().filter(|message| is_exhausted(message)).cloned());
        queue.retain(|message| !is_exhausted(message));
        let mut visible: Vec<&mut Message> =
            queue.iter_mut().filter(|message| message.visible_at <= now).collect();
        if !visible.is_empty() {
            let first = first % visible.len();
            visible.rotate_left(first);
        }
        let batch = visible.into_iter().take(mapping.batch_size).map(|message| {
            message.receives += 1;
            message.visible_at = now + mapping.visibility;
            message.clone()
        });
        batch.collect()
    }

    pub(super) fn delete(&self, queue: &str, id: &str) {
        self.state().queues.entry(queue.to_owned()).or_default().retain(|message| message.id != id);
    }

    /// Answers a call of a function, in the protocol AWS JSON 1.0.
    pub(super) fn answer(&self, operation: &str, call: &Value) -> Value {
        let queue = call["QueueUrl"].as_str().unwrap().rsplit('/').next().unwrap();
        let send = |entry: &Value| {
            let delay = Duration::from_secs(entry["DelaySeconds"].as_u64().unwrap_or_default());
            let id = self.send(queue, entry["MessageBody"].as_str().unwrap(), delay);
            json!({ "MessageId": id, "MD5OfMessageBody": "unchecked", "Id": entry["Id"] })
        };
        match operation {
            "SendMessage" => send(call),
            "SendMessageBatch" => {
                let sent: Vec<Value> = call["Entries"].as_array().unwrap().iter().map(send).collect();
                json!({ "Successful": sent, "Failed": [] })
            }
            other => panic!("a function called {other}"),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }
}
