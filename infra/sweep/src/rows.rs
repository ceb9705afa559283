//! A page of the rows: those without a stream are found.

use infra::{
    Backend, Failure,
    rows::{PAGE_ROWS_MAX, id_of, seq_of},
};
use schema::{StreamId, projection::Name};
use uuid::Uuid;

use crate::{
    commits::{tell, without_table},
    part::{Page, Part},
    report::{Ahead, Report},
};

/// Reads a page of the rows of a generation, and the first commit of each one's stream.
pub(crate) async fn page(
    backend: &Backend,
    projection: Name,
    generation: u64,
    after: Option<Uuid>,
) -> Result<Page, Failure> {
    let rows = backend.rows.generation(projection, generation);
    let page = match rows.segment_page((0, 1), after, PAGE_ROWS_MAX).await {
        Err(gone) if gone.is_missing_table() => {
            let found = without_table(backend, projection, generation, gone).await?;
            return Ok(Page { found, rest: None });
        }
        page => page?,
    };
    let stream = |id| StreamId { category: projection.category(), id };
    let rows: Vec<(StreamId, u64)> =
        page.rows.iter().filter_map(|row| Some((stream(id_of(row)?), seq_of(row)))).collect();
    // After the rows: a row is written after the first commit of its stream.
    let begun = backend.log.commits_at(rows.iter().map(|(stream, _)| (*stream, 1))).await?;
    let mut found = Report { read_units: page.read_units + rows.len() as f64, ..Report::default() };
    for (stream, shows) in rows {
        // If later commits are left, the stream is damaged, which `verify` reports.
        if begun.contains_key(&(stream, 1)) || backend.log.raw_latest(stream).await?.is_some() {
            continue;
        }
        let row = Ahead { projection, generation, stream, shows, last: 0 };
        tell(&row);
        found.find(row);
    }
    let rest = page.next.map(|id| Part::Rows { projection, generation, after: Some(id) });
    Ok(Page { found, rest })
}
