//! Repairs the rows of one stream in place: folds the stream from the log, and writes the result over its row in every
//! generation with a role.

use infra::{
    Backend, Failure,
    rows::{Found, Patience, RawRow, Target},
};
use schema::{StreamId, projection::Name, table::Row as _};

use crate::{
    dispatch::of_projection,
    projection::{Projection, fold},
};

/// Attempts to write a row that the feed writes at the same time.
const RACES_MAX: u32 = 10;

/// The repair of a stream's row in one generation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Repaired {
    pub generation: u64,
    pub repair: Repair,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repair {
    Written,
    /// Code of this newer version wrote the row, which is left as it is.
    RowIsNewer(u32),
    /// The row shows events up to this one, but the log has no such event. It is left as it is.
    RowIsAhead(u64),
}

/// Repairs the rows of a stream. Empty if no projection folds it, or the log has no such stream.
///
/// # Errors
/// The log holds an event that this code cannot read, a stored row has no number, or a table does not answer.
pub async fn repair(backend: &Backend, stream: StreamId) -> Result<Vec<Repaired>, Failure> {
    let Some(name) = Name::folding(stream.category) else { return Ok(Vec::new()) };
    of_projection!(name, P => in_all::<P>(backend, stream).await)
}

async fn in_all<P: Projection>(backend: &Backend, stream: StreamId) -> Result<Vec<Repaired>, Failure> {
    let mut repaired = Vec::new();
    for generation in backend.rows.generations().current().await?.roles(P::NAME).all() {
        if let Some(repair) = in_one::<P>(backend, stream, generation).await? {
            repaired.push(Repaired { generation, repair });
        }
    }
    Ok(repaired)
}

/// `None` if the log has no such stream.
async fn in_one<P: Projection>(
    backend: &Backend,
    stream: StreamId,
    generation: u64,
) -> Result<Option<Repair>, Failure> {
    let doing = || format!("repair row {} of {} in generation {generation}", stream.id, P::NAME.as_str());
    let target = Target { generation, patience: Patience::Usual };
    for _ in 0..RACES_MAX {
        // Raw, because the row may be damaged.
        let old = backend.rows.generation(P::NAME, generation).raw(&[stream.id]).await?.remove(&stream.id);
        let old = old.map(|row| found::<P>(&row)).transpose();
        let old = old.map_err(|cause| Failure::broken(doing(), cause))?;
        let commits = backend.log.load(stream).await?;
        let new = fold::<P>(None, &commits).map_err(|cause| Failure::broken(doing(), cause))?;
        let Some(new) = new else { return Ok(None) };
        match &old {
            Some(old) if old.version > P::VERSION => return Ok(Some(Repair::RowIsNewer(old.version))),
            Some(old) if old.seq > new.seq() => return Ok(Some(Repair::RowIsAhead(old.seq))),
            Some(_) | None => {}
        }
        if backend.rows.put(target, &new, old.as_ref()).await? {
            return Ok(Some(Repair::Written));
        }
    }
    Err(Failure::Conflict)
}

/// The number and the version of a stored row.
fn found<P: Projection>(row: &RawRow) -> Result<Found<P::Row>, &'static str> {
    let number = |name| row.get(name).and_then(|value| value.as_n().ok()?.parse::<u64>().ok());
    let read = || Some((number("seq")?, u32::try_from(number("v")?).ok()?));
    let (seq, version) = read().ok_or("the stored row has no seq or no version")?;
    Ok(Found { seq, version, row: None })
}
