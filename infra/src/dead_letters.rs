//! Dead letters of all queues: listing and redriving them, for the command line and for routes of operators.

use futures::{StreamExt as _, stream::FuturesUnordered};
use schema::StreamId;
use serde_json::Value;

use crate::{
    backend::Backend,
    failure::Failure,
    function::{DELIVERIES, ERASURES, REBUILDS, RETRIES, SWEEPS},
    queue::{DEAD_PAGE_MAX, DeadLetter, Queue, QueueError},
};

/// The most pages of one queue that are read for a list of all dead letters: ten thousand dead letters.
const PAGES_MAX: usize = 100;

/// A dead letter with the name of its queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    pub queue: &'static str,
    pub letter: DeadLetter,
}

/// The place where a page of dead letters begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    pub queue: &'static str,
    /// The queue's own cursor; `None` at its beginning.
    pub cursor: Option<String>,
}

/// A page of dead letters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    pub found: Vec<Found>,
    /// The place where the next page begins; `None` on the last page.
    pub next: Option<Place>,
}

/// The subject of a message's work, as its body tells it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct About {
    pub stream: Option<StreamId>,
    /// The event up to which a row was to be brought.
    pub seq: Option<u64>,
    /// The generation of a projection that could not be written.
    pub generation: Option<u64>,
    pub cause: Option<String>,
}

/// The names of the queues that have dead letters, in the order of pages.
pub const NAMES: [&str; 5] = [RETRIES.name, DELIVERIES.name, ERASURES.name, REBUILDS.name, SWEEPS.name];

/// The queues that have dead letters, by name.
pub(crate) fn queues(backend: &Backend) -> [(&'static str, &Queue); 5] {
    let [retries, deliveries, erasures, rebuilds, sweeps] = NAMES;
    [
        (retries, &backend.retries),
        (deliveries, &backend.deliveries),
        (erasures, &backend.erasures),
        (rebuilds, &backend.rebuilds),
        (sweeps, &backend.sweeps),
    ]
}

/// Up to `limit` dead letters from a place on; from the first queue on if there is none.
///
/// # Errors
/// A queue does not answer, or the process does not know its dead-letter queue.
pub async fn page(backend: &Backend, from: Option<Place>, limit: usize) -> Result<Page, Failure> {
    let (mut found, mut from) = (Vec::new(), from);
    let skipped = |(name, _): &(&str, &Queue)| from.as_ref().is_some_and(|from| from.queue != *name);
    let rest: Vec<(&'static str, &Queue)> = queues(backend).into_iter().skip_while(skipped).collect();
    for (name, queue) in rest {
        let mut cursor = from.take().and_then(|from| from.cursor);
        loop {
            let left = limit - found.len();
            if left == 0 {
                return Ok(Page { found, next: Some(Place { queue: name, cursor }) });
            }
            let page = queue.dead_letters(cursor.as_deref(), left.min(DEAD_PAGE_MAX)).await;
            let page = page.map_err(|cause| failed("list dead letters", cause))?;
            found.extend(page.letters.into_iter().map(|letter| Found { queue: name, letter }));
            cursor = page.next;
            if cursor.is_none() {
                break;
            }
        }
    }
    Ok(Page { found, next: None })
}

/// All dead letters, up to ten thousand of each queue.
///
/// # Errors
/// As [`page`].
pub async fn all(backend: &Backend) -> Result<Vec<Found>, Failure> {
    let mut all = Vec::new();
    for (name, queue) in queues(backend) {
        let mut cursor = None;
        for _ in 0..PAGES_MAX {
            let page = queue.dead_letters(cursor.as_deref(), DEAD_PAGE_MAX).await;
            let page = page.map_err(|cause| failed("list dead letters", cause))?;
            all.extend(page.letters.into_iter().map(|letter| Found { queue: name, letter }));
            cursor = page.next;
            if cursor.is_none() {
                break;
            }
        }
    }
    Ok(all)
}

/// Sends a dead letter again as a new message. Returns the name of its queue; `None` if no queue has such a dead
/// letter. SQS has no access by id, so its dead letters are received until this one comes, which may take minutes; its
/// queues are asked at once.
///
/// # Errors
/// As [`page`].
pub async fn redrive(backend: &Backend, id: &str) -> Result<Option<&'static str>, Failure> {
    let (tables, others): (Vec<_>, Vec<_>) =
        queues(backend).into_iter().partition(|(_, queue)| matches!(queue, Queue::Table(_)));
    for (name, queue) in tables {
        let redriven = queue.redrive(id).await;
        if redriven.map_err(|cause| failed("redrive a dead letter", cause))? {
            return Ok(Some(name));
        }
    }
    let tried = others.into_iter().map(|(name, queue)| async move { (name, queue.redrive(id).await) });
    let mut tried: FuturesUnordered<_> = tried.collect();
    while let Some((name, redriven)) = tried.next().await {
        if redriven.map_err(|cause| failed("redrive a dead letter", cause))? {
            return Ok(Some(name)); // the other queues have no message of this id
        }
    }
    Ok(None)
}

/// Redrives all dead letters, of each queue as many as [`Queue::redrive_all`] does. Returns their number.
///
/// # Errors
/// As [`page`]; some may have been redriven.
pub async fn redrive_all(backend: &Backend) -> Result<usize, Failure> {
    let mut redriven = 0;
    for (_, queue) in queues(backend) {
        redriven += queue.redrive_all().await.map_err(|cause| failed("redrive dead letters", cause))?;
    }
    Ok(redriven)
}

impl About {
    /// Reads the body of a message. What it does not tell is `None`.
    #[must_use]
    pub fn read(body: &str) -> Self {
        let message: Value = serde_json::from_str(body).unwrap_or_default();
        Self {
            stream: message["stream"].as_str().and_then(|stream| stream.parse().ok()),
            seq: message["seq"].as_u64(),
            generation: message["generation"].as_u64(),
            cause: message["cause"].as_str().map(str::to_owned),
        }
    }
}

fn failed(doing: &str, cause: QueueError) -> Failure {
    match cause {
        QueueError::Table { .. } | QueueError::Sqs { .. } | QueueError::Unsent { .. } => {
            Failure::passing(doing, cause)
        }
        QueueError::Body { .. }
        | QueueError::Delay { .. }
        | QueueError::Unused { .. }
        | QueueError::NoDeadLetters { .. }
        | QueueError::NotAReceipt { .. }
        | QueueError::Malformed { .. } => Failure::broken(doing, cause),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_tells_what_it_names_and_nothing_else() {
        let stream = "waitee-01920000-0000-7000-8000-000000000000";
        let body = format!(r#"{{"stream":"{stream}","seq":1,"generation":3,"cause":"the log ends"}}"#);
        let about = About {
            stream: Some(stream.parse().unwrap()),
            seq: Some(1),
            generation: Some(3),
            cause: Some("the log ends".to_owned()),
        };
        assert_eq!(About::read(&body), about);
        for body in ["no intent", "[1]", r#"{"stream":"a person","seq":-1,"generation":"x","cause":1}"#] {
            assert_eq!(About::read(body), About::default(), "{body}");
        }
    }
}
