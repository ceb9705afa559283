//! Parked doorbells whose rows lack their events.

use std::collections::{BTreeMap, BTreeSet};

use infra::{
    Backend, Failure,
    dead_letters::About,
    queue::{QueueError, Waiting},
    rows::seq_of,
};
use schema::{StreamId, Time, projection::Name};
use uuid::Uuid;

/// The most waiting doorbells, and the most dead ones, that are looked at.
const LOOKED_AT_MAX: usize = 100;

/// A doorbell of a live row.
struct Doorbell {
    stream: StreamId,
    /// `None` if the message does not tell.
    seq: Option<u64>,
    parked_at: Time,
}

/// For each projection, the time at which the oldest doorbell was parked whose event its live row lacks, dead ones
/// included. If there are more doorbells than are looked at, the last of these counts for every projection.
///
/// In a table of queues, 1 read unit or more for each of two queries, and 1 for each row. Queues of SQS are not read.
///
/// # Errors
/// The queue, the set of generations or a table of rows does not answer.
pub async fn lacking(backend: &Backend) -> Result<BTreeMap<Name, Time>, Failure> {
    let failed = |cause: QueueError| Failure::passing("read the oldest parked doorbells", cause);
    let waiting = backend.retries.oldest(LOOKED_AT_MAX).await.map_err(failed)?;
    let dead = backend.retries.oldest_dead(LOOKED_AT_MAX).await.map_err(failed)?;
    let mut oldest: BTreeMap<Name, Time> = BTreeMap::new();
    for messages in [&waiting, &dead] {
        if let Some(last) = messages.last().filter(|_| messages.len() == LOOKED_AT_MAX) {
            Name::ALL.into_iter().for_each(|name| note(&mut oldest, name, last.sent_at));
        }
    }
    let messages: Vec<Waiting> = waiting.into_iter().chain(dead).collect();
    if messages.is_empty() {
        return Ok(oldest);
    }
    let set = backend.rows.generations().current().await?;
    for name in Name::ALL {
        let live = set.roles(name).live;
        let of_live = |message: &Waiting| {
            let About { stream, seq, generation, .. } = About::read(&message.body);
            let stream = stream.filter(|stream| stream.category == name.category())?;
            let parked_at = message.sent_at;
            generation.is_none_or(|of| of == live).then_some(Doorbell { stream, seq, parked_at })
        };
        let doorbells: Vec<Doorbell> = messages.iter().filter_map(of_live).collect();
        let ids: BTreeSet<Uuid> = doorbells.iter().map(|doorbell| doorbell.stream.id).collect();
        if ids.is_empty() {
            continue;
        }
        let rows = backend.rows.generation(name, live).raw(&ids.into_iter().collect::<Vec<_>>()).await?;
        for Doorbell { stream, seq, parked_at } in doorbells {
            let shown = rows.get(&stream.id).map_or(0, seq_of);
            if seq.is_none_or(|seq| shown < seq) {
                note(&mut oldest, name, parked_at);
            }
        }
    }
    Ok(oldest)
}

fn note(oldest: &mut BTreeMap<Name, Time>, name: Name, at: Time) {
    oldest.entry(name).and_modify(|oldest| *oldest = at.min(*oldest)).or_insert(at);
}
