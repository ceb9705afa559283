//! Pointers to stream records that a mapping gave up. A pointer names a shard and sequence numbers, and the stream keeps
//! its records for a day, so the commits are looked for in the log: a whole sweep answers every pointer that was there
//! before it.

use infra::{
    Backend, Failure,
    queue::{QueueError, RECEIVE_MAX},
};
use schema::Time;

use crate::commits::FEED_MAX_MS;

/// The most receives of one sweep: a thousand pointers. The next one goes on.
const RECEIVES_MAX: usize = 100;

/// Deletes the pointers that arrived before a finished sweep began. The commits of those that arrived up to
/// [`FEED_MAX_MS`] before may have been too young for it. Returns the number of deleted ones.
pub(crate) async fn answer(backend: &Backend, begun: Time) -> Result<u64, Failure> {
    let (queue, before) = (&backend.stream_failures, begun.plus_millis(-FEED_MAX_MS));
    let failed = |cause: QueueError| Failure::passing("take the pointers to given-up stream records", cause);
    let mut answered = 0;
    for _ in 0..RECEIVES_MAX {
        let messages = queue.receive(RECEIVE_MAX).await.map_err(failed)?;
        if messages.is_empty() {
            break;
        }
        for message in messages.iter().filter(|message| message.sent_at <= before) {
            queue.delete(&message.receipt).await.map_err(failed)?;
            answered += 1;
        }
    }
    Ok(answered)
}
