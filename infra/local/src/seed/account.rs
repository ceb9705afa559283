//! The account of a made-up past, and its lists: made by the handlers, so that their keys, claims and streams are
//! like any other's.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Response};
use infra::{
    Backend, Failure,
    http::{Principal, Request},
};
use projections::{
    mails::Mails,
    projection::{Projection, fold},
    users::Users,
    waitlists::Waitlists,
};
use schema::{
    MailId, StreamId, UserId, WaitlistId,
    body::Written,
    table::{Row, RowTable},
    value::Email,
    waitlist,
};
use serde_json::{Value, json};
use uuid::Uuid;

use super::Failed;
use crate::engine::Item;

/// The password of every made-up account.
pub(crate) const PASSWORD: &str = "correct horse battery staple";

/// The names of the lists.
pub(super) const LISTS: [&str; 3] = ["Main room", "Terrace", "Bar"];

/// The lifetime of the principal with which the lists are created.
const TTL_S: i64 = 60;

/// An account with its lists, and their rows.
pub(super) struct Account {
    pub(super) id: UserId,
    pub(super) email: String,
    pub(super) lists: Vec<List>,
    pub(super) rows: Vec<(RowTable, Item)>,
    pub(super) commits: u64,
}

pub(super) struct List {
    pub(super) id: WaitlistId,
    pub(super) name: &'static str,
    pub(super) state: waitlist::State,
}

/// Registers the account of a seed number and creates its lists, at the time of the backend's clock.
///
/// # Errors
/// There is such an account already, or the backend does not work.
pub(super) async fn make(backend: &Backend, seed: u64) -> Result<Account, Failed> {
    let email = format!("seed-{seed}@example.com");
    let claim = backend.claims.of_email(&Email::parse(&email)?)?;
    if backend.vault.holder(&claim).await?.is_some() {
        let advice = "this data directory holds a past of this seed number, cut short if its making was stopped early; \
                      choose another --seed, or another directory";
        return Err(advice.into());
    }
    let register = json!({ "email": email, "password": PASSWORD, "name": format!("Seed {seed}") });
    let request = post(backend, "/v1/users", seed.into(), &register, None)?;
    let id = UserId(written(commands::accounts::handle(backend, request).await)?.id);
    let mut rows = vec![row::<Users>(backend, id.into()).await?];
    rows.push(row::<Mails>(backend, MailId(id.0).into()).await?);
    let mut lists = Vec::new();
    for (place, name) in (0_u128..).zip(LISTS) {
        let create = json!({ "name": name, "time_zone": "America/Los_Angeles", "region": "US" });
        let request = post(backend, "/v1/waitlists", place, &create, Some(id))?;
        let list = WaitlistId(written(commands::hosts::handle(backend, request).await)?.id);
        rows.push(row::<Waitlists>(backend, list.into()).await?);
        let state = match commands::waitlist::find(backend, list).await? {
            Some((_, commands::waitlist::Waitlist::Kept(state))) => state,
            _ => return Err(format!("the list {name} was not created").into()),
        };
        lists.push(List { id: list, name, state });
    }
    // The registration appends the first commits of two streams.
    let commits = 2 + lists.len() as u64;
    Ok(Account { id, email, lists, rows, commits })
}

/// A POST with an idempotency key, from which the id of the new stream derives.
fn post(
    backend: &Backend,
    path: &str,
    key: u128,
    body: &Value,
    owner: Option<UserId>,
) -> Result<Request, Failed> {
    let key = Uuid::from_u128(key).to_string();
    let headers: HeaderMap = [
        (HeaderName::from_static("idempotency-key"), HeaderValue::from_str(&key)?),
        (http::header::CONTENT_TYPE, HeaderValue::from_static("application/json")),
    ]
    .into_iter()
    .collect();
    let now = backend.clock.now();
    Ok(Request {
        method: "POST".into(),
        path: path.into(),
        query: String::new(),
        headers,
        body: body.to_string().into(),
        request_id: backend.clock.id(now).to_string(),
        address: None,
        principal: owner.map(|owner| Principal::account(owner, now.millis() / 1_000 + TTL_S)),
    })
}

fn written(answer: Response<Bytes>) -> Result<Written, Failed> {
    let (parts, body) = answer.into_parts();
    if !parts.status.is_success() {
        let said = String::from_utf8_lossy(&body).into_owned();
        return Err(format!("a request of the made-up account was refused: {said}").into());
    }
    Ok(serde_json::from_slice(&body)?)
}

/// The row of a stream, as an item.
async fn row<P: Projection>(backend: &Backend, stream: StreamId) -> Result<(RowTable, Item), Failed> {
    let row = fold::<P>(None, &backend.log.load(stream).await?)?;
    let row = row.ok_or_else(|| {
        Failure::broken(format!("project {stream}"), "it does not begin with its first event")
    })?;
    Ok((P::Row::TABLE, serde_dynamo::to_item(row)?))
}
