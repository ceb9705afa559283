//! The work that waits in each queue, and the work that failed too often.

use crate::{
    backend::Backend,
    dead_letters,
    failure::Failure,
    function::STREAM_FAILURES,
    queue::{Queue, QueueError},
};

/// The most messages of a queue that are counted.
pub const WAITING_MAX: usize = 10_000;
/// The most dead letters of a queue that are counted.
pub const DEAD_MAX: usize = 1_000;

/// The messages of a queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backlog {
    pub queue: &'static str,
    /// Messages that are not deleted, received ones included; up to [`WAITING_MAX`].
    pub waiting: usize,
    /// Dead letters, up to [`DEAD_MAX`]; `None` if the queue keeps none, or this process has no access to them.
    pub dead: Option<usize>,
}

/// Counts the messages of every queue.
///
/// # Errors
/// A queue does not answer.
pub async fn read(backend: &Backend) -> Result<Vec<Backlog>, Failure> {
    let failed = |cause| Failure::passing("count the messages of a queue", cause);
    let mut backlogs = Vec::new();
    for (name, queue) in dead_letters::queues(backend) {
        let waiting = queue.waiting(WAITING_MAX).await.map_err(failed)?;
        backlogs.push(Backlog { queue: name, waiting, dead: dead(queue).await.map_err(failed)? });
    }
    let waiting = backend.stream_failures.waiting(WAITING_MAX).await.map_err(failed)?;
    backlogs.push(Backlog { queue: STREAM_FAILURES.name, waiting, dead: None });
    Ok(backlogs)
}

async fn dead(queue: &Queue) -> Result<Option<usize>, QueueError> {
    match queue.read_dead(DEAD_MAX).await {
        Ok(read) => Ok(Some(read.letters.len())),
        Err(QueueError::NoDeadLetters { .. }) => Ok(None),
        Err(cause) => Err(cause),
    }
}
