//! `waitlist projections`: the generations of every projection.

use projections::rebuild::operate;
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
    let items = operate::shown(&deployment.backend, Name::ALL).await?;
    let rows: Vec<[String; 6]> =
        std::iter::once(HEADINGS.map(str::to_owned)).chain(items.iter().map(row)).collect();
    Ok(print(json, &table(&rows), &json!({ "items": items }))?)
}

/// The generations of a projection: live, building, previous.
pub(super) fn generations(of: &Projection) -> [String; 3] {
    [Some(of.live), of.building, of.previous]
        .map(|generation| generation.map_or("-".to_owned(), |number| format!("g{number}")))
}

fn row(of: &Projection) -> [String; 6] {
    let [live, building, previous] = generations(of);
    [
        of.name.as_str().to_owned(),
        live,
        building,
        previous,
        of.row_version.to_string(),
        of.rebuild.as_ref().map_or("-".to_owned(), |rebuild| rebuild.state.as_str().to_owned()),
    ]
}
