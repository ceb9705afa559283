//! A page of the log: the rows of its streams are compared with it.

use std::collections::BTreeMap;

use futures::{StreamExt as _, TryStreamExt as _, stream as streams};
use infra::{
    Backend, Failure,
    log::{Head, HeadPage, Place},
    rows::{read_units, seq_of},
};
use projections::{feed::Parked, rebuild::operate};
use schema::{
    StreamId, Time,
    projection::{Name, Stage},
};
use tracing::error;
use uuid::Uuid;

use crate::{
    erased,
    part::{Page, Part},
    report::{Ahead, Report},
};

/// The time that the feed has for a commit. The row of a younger commit may be behind.
pub const FEED_MAX_MS: i64 = 60_000;

/// Rows that are looked at again at once.
const LOOKS_AT_ONCE: usize = 16;

/// The commits of one stream in a page.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct End {
    /// Number of the last event.
    last: u64,
    /// Number of the last event that its row must show.
    required: u64,
}

/// A row that is not as its stream is.
struct Doubt {
    stream: StreamId,
    end: End,
}

/// The result of a second look at a row.
enum Seen {
    AsRequired,
    Rung,
    Ahead(Ahead),
}

/// Reads a page of a segment of the log, and compares the rows of its streams with it. A stream that goes on in the
/// next page is compared twice.
pub(crate) async fn page(
    backend: &Backend,
    (segment, segments): (u32, u32),
    after: Option<&Place>,
) -> Result<Page, Failure> {
    let HeadPage { items, heads, read_units, next } = backend.log.heads((segment, segments), after).await?;
    let streams = heads.iter().filter(|head| head.seq == 1).count();
    let mut found =
        Report { commits: items as u64, streams: streams as u64, read_units, ..Report::default() };
    let ends = ends(&heads, backend.clock.now());
    for name in Name::ALL {
        let of_name = ends.iter().filter(|(stream, _)| stream.category == name.category());
        let of_name: Vec<Doubt> = of_name.map(|(stream, end)| Doubt { stream: *stream, end: *end }).collect();
        if of_name.is_empty() {
            continue;
        }
        for generation in complete(backend, name).await? {
            found.add(compare(backend, name, generation, &of_name).await?);
        }
    }
    found.add(erased::bury_again(backend, &heads).await?);
    let rest = next.map(|place| Part::Commits { segment, segments, after: Some(place) });
    Ok(Page { found, rest })
}

fn ends(heads: &[Head], now: Time) -> BTreeMap<StreamId, End> {
    let mut ends: BTreeMap<StreamId, End> = BTreeMap::new();
    for head in heads {
        let end = ends.entry(head.stream).or_default();
        end.last = end.last.max(head.last);
        // A commit may be dated ahead of the clock, as after a manual clock was moved.
        let age_ms = head.at.map_or(FEED_MAX_MS, |at| now.millis() - at.millis());
        if !(0..FEED_MAX_MS).contains(&age_ms) {
            end.required = end.required.max(head.last);
        }
    }
    ends
}

/// The generations that have a row of every stream. A candidate has, once it is scanned.
async fn complete(backend: &Backend, name: Name) -> Result<Vec<u64>, Failure> {
    let roles = backend.rows.generations().current().await?.roles(name);
    let Some(candidate) = roles.candidate else { return Ok(roles.all().collect()) };
    let state = operate::read(backend, name).await?.state;
    let is_scanned = state.building().is_some_and(|rebuild| {
        rebuild.generation == candidate && matches!(rebuild.stage, Stage::Verifying | Stage::Ready)
    });
    Ok(roles.all().filter(|generation| *generation != candidate || is_scanned).collect())
}

/// Compares the rows of a generation with the ends of their streams.
async fn compare(backend: &Backend, name: Name, generation: u64, ends: &[Doubt]) -> Result<Report, Failure> {
    let ids: Vec<Uuid> = ends.iter().map(|of| of.stream.id).collect();
    let rows = match backend.rows.generation(name, generation).raw(&ids).await {
        Err(gone) if gone.is_missing_table() => return without_table(backend, name, generation, gone).await,
        rows => rows?,
    };
    let read_units = ids.iter().map(|id| read_units(rows.get(id))).sum();
    let doubtful = ends.iter().filter(|Doubt { stream, end }| {
        let shows = rows.get(&stream.id).map_or(0, seq_of);
        shows < end.required || shows > end.last
    });
    let seen: Vec<Seen> = streams::iter(doubtful)
        .map(|doubt| look_again(backend, name, generation, doubt))
        .buffer_unordered(LOOKS_AT_ONCE)
        .try_collect()
        .await?;
    let mut found = Report { read_units, ..Report::default() };
    for seen in seen {
        found.read_units += 2.0;
        match seen {
            Seen::AsRequired => {}
            Seen::Rung => found.rung += 1,
            Seen::Ahead(row) => found.find(row),
        }
    }
    Ok(found)
}

/// Nothing, if the generation has lost its role meanwhile, and with it its table.
pub(crate) async fn without_table(
    backend: &Backend,
    name: Name,
    generation: u64,
    missing: Failure,
) -> Result<Report, Failure> {
    let generations = backend.rows.generations();
    let set = generations.reload(&generations.current().await?).await?;
    if set.roles(name).all().any(|of| of == generation) { Err(missing) } else { Ok(Report::default()) }
}

/// Reads a row and then the end of its stream, both strongly consistent, and rings the doorbell of a row that is still
/// behind.
async fn look_again(
    backend: &Backend,
    name: Name,
    generation: u64,
    Doubt { stream, end }: &Doubt,
) -> Result<Seen, Failure> {
    let row = backend.rows.generation(name, generation).raw(&[stream.id]).await?.remove(&stream.id);
    let shows = row.as_ref().map_or(0, seq_of);
    let Some(latest) = backend.log.raw_latest(*stream).await? else { return Ok(Seen::AsRequired) };
    let last = latest.commit.map_or(latest.seq, |commit| commit.last);
    if shows > last {
        let row = Ahead { projection: name, generation, stream: *stream, shows, last };
        tell(&row);
        return Ok(Seen::Ahead(row));
    }
    if shows >= end.required {
        return Ok(Seen::AsRequired);
    }
    let cause = format!("sweep: the row shows event {shows} of {last}");
    Parked::again(*stream, last, Some(generation), cause).send(backend).await?;
    Ok(Seen::Rung)
}

/// Logs a row that shows an event which the log lacks: events were removed.
pub(crate) fn tell(Ahead { projection, generation, stream, shows, last }: &Ahead) {
    let projection = projection.as_str();
    error!(projection, generation, %stream, shows, last, "a row shows an event that the log lacks");
}

#[cfg(test)]
mod tests {
    use schema::WaiteeId;

    use super::*;

    #[test]
    fn a_row_must_show_what_the_feed_had_time_for() {
        let now = Time::from_millis(1_800_000_000_000);
        let stream: StreamId = WaiteeId(Uuid::from_u128(7)).into();
        let head = |seq, last, age_ms: i64| Head {
            stream,
            seq,
            last,
            at: Some(now.plus_millis(-age_ms)),
            tenant: None,
            types: Vec::new(),
        };
        let end = |heads: &[Head]| ends(heads, now)[&stream];
        let old = head(1, 2, FEED_MAX_MS);
        assert_eq!(end(&[old.clone(), head(3, 3, FEED_MAX_MS - 1)]), End { last: 3, required: 2 });
        assert_eq!(end(&[head(3, 3, 0), old.clone()]), End { last: 3, required: 2 });
        assert_eq!(end(&[old.clone(), head(3, 4, -1)]), End { last: 4, required: 4 });
        assert_eq!(end(&[old, Head { at: None, ..head(3, 3, 0) }]), End { last: 3, required: 3 });
    }
}
