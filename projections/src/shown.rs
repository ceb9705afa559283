//! Reads from the row of a stream how far it follows the log. A row never shows more than its stream has had, so
//! one that shows more than the log reveals that the end of the stream was removed.

use infra::{Backend, Failure, rows::Found};
use schema::{
    StreamId, UserId,
    id::Category,
    table::{Row, users::State},
};
use tracing::warn;
use uuid::Uuid;

use crate::{mails::Mails, projection::Projection, users::Users, waitees::Waitees, waitlists::Waitlists};

/// The state of a stream by its row.
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
        Category::Session | Category::Access | Category::Projection => Ok(None), // they have no rows
    }
}

async fn of<P: Projection>(
    backend: &Backend,
    id: Uuid,
    is_erased: fn(&P::Row) -> bool,
) -> Result<Option<Shown>, Failure> {
    let found = get::<P>(backend, id).await?;
    Ok(found.map(|found| Shown {
        seq: found.seq,
        tenant: found.row.as_ref().map(Row::tenant),
        erased: found.row.as_ref().map(is_erased),
    }))
}

/// Reads the row of a stream. `None` without a row, and for a row of an older version or that cannot be read.
///
/// # Errors
/// The table does not answer.
pub(crate) async fn readable<P: Projection>(backend: &Backend, id: Uuid) -> Result<Option<P::Row>, Failure> {
    Ok(get::<P>(backend, id).await?.and_then(|found| found.row))
}

async fn get<P: Projection>(backend: &Backend, id: Uuid) -> Result<Option<Found<P::Row>>, Failure> {
    match backend.rows.get::<P::Row>(id, P::VERSION).await {
        Err(unreadable) if !unreadable.is_passing() => {
            warn!(%id, projection = P::NAME.as_str(), cause = unreadable.chain(), "the row of a stream cannot be read; its history is checked without it");
            Ok(None)
        }
        found => found,
    }
}
