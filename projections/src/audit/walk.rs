//! Looks through the index `audit`, month by month, for the commits of a page.

use std::collections::{BTreeMap, HashMap};

use infra::{
    Backend, Failure,
    log::{End, Entry, EntryPage},
    rows::Order,
};
use schema::{Actor, Commit, StreamId, UserId, WaitlistId, access, id::Category, waitee};
use tracing::error;

use super::{
    place,
    query::Query,
    range::{Position, Range},
};

/// The most commits that a page examines.
const COMMITS_MAX: usize = 500;
/// The most months without a commit that a page passes.
const EMPTY_MONTHS_MAX: u32 = 24;

/// A commit with those of its events that are on the page, by number, in the page's order.
pub(super) struct Hit {
    pub(super) commit: Commit,
    pub(super) events: Vec<u64>,
}

/// The events of a page, in its order.
pub(super) struct Found {
    pub(super) hits: Vec<Hit>,
    /// The place where the next page begins. `None` if nothing is left.
    pub(super) next: Option<Position>,
}

/// Finds the events of a page in a range of the account's history. `written` are commits that the index may
/// lack.
pub(super) async fn find(
    backend: &Backend,
    account: UserId,
    query: &Query,
    mut range: Range,
    written: &[Entry],
) -> Result<Found, Failure> {
    let order = query.order;
    let mut hits: Vec<Hit> = Vec::new();
    let mut lists = Lists::default();
    let (mut shown, mut examined, mut empty_months) = (0, 0, 0);
    // Two more than the page shows: its range may begin inside a commit, and the last commit of a call is left to the
    // next one. Filters may let few commits pass, so each call reads twice as many as the one before.
    let mut wanted = query.limit + 2;
    while let Some(part) = range.part(order) {
        if shown >= query.limit || examined >= COMMITS_MAX || empty_months >= EMPTY_MONTHS_MAX {
            break;
        }
        let limit = wanted.min(COMMITS_MAX - examined);
        let page = match part.range.ids() {
            Some(ids) => backend.log.month(account, &part.month, ids, order, limit).await?,
            None => EntryPage::default(),
        };
        wanted = (wanted * 2).min(COMMITS_MAX);
        let end = match page.end {
            None => None,
            Some(End::Before(id)) => Some(Position::ahead_of(id, order)),
            Some(End::After(id)) => Some(Position::behind(id, order)),
            Some(End::AfterOther(key)) => place::behind(&key, order),
        };
        let end = end.unwrap_or(part.range.end(order));
        examined += page.examined;
        empty_months += u32::from(page.examined == 0);
        let entries = with_written(page.entries, written, part.range, end, order);
        let mut entries = lists.of_query(backend, query, entries).await?;
        let room = if query.needs_commits() { entries.len() } else { query.limit + 1 - shown };
        let end = match entries.get(room.saturating_sub(1)).map(|last| last.commit) {
            Some(last) if entries.len() > room => {
                let same = entries.iter().skip(room).take_while(|entry| entry.commit == last).count();
                entries.truncate(room + same);
                Position::behind(last, order)
            }
            _ => end,
        };
        for commit in commits(backend, account, &entries).await? {
            let events = events(query, range, &commit);
            shown += events.len();
            hits.push(Hit { commit, events });
        }
        range = range.beyond(end, order);
    }
    let next = cut(&mut hits, query.limit).or(range.part(order).map(|_| range.begin(order)));
    Ok(Found { hits, next })
}

/// The entries that lie in `range`, and those of `written` that belong among them. `end` is the place up to
/// which the index was read.
fn with_written(
    mut entries: Vec<Entry>,
    written: &[Entry],
    range: Range,
    end: Position,
    order: Order,
) -> Vec<Entry> {
    let is_read = |entry: &Entry| {
        let first = Position { commit: entry.commit, event: entry.seq };
        match order {
            Order::Ascending => first <= end,
            Order::Descending => first >= end,
        }
    };
    for entry in written.iter().filter(|entry| is_read(entry)) {
        if !entries.iter().any(|known| known.commit == entry.commit && known.stream == entry.stream) {
            entries.push(entry.clone());
        }
    }
    entries.retain(|entry| range.may_hold(entry.commit, entry.seq));
    entries.sort_by(|a, b| match order {
        Order::Ascending => a.commit.cmp(&b.commit),
        Order::Descending => b.commit.cmp(&a.commit),
    });
    entries
}

/// The commits of these entries, in their order.
async fn commits(backend: &Backend, account: UserId, entries: &[Entry]) -> Result<Vec<Commit>, Failure> {
    let keys = entries.iter().map(|entry| (entry.stream, entry.seq));
    let mut found = backend.log.commits_at(keys).await?;
    let commits = entries.iter().filter_map(|entry| found.remove(&(entry.stream, entry.seq)));
    Ok(commits
        .filter(|commit| access::may(Actor::User(account), commit.stream, commit.tenant).is_ok())
        .collect())
}

/// The numbers of the commit's events that are on the page, in the page's order.
fn events(query: &Query, range: Range, commit: &Commit) -> Vec<u64> {
    let Commit { stream, seq, .. } = *commit;
    let stored = match commit.stored() {
        Ok(stored) if query.fits(commit) => stored,
        Ok(_) => return Vec::new(),
        Err(cause) => {
            error!(%stream, seq, %cause, "a stored commit cannot be read; `waitlist verify` names the fault");
            return Vec::new();
        }
    };
    let numbered = stored.iter().zip(seq..);
    let fitting = numbered.filter(|(event, seq)| {
        query.shows(event.kind) && range.holds(Position { commit: commit.commit, event: *seq })
    });
    let mut events: Vec<u64> = fitting.map(|(_, seq)| seq).collect();
    if query.order == Order::Descending {
        events.reverse();
    }
    events
}

/// Keeps the first `limit` events. Returns the place of the last one kept if there were more.
fn cut(hits: &mut Vec<Hit>, limit: usize) -> Option<Position> {
    hits.retain(|hit| !hit.events.is_empty());
    let mut left = limit;
    let whole = hits.iter().take_while(|hit| {
        let fits = hit.events.len() <= left;
        left = left.saturating_sub(if fits { hit.events.len() } else { 0 });
        fits
    });
    let whole = whole.count();
    let last = hits.get_mut(whole)?; // the first that is not wholly on the page
    last.events.truncate(left);
    hits.truncate(whole + 1);
    hits.retain(|hit| !hit.events.is_empty());
    let last = hits.last()?;
    Some(Position { commit: last.commit.commit, event: *last.events.last()? })
}

/// The lists of visits, each read once a page.
#[derive(Default)]
struct Lists(BTreeMap<StreamId, Option<WaitlistId>>);

impl Lists {
    /// The entries that pass the filters, the list of visits included.
    async fn of_query(
        &mut self,
        backend: &Backend,
        query: &Query,
        mut entries: Vec<Entry>,
    ) -> Result<Vec<Entry>, Failure> {
        entries.retain(|entry| query.may_fit(entry));
        let Some(list) = query.waitlist() else { return Ok(entries) };
        let visits = entries.iter().map(|entry| entry.stream);
        let unknown: Vec<StreamId> = visits
            .filter(|stream| stream.category == Category::Waitee && !self.0.contains_key(stream))
            .collect();
        self.read(backend, unknown).await?;
        entries.retain(|entry| entry.stream == list.into() || self.0.get(&entry.stream) == Some(&Some(list)));
        Ok(entries)
    }

    /// Reads the lists of visits from their first commits, which never change.
    async fn read(&mut self, backend: &Backend, mut visits: Vec<StreamId>) -> Result<(), Failure> {
        visits.sort_unstable();
        visits.dedup();
        let mut first: HashMap<_, Commit> =
            backend.log.commits_at(visits.iter().map(|visit| (*visit, 1))).await?;
        for visit in visits {
            let list = first.remove(&(visit, 1)).and_then(|commit| list_of(&commit));
            self.0.insert(visit, list);
        }
        Ok(())
    }
}

fn list_of(first: &Commit) -> Option<WaitlistId> {
    let facts = first.facts::<waitee::Event>().ok()?;
    facts.into_iter().find_map(|fact| match fact.event {
        waitee::Event::Joined(joined) => Some(joined.waitlist),
        _ => None,
    })
}
