//! Doorbells that were not applied. While the rows of a candidate may lack their events, it must not become live.

use std::collections::{BTreeSet, HashMap};

use infra::{Backend, Failure, dead_letters::About, queue::DeadReading, rows::seq_of};
use schema::{
    StreamId, Time,
    projection::{Name, Rebuild},
};
use uuid::Uuid;

/// The most dead letters that are read for one promotion.
const DEAD_MAX: usize = 1_000;

/// The reason for which the rows may lack an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Missed {
    /// Doorbells wait on the queue. They are not looked at, because they are applied soon.
    Waiting,
    /// A doorbell of the candidate is a dead letter, and the row does not show its event.
    Dead { letter: String, stream: StreamId },
    /// Not all dead letters could be read.
    Unread,
}

/// A dead doorbell of a candidate.
struct DeadDoorbell {
    letter: String,
    stream: StreamId,
    /// `None` if the message does not tell.
    seq: Option<u64>,
}

/// Looks for doorbells that the rows of a rebuild may lack. In a table of queues, half a read unit and one per 4 KB of
/// dead letters; besides, the row of each dead doorbell of the candidate.
///
/// # Errors
/// The queue or the table of rows does not answer.
pub(super) async fn missed(
    backend: &Backend,
    name: Name,
    rebuild: &Rebuild,
) -> Result<Option<Missed>, Failure> {
    if is_any_parked(backend).await? {
        return Ok(Some(Missed::Waiting));
    }
    let read = backend.retries.read_dead(DEAD_MAX).await;
    let DeadReading { letters, is_complete } =
        read.map_err(|cause| Failure::passing("read the dead letters of parked doorbells", cause))?;
    let dead = letters.into_iter().filter_map(|letter| {
        let About { stream, seq, generation, .. } = About::read(&letter.body);
        let doorbell = DeadDoorbell { letter: letter.id, stream: stream?, seq };
        is_of(name, rebuild, (doorbell.stream, generation, letter.sent_at)).then_some(doorbell)
    });
    let dead: Vec<DeadDoorbell> = dead.collect();
    let ids: BTreeSet<Uuid> = dead.iter().map(|doorbell| doorbell.stream.id).collect();
    let ids: Vec<Uuid> = ids.into_iter().collect();
    let rows = if ids.is_empty() {
        HashMap::new()
    } else {
        backend.rows.generation(name, rebuild.generation).raw(&ids).await?
    };
    let lacks = |doorbell: &DeadDoorbell| {
        let shown = rows.get(&doorbell.stream.id).map_or(0, seq_of);
        doorbell.seq.is_none_or(|seq| shown < seq)
    };
    Ok(match dead.into_iter().find(lacks) {
        Some(DeadDoorbell { letter, stream, .. }) => Some(Missed::Dead { letter, stream }),
        None => (!is_complete).then_some(Missed::Unread),
    })
}

/// Whether a doorbell may be missing in the rows of a rebuild. An older one than its table is not: the log was scanned
/// after it.
fn is_of(
    name: Name,
    rebuild: &Rebuild,
    (stream, generation, parked_at): (StreamId, Option<u64>, Time),
) -> bool {
    stream.category == name.category()
        && generation.is_none_or(|generation| generation == rebuild.generation)
        && rebuild.prepared_at.is_none_or(|prepared_at| parked_at >= prepared_at)
}

/// Whether doorbells wait on the queue of parked ones.
///
/// # Errors
/// The queue does not answer.
pub(super) async fn is_any_parked(backend: &Backend) -> Result<bool, Failure> {
    let asked = |cause| Failure::passing("count parked doorbells", cause);
    Ok(backend.retries.waiting(1).await.map_err(asked)? > 0)
}

impl Missed {
    /// The way to a promotion, for a person.
    pub(super) fn advice(&self, name: Name) -> String {
        match self {
            Self::Waiting => "Doorbells wait on the queue retries, and the new rows may lack their events. Try again once they are \
                applied; `waitlist dead-letters list` shows those that failed too often."
                .to_owned(),
            Self::Dead { letter, stream } => format!(
                "Dead letter {letter}: the new row of {stream} lacks an event. Redrive the letter (`waitlist dead-letters \
                 redrive {letter}`), or write the row from the log (`waitlist rebuild start {} --stream {stream}`). Then \
                 promote again.",
                name.as_str()
            ),
            Self::Unread => "Not all dead letters of the queue retries could be read: there are too many, or they were listed a \
                moment ago. Try again in ten seconds, or redrive them (`waitlist dead-letters redrive --all`)."
                .to_owned(),
        }
    }
}
