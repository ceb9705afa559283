//! Repairs the rows of one stream in place: folds the stream from the log, and writes the result over its row in every
//! generation with a role.

use infra::{
    Backend, Failure,
    rows::{Patience, Target, numbers},
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
/// The log holds an event that this code cannot read, or a table does not answer.
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
        let commits = backend.log.load(stream).await?;
        let new = fold::<P>(None, &commits).map_err(|cause| Failure::broken(doing(), cause))?;
        let Some(new) = new else { return Ok(None) };
        match old.as_ref().and_then(numbers) {
            Some((_, version)) if version > P::VERSION => return Ok(Some(Repair::RowIsNewer(version))),
            Some((seq, _)) if seq > new.seq() => return Ok(Some(Repair::RowIsAhead(seq))),
            Some(_) | None => {}
        }
        let is_written = match &old {
            Some(old) => backend.rows.put_over(target, &new, old).await?,
            None => backend.rows.put(target, &new, None).await?,
        };
        if is_written {
            return Ok(Some(Repair::Written));
        }
    }
    Err(Failure::Conflict)
}
