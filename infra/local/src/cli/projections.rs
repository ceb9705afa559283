//! `waitlist projections`: the generations of every projection.

use projections::rebuild::{operate, show};
use schema::{body::projection::Projection, projection::Name};
use serde_json::json;

use super::{
    Failed,
    deployment::Deployment,
    print::{print, table},
};

const HEADINGS: [&str; 6] = ["projection", "live", "building", "previous", "row version", "last rebuild"];

/// Prints a line for each projection. The log is read, so nothing lags.
pub(super) async fn run(deployment: &Deployment, json: bool) -> Result<(), Failed> {
    let backend = &deployment.backend;
    let mut items = Vec::new();
    for name in Name::ALL {
        items.push(show::projection(name, &operate::read(backend, name).await?, backend.clock.now()));
    }
    let rows: Vec<[String; 6]> =
        std::iter::once(HEADINGS.map(str::to_owned)).chain(items.iter().map(row)).collect();
    Ok(print(json, &table(&rows), &json!({ "items": items }))?)
}

fn row(of: &Projection) -> [String; 6] {
    let generation =
        |generation: Option<u64>| generation.map_or("-".to_owned(), |number| format!("g{number}"));
    [
        of.name.as_str().to_owned(),
        generation(Some(of.live)),
        generation(of.building),
        generation(of.previous),
        of.row_version.to_string(),
        of.rebuild.as_ref().map_or("-".to_owned(), |rebuild| rebuild.state.as_str().to_owned()),
    ]
}
