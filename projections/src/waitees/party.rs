//! One party.

use infra::{
    Backend, Failure,
    http::{Call, Reply},
};
use schema::WaiteeId;

use super::{
    Waitees,
    board::{position_of, shown_with},
    show::{keys, show},
};
use crate::{fresh, waitlists::query::kept};

/// One party of the caller's lists.
pub(crate) async fn one(backend: &Backend, call: &Call<'_>) -> Result<Reply, Failure> {
    let [] = call.query([])?;
    let tokens = call.sync_tokens()?;
    let id = WaiteeId(call.path_id()?);
    let row = fresh::found::<Waitees>(backend, call.actor(), id.0, &tokens).await?;
    kept(backend, call.actor(), row.waitlist, &tokens).await?;
    fresh::check_others(backend, call.actor(), &tokens, |stream| match row.board() {
        Some(list) => shown_with(list)(stream),
        None => stream == id.into() || stream == row.waitlist.into(),
    })
    .await?;
    let position = position_of(backend, call.actor(), &row, &tokens).await?;
    let key = keys(backend, call.owner, std::slice::from_ref(&row)).await?.remove(&id);
    Reply::read(row.seq, &show(&row, key.as_ref(), position, backend.clock.now()))
}
