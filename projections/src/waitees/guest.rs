//! A visit as its guest sees it.

use infra::{
    Backend, Failure,
    http::{Call, Reply},
    vault::Subject,
};
use schema::{
    Actor, Problem, StreamId,
    body::guest::{OnList, Visit},
};

use super::{Waitees, board::position_of};
use crate::{as_of::When, fresh, waitlists::query::at_the_door};

/// The visit that the token in the path opens. Of other guests it shows only how many are ahead.
pub(crate) async fn visit(backend: &Backend, call: &Call<'_>) -> Result<Reply, Failure> {
    let token = call.token.ok_or_else(Problem::not_found)?;
    let guest = backend.secrets.read_visit_token(token).await?.ok_or_else(Problem::not_found)?;
    let [] = call.query([])?;
    let (caller, when) = (Actor::Guest(guest), When::Now(call.sync_tokens()?));
    let row = fresh::found::<Waitees>(backend, caller, guest.0, when.tokens()).await?;
    let key = backend.vault.key(Subject::Guest { account: row.tenant, guest }).await?;
    if row.erased || key.is_none() {
        return Err(Problem::not_found().into());
    }
    let is_shown = |stream: StreamId| stream == guest.into() || stream == row.waitlist.into();
    fresh::check_others(backend, caller, when.tokens(), is_shown).await?;
    let list = at_the_door(backend, row.waitlist, when.tokens()).await?;
    let position = position_of(backend, caller, &row, &when).await?;
    let settings = &list.list.settings;
    let body = Visit {
        waitlist: OnList {
            id: list.id.0,
            name: settings.name.to_string(),
            time_zone: settings.time_zone.to_string(),
            language: settings.language,
        },
        state: row.state,
        position,
        ahead: position.map(|position| position.saturating_sub(1)),
        party_size: row.party.party_size.get(),
        quoted_at: row.quoted_at(),
        hold_until: row.hold_until,
        seq: row.seq,
    };
    Reply::read(row.seq, &body)
}
