//! The state that the row of a stream shows, read by its key alone. The log is compared with it: rows only ever
//! follow the log.

use infra::{Backend, Failure};
use schema::{
    StreamId, UserId,
    id::Category,
    table::{Row, users::State},
};
use tracing::warn;
use uuid::Uuid;

use crate::{mails::Mails, projection::Projection, users::Users, waitees::Waitees, waitlists::Waitlists};

/// What the row of a stream shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Shown {
    /// Number of the last event that it shows.
    pub(crate) seq: u64,
    /// The account that it belongs to; `None` in a row of an older version.
    pub(crate) tenant: Option<UserId>,
    /// Whether it shows that the subject is erased; `None` in a row of an older version.
    pub(crate) erased: Option<bool>,
}

/// Reads what the row of a stream shows, strongly consistent: 1 read unit. `None` without a row, and for a row
/// that this code cannot read. Read it before the stream: the log is then never behind it.
///
/// # Errors
/// The table does not answer.
pub(crate) async fn shown(backend: &Backend, stream: StreamId) -> Result<Option<Shown>, Failure> {
    match stream.category {
        Category::Waitee => of::<Waitees>(backend, stream.id, |row| row.erased).await,
        Category::User => of::<Users>(backend, stream.id, |row| row.state != State::Kept).await,
        Category::Waitlist => of::<Waitlists>(backend, stream.id, |_| false).await,
        Category::Mail => of::<Mails>(backend, stream.id, |_| false).await,
        Category::Session | Category::Access => Ok(None), // they have no rows
    }
}

async fn of<P: Projection>(
    backend: &Backend,
    id: Uuid,
    is_erased: fn(&P::Row) -> bool,
) -> Result<Option<Shown>, Failure> {
    let found = match backend.rows.get::<P::Row>(id, P::VERSION).await {
        Err(unreadable) if !unreadable.is_passing() => {
            warn!(%id, projection = P::NAME, cause = unreadable.chain(), "compared a stream with no row, because its row cannot be read");
            None
        }
        found => found?,
    };
    Ok(found.map(|found| Shown {
        seq: found.seq,
        tenant: found.row.as_ref().map(Row::tenant),
        erased: found.row.as_ref().map(is_erased),
    }))
}
