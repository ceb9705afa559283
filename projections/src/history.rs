//! The history of a stream, read from the log: every event with its sealed fields opened, and the state of
//! the hash chain.
//!
//! A page reads as many commits as it may show. The cursor of the next page holds the chain's head.

use infra::{
    Backend, Failure,
    http::{Call, Reply},
    log::RawPage,
    vault::{Subject, SubjectKey},
};
use schema::{
    Commit, Problem, StreamId, WaiteeId, WaitlistId, access,
    body::{Event, History, Verified},
    commit::{Chain, RawCommit},
    id::Category,
    table::users::State,
};

use crate::{
    cursor::Kind,
    events::{begins_erasure, events},
    fresh,
    position::Position,
    shown::shown,
    users::Users,
    waitees::Waitees,
};

pub(crate) async fn of_account(backend: &Backend, call: &Call<'_>) -> Result<Reply, Failure> {
    of_stream(backend, call, call.owner.into(), Subject::Account(call.owner)).await
}

pub(crate) async fn of_waitlist(backend: &Backend, call: &Call<'_>) -> Result<Reply, Failure> {
    let id = WaitlistId(call.path_id()?);
    of_stream(backend, call, id.into(), Subject::Account(call.owner)).await
}

pub(crate) async fn of_waitee(backend: &Backend, call: &Call<'_>) -> Result<Reply, Failure> {
    let guest = WaiteeId(call.path_id()?);
    of_stream(backend, call, guest.into(), Subject::Guest { account: call.owner, guest }).await
}

async fn of_stream(
    backend: &Backend,
    call: &Call<'_>,
    stream: StreamId,
    subject: Subject,
) -> Result<Reply, Failure> {
    let [limit, cursor] = call.query(["limit", "cursor"])?;
    let page = Kind::History.page(limit, cursor)?;
    let tokens = call.sync_tokens()?;
    let from = match &page.after {
        None => Position::START,
        Some(place) => place.parse().map_err(|_| {
            Problem::invalid_parameter("cursor", "must be the next of an earlier page of this history")
        })?,
    };
    let shown = shown(backend, stream).await?; // before the log, which is then never behind the row
    let raw = backend.log.raw_after(stream, from.chain.after(), page.limit + 1).await?;
    let latest = match raw.commits.last().filter(|_| !raw.has_more) {
        Some(latest) => Some(latest.clone()),
        None => backend.log.raw_latest(stream).await?,
    };
    let last = latest.as_ref().map_or(0, RawCommit::last);
    let of_latest = || latest.as_ref().and_then(|latest| Some(latest.commit.as_ref()?.tenant));
    // The row names the account even if the log was altered.
    let tenant = shown.and_then(|shown| shown.tenant).or_else(|| raw.tenant()).or_else(of_latest);
    let tenant = tenant.ok_or_else(Problem::not_found)?;
    // The owner may see the history even if its chain is broken.
    access::may(call.actor(), stream, tenant)?;
    let shown_seq = shown.map_or(0, |shown| shown.seq);
    if last.max(shown_seq) < fresh::demanded(&tokens, stream) {
        return Err(fresh::unknown_token().into());
    }
    fresh::check_others(backend, call.actor(), &tokens, |other| other == stream).await?;
    let is_whole = from == Position::START && !raw.has_more && raw.commits.iter().all(RawCommit::is_readable);
    // An erasure is final: a row that shows one need not be fresh.
    let by_row = shown.and_then(|shown| shown.erased.filter(|erased| *erased || shown.seq >= last));
    let is_erased = match by_row {
        Some(is_erased) => is_erased,
        None if is_whole => raw.commits.iter().filter_map(|raw| raw.commit.as_ref()).any(begins_erasure),
        None => is_erased(backend, stream, last).await?,
    };
    // An erased subject is hidden at once, even while its key still exists.
    let key = if is_erased { None } else { backend.vault.key(subject).await? };
    let Page { items, next, chain } = cut(&raw, from, page.limit, key.as_ref());
    let chain = if next.is_some() { chain } else { chain.end(shown_seq) };
    let verified = verified(chain);
    let next = next.map(|position| Kind::History.cursor(&position.to_string()));
    Reply::read(last, &History { items, next, verified })
}

/// A page of events.
struct Page {
    items: Vec<Event>,
    next: Option<Position>,
    /// The chain up to the last commit that was read.
    chain: Chain,
}

/// Cuts a page from the commits that were read.
fn cut(raw: &RawPage, from: Position, limit: usize, key: Option<&SubjectKey>) -> Page {
    let (mut items, mut chain, mut shown) = (Vec::new(), from.chain, from.chain);
    for raw in &raw.commits {
        chain = chain.follow(raw);
        let left = (limit + 1).saturating_sub(items.len());
        // The text of an altered commit may hold no events.
        let events = raw.commit.as_ref().and_then(|commit| events(commit, key).ok()).unwrap_or_default();
        items.extend(events.into_iter().filter(|event| event.seq > from.after).take(left));
        if items.len() > limit {
            break;
        }
        shown = chain; // the whole commit is on the page
    }
    let more = raw.has_more || items.len() > limit;
    items.truncate(limit);
    let after = items.last().map_or(from.after, |last| last.seq);
    Page { items, next: more.then_some(Position { after, chain: shown }), chain }
}

/// Whether the subject of a stream is erased as of event `seq`, by a row that is at least that fresh. A stream
/// that cannot be folded counts as erased, because its damage may hide the erasure.
async fn is_erased(backend: &Backend, stream: StreamId, seq: u64) -> Result<bool, Failure> {
    let folded = match stream.category {
        Category::Waitee => {
            fresh::row::<Waitees>(backend, stream.id, seq).await.map(|row| row.is_some_and(|row| row.erased))
        }
        Category::User => fresh::row::<Users>(backend, stream.id, seq)
            .await
            .map(|row| row.is_some_and(|row| row.state != State::Kept)),
        // Their events hold nothing sealed, or there is no page of their history.
        Category::Waitlist | Category::Session | Category::Mail | Category::Access | Category::Projection => {
            Ok(false)
        }
    };
    match folded {
        Err(damaged) if !damaged.is_passing() => Ok(true),
        folded => folded,
    }
}

/// Checks the chain of commits from the first one, and names the commit that breaks it.
#[must_use]
pub fn verify(commits: &[Commit]) -> Verified {
    let raw = |commit: &Commit| RawCommit { seq: commit.seq, commit: Some(commit.clone()), fault: None };
    verified(commits.iter().map(raw).fold(Chain::START, |chain, raw| chain.follow(&raw)))
}

fn verified(chain: Chain) -> Verified {
    let (seq, why) = chain.broken.map(|(seq, broken)| (seq, broken.to_string())).unzip();
    Verified { ok: chain.broken.is_none(), seq, why }
}
