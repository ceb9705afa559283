//! The history of a stream, read from the log: every event with its sealed fields opened, and the state of
//! the hash chain.
//!
//! A page reads as many commits as it may show. The cursor of the next page holds the chain's head.

mod position;

use infra::{
    Backend, Failure,
    http::{Call, Reply},
    log::CommitPage,
    vault::{Subject, SubjectKey},
};
use schema::{
    Commit, Problem, StreamId, WaiteeId, WaitlistId, access,
    body::{Event, History, Verified},
    id::Category,
    table::users::State,
};

use self::position::{Chain, Position};
use crate::{
    cursor::Kind,
    events::{begins_erasure, events},
    fresh,
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
    let CommitPage { commits, has_more: more } =
        backend.log.page_after(stream, from.chain.head.seq, page.limit + 1).await?;
    let latest = match commits.last().filter(|_| !more) {
        Some(last) => last.clone(),
        None => backend.log.latest(stream).await?.ok_or_else(Problem::not_found)?,
    };
    // The owner may see the history even if its chain is broken.
    access::may(call.actor(), stream, commits.first().map_or(latest.tenant, |first| first.tenant))?;
    if latest.last < fresh::demanded(&tokens, stream) {
        return Err(fresh::unknown_token().into());
    }
    fresh::check_others(backend, call.actor(), &tokens, |other| other == stream).await?;
    let is_whole = from == Position::START && !more;
    let is_erased = if is_whole {
        commits.iter().any(begins_erasure)
    } else {
        is_erased(backend, stream, latest.last).await?
    };
    // An erased subject is hidden at once, even while its key still exists.
    let key = if is_erased { None } else { backend.vault.key(subject).await? };
    let Page { items, next, chain } = cut(&commits, more, from, page.limit, key.as_ref())?;
    let verified = verified(chain);
    let next = next.map(|position| Kind::History.cursor(&position.to_string()));
    Reply::read(latest.last, &History { items, next, verified })
}

/// A page of events.
struct Page {
    items: Vec<Event>,
    next: Option<Position>,
    /// The chain up to the last commit that was read.
    chain: Chain,
}

/// Cuts a page from commits. `more` says that further commits follow them.
fn cut(
    commits: &[Commit],
    more: bool,
    from: Position,
    limit: usize,
    key: Option<&SubjectKey>,
) -> Result<Page, Failure> {
    let (mut items, mut chain, mut shown) = (Vec::new(), from.chain, from.chain);
    for commit in commits {
        chain = chain.follow(commit);
        let left = (limit + 1).saturating_sub(items.len());
        items.extend(events(commit, key)?.into_iter().filter(|event| event.seq > from.after).take(left));
        if items.len() > limit {
            break;
        }
        shown = chain; // the whole commit is on the page
    }
    let more = more || items.len() > limit;
    items.truncate(limit);
    let after = items.last().map_or(from.after, |last| last.seq);
    Ok(Page { items, next: more.then_some(Position { after, chain: shown }), chain })
}

/// Whether the subject of a stream is erased as of event `seq`, by a row that is at least that fresh.
async fn is_erased(backend: &Backend, stream: StreamId, seq: u64) -> Result<bool, Failure> {
    match stream.category {
        Category::Waitee => {
            Ok(fresh::row::<Waitees>(backend, stream.id, seq).await?.is_some_and(|row| row.erased))
        }
        Category::User => Ok(fresh::row::<Users>(backend, stream.id, seq)
            .await?
            .is_some_and(|row| row.state != State::Kept)),
        // Their events hold nothing sealed, or there is no page of their history.
        Category::Waitlist | Category::Session | Category::Mail => Ok(false),
    }
}

/// Checks the chain of commits from the first one, and names the commit that breaks it.
#[must_use]
pub fn verify(commits: &[Commit]) -> Verified {
    verified(commits.iter().fold(Chain::START, Chain::follow))
}

fn verified(chain: Chain) -> Verified {
    let (seq, why) = chain.broken.map(|(seq, broken)| (seq, broken.to_string())).unzip();
    Verified { ok: chain.broken.is_none(), seq, why }
}
