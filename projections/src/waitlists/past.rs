//! A list as of an earlier time, from the log.

use infra::{Backend, Failure};
use schema::{Actor, Problem, StreamId, Time, WaitlistId, access, table::WaitlistRow};

use super::Waitlists;
use crate::projection::fold;

/// The row of a list as of `at`: 2 read units, and 1 for each halving of the list's stream.
///
/// # Errors
/// 404 if the list did not exist then or the caller may not see it. The log cannot be read.
pub(super) async fn found(
    backend: &Backend,
    caller: Actor,
    id: WaitlistId,
    at: Time,
) -> Result<WaitlistRow, Failure> {
    let stream = StreamId::from(id);
    // Each event holds the whole list, so the commits in between are not needed.
    let commits = backend.log.first_and_last_until(stream, at).await?;
    let row = fold::<Waitlists>(None, &commits)
        .map_err(|cause| Failure::broken(format!("fold {stream} as of {at}"), cause))?
        .ok_or_else(Problem::not_found)?;
    access::may(caller, stream, row.tenant)?;
    Ok(row)
}
