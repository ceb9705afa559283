//! One party.

use infra::{
    Backend, Failure,
    http::{Call, Reply},
};
use schema::WaiteeId;

use super::{
    Waitees,
    board::{position_of, shown_with},
    past,
    show::{keys, show},
};
use crate::{as_of::When, fresh, waitlists::query::kept};

/// One party of the caller's lists, now or with `?as_of=` at an earlier time.
pub(crate) async fn one(backend: &Backend, call: &Call<'_>) -> Result<Reply, Failure> {
    let [as_of] = call.query(["as_of"])?;
    let now = backend.clock.now();
    let when = When::of(call, as_of.as_deref(), now)?;
    let id = WaiteeId(call.path_id()?);
    let row = match &when {
        When::Now(tokens) => fresh::found::<Waitees>(backend, call.actor(), id.0, tokens).await?,
        When::AsOf(at) => past::found(backend, call.actor(), id, *at).await?,
    };
    kept(backend, call.actor(), row.waitlist, &when).await?;
    fresh::check_others(backend, call.actor(), when.tokens(), |stream| match row.board() {
        Some(list) => shown_with(list)(stream),
        None => stream == id.into() || stream == row.waitlist.into(),
    })
    .await?;
    let position = position_of(backend, call.actor(), &row, &when).await?;
    let key = keys(backend, call.owner, std::slice::from_ref(&row)).await?.remove(&id);
    Reply::read(row.seq, &show(&row, key.as_ref(), position, when.shown_at(now)))
}
