//! The account page.

use infra::{
    Backend, Failure,
    http::{Call, Reply},
    vault::{Subject, SubjectKey},
};
use schema::{
    Problem, StreamId,
    body::account::User,
    id::Category,
    message::Status,
    table::{UserRow, users::State},
};

use super::Users;
use crate::{fresh, mails, opened};

/// The caller's account. An erased account is answered with 404.
pub(crate) async fn me(backend: &Backend, call: &Call<'_>) -> Result<Reply, Failure> {
    let [] = call.query([])?;
    let (stream, tokens) = (StreamId::from(call.owner), call.sync_tokens()?);
    let row = fresh::found::<Users>(backend, call.actor(), stream.id, &tokens).await?;
    let is_shown = |other: StreamId| other == stream || other.category == Category::Mail;
    fresh::check_others(backend, call.actor(), &tokens, is_shown).await?;
    let welcome = mails::query::confirming(backend, call, &tokens).await?;
    let key = backend.vault.key(Subject::Account(call.owner)).await?;
    let key = key.filter(|_| row.state == State::Kept).ok_or_else(Problem::not_found)?;
    Reply::read(row.seq, &show(&row, &key, welcome))
}

fn show(row: &UserRow, key: &SubjectKey, welcome: Status) -> User {
    let stream = row.id.into();
    User {
        id: row.id.0,
        email: opened::text(stream, key, &row.email),
        name: opened::text(stream, key, &row.name),
        email_confirmed: row.confirmed,
        operator: row.operator,
        registered_at: row.registered_at,
        welcome,
        seq: row.seq,
    }
}
