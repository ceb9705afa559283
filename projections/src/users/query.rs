//! The account's own page.

use infra::{
    Backend, Failure,
    http::{Call, Reply},
    vault::{Subject, SubjectKey},
};
use schema::{
    Problem, StreamId, Time,
    body::user::User,
    message::{Entry, Kind},
};

use super::{State, UserRow, Users};
use crate::{fresh, opened};

/// An account that is about to be forgotten has no page any more.
pub(crate) async fn me(backend: &Backend, call: &Call<'_>) -> Result<Reply, Failure> {
    let [] = call.query([])?;
    let (stream, tokens) = (StreamId::from(call.owner), call.sync_tokens()?);
    let demanded = fresh::demanded(&tokens, stream);
    let row = fresh::row::<Users>(backend, call.actor(), call.owner.0, demanded)
        .await?
        .ok_or_else(Problem::not_found)?;
    if row.seq < demanded {
        return Err(fresh::unknown_token().into());
    }
    fresh::others(backend, call.actor(), &tokens, |other| other == stream).await?;
    let key = backend.vault.key(Subject::Account(call.owner)).await?;
    let key = key.filter(|_| row.state == State::Kept).ok_or_else(Problem::not_found)?;
    Reply::read(row.seq, &show(&row, &key, backend.clock.now()))
}

/// How the mail stands that holds the link to confirm the address by: the welcome mail, or the last that was asked for instead.
fn welcome(row: &UserRow, now: Time) -> &'static str {
    let with_link = |entry: &&Entry| matches!(entry.id.kind, Kind::Welcome | Kind::Confirmation);
    // What a ledger no longer remembers was settled long ago.
    row.agenda.messages.entries().iter().rfind(with_link).map_or("sent", |entry| entry.status(now))
}

fn show(row: &UserRow, key: &SubjectKey, now: Time) -> User {
    let stream = row.id.into();
    User {
        id: row.id.0,
        email: opened::text(stream, key, &row.email),
        name: opened::text(stream, key, &row.name),
        email_confirmed: row.confirmed,
        operator: row.operator,
        registered_at: row.registered_at,
        welcome: welcome(row, now),
        seq: row.seq,
    }
}
