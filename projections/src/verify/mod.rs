//! Verifies the log by computing again all that derives from other data: hashes, types, months. Routes verify one
//! stream, a list with its visits, or an account, in bounded pages; the command line verifies the whole table.
//!
//! An altered commit is found, unless the rest of its stream was recomputed to match. A removed end is found if a
//! row shows it. A stream that was removed together with its row is not found.

mod all;
mod gone;
mod months;
mod place;
mod report;
pub(crate) mod segment;
mod stream;
mod walk;

use futures::{StreamExt as _, TryStreamExt as _, stream as streams};
use infra::{
    Backend, Failure,
    http::{Call, Reply},
};
use schema::{
    Problem, StreamId, WaitlistId, access,
    body::{Bad, Verification},
    commit::Chain,
    parameter::{OF_VERIFY, Parameter},
};

pub(crate) use self::report::NAMED_MAX;
pub use self::{
    all::{all, one},
    report::{Progress, Report},
    segment::{SCANS_DEFAULT, SCANS_MAX, SEGMENTS_PER_SCAN},
};
use self::{
    place::{At, Place, Step},
    stream::{Checked, check},
    walk::Walk,
};
use crate::{cursor::Kind, fresh, shown::shown};

/// A page ends once it has read this many commits. It may have read up to 799 more by then, because the streams
/// that are read at once are read up to [`SIDE_COMMITS_MAX`] each.
const PAGE_COMMITS_MAX: usize = 500;
/// A page ends once it has reached the ends of this many streams.
const PAGE_STREAMS_MAX: u64 = 100;
/// The streams of a page that are read at once.
const STREAMS_AT_ONCE: usize = 8;
/// The most commits that are read of each stream when several are read at once. The next page continues inside a
/// longer stream.
const SIDE_COMMITS_MAX: usize = 100;

/// The streams to verify.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scope {
    Account,
    /// A list with its visits.
    List(WaitlistId),
    Stream(StreamId),
}

/// The sum of the streams of a page.
#[derive(Default)]
struct Tally {
    streams: u64,
    commits: usize,
    first_bad: Option<Bad>,
}

/// Answers with a page of the verification of the caller's account, or of one of its lists or streams. Another
/// account's list or stream is answered like an unknown one.
pub(crate) async fn route(backend: &Backend, call: &Call<'_>) -> Result<Reply, Failure> {
    let [stream, waitlist, cursor] = call.query(OF_VERIFY.map(Parameter::name))?;
    let scope = scope(stream, waitlist)?;
    let place = match Kind::Verify.after(cursor)? {
        None => Place { at: At::Start, inside: None },
        Some(text) => text.parse().ok().filter(|place| fits(place, scope)).ok_or_else(foreign_cursor)?,
    };
    let tokens = call.sync_tokens()?;
    if let Scope::List(list) = scope {
        require(backend, call, list.into()).await?;
    }
    fresh::check_others(backend, call.actor(), &tokens, |_| false).await?;
    let mut tally = Tally::default();
    let next = page(backend, call, scope, place, &mut tally).await?;
    let Tally { streams, commits, first_bad } = tally;
    if scope_is_unknown(scope, streams, commits) {
        return Err(Problem::not_found().into());
    }
    let next = next.map(|place| Kind::Verify.cursor(&place.to_string()));
    let verification =
        Verification { ok: first_bad.is_none(), streams, commits: commits as u64, first_bad, next };
    Reply::read(0, &verification)
}

/// Whether the only stream of the scope was not found.
fn scope_is_unknown(scope: Scope, streams: u64, commits: usize) -> bool {
    matches!(scope, Scope::Stream(_)) && streams == 0 && commits == 0
}

fn scope(stream: Option<String>, waitlist: Option<String>) -> Result<Scope, Problem> {
    match (stream, waitlist) {
        (None, None) => Ok(Scope::Account),
        (Some(stream), None) => {
            let detail = "must be a stream, such as waitee-01920000-0000-7000-8000-000000000000";
            stream.parse().map(Scope::Stream).map_err(|_| Problem::invalid_parameter("stream", detail))
        }
        (None, Some(waitlist)) => waitlist
            .parse()
            .map(Scope::List)
            .map_err(|error: schema::id::NotAnId| Problem::invalid_parameter("waitlist", error.to_string())),
        (Some(_), Some(_)) => {
            Err(Problem::invalid_parameter("waitlist", "must be left out when stream is given"))
        }
    }
}

/// Whether a cursor's place lies in the scope.
fn fits(place: &Place, scope: Scope) -> bool {
    match (&place.at, scope) {
        (At::Start, _) => false, // each page but the last reads from at least one stream
        (At::End, Scope::Stream(stream)) => place.inside.is_some_and(|(inside, _)| inside == stream),
        (At::Day(..), Scope::List(_)) | (At::Month(..), Scope::Account) => true,
        (At::End | At::Day(..) | At::Month(..), _) => false,
    }
}

fn foreign_cursor() -> Problem {
    Problem::invalid_parameter("cursor", "must be the next of an earlier page of this verification")
}

/// Refuses a stream that does not exist or belongs to another account.
async fn require(backend: &Backend, call: &Call<'_>, stream: StreamId) -> Result<(), Failure> {
    let of_row = shown(backend, stream).await?.and_then(|shown| shown.tenant);
    let tenant = match of_row {
        Some(tenant) => Some(tenant),
        None => backend.log.raw_after(stream, Some(0), 1).await?.tenant(),
    };
    Ok(access::may(call.actor(), stream, tenant.ok_or_else(Problem::not_found)?)?)
}

/// Checks the streams of a page. Returns the place where the next page begins.
async fn page(
    backend: &Backend,
    call: &Call<'_>,
    scope: Scope,
    place: Place,
    tally: &mut Tally,
) -> Result<Option<Place>, Failure> {
    let caller = Some(call.actor());
    if let Some((stream, chain)) = place.inside {
        let checked = check(backend, caller, stream, chain, PAGE_COMMITS_MAX).await?;
        let checked = checked.ok_or_else(foreign_cursor)?;
        tally.add(stream, &checked);
        if !checked.ended {
            return Ok(Some(Place { at: place.at, inside: Some((stream, checked.chain)) }));
        }
    }
    let mut walk = Walk::new(call.owner, scope, place.at);
    while tally.commits < PAGE_COMMITS_MAX && tally.streams < PAGE_STREAMS_MAX {
        let steps = walk.next(backend, STREAMS_AT_ONCE).await?;
        if steps.is_empty() {
            return Ok(walk.rest().map(|at| Place { at, inside: None }));
        }
        let commits_max = if steps.len() == 1 { PAGE_COMMITS_MAX } else { SIDE_COMMITS_MAX };
        let of_steps: Vec<StreamId> = steps.iter().map(|step| step.stream).collect();
        let checks = streams::iter(of_steps)
            .map(|stream| check(backend, caller, stream, Chain::START, commits_max))
            .buffered(STREAMS_AT_ONCE);
        let checks: Vec<Option<Checked>> = checks.try_collect().await?;
        for (Step { stream, after }, checked) in steps.into_iter().zip(checks) {
            let Some(checked) = checked else { continue }; // not this account's
            tally.add(stream, &checked);
            if !checked.ended {
                return Ok(Some(Place { at: after, inside: Some((stream, checked.chain)) }));
            }
        }
    }
    Ok(walk.rest().map(|at| Place { at, inside: None }))
}

impl Tally {
    fn add(&mut self, stream: StreamId, checked: &Checked) {
        self.streams += u64::from(checked.ended);
        self.commits += checked.commits;
        if self.first_bad.is_none() {
            self.first_bad = bad(stream, &checked.chain);
        }
    }
}

fn bad(stream: StreamId, chain: &Chain) -> Option<Bad> {
    let (seq, broken) = chain.broken?;
    Some(Bad { stream: stream.to_string(), seq, why: broken.to_string() })
}
