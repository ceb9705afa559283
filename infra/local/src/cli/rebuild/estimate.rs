//! Estimates a rebuild.

use std::time::Duration;

use infra::Backend;
use projections::rebuild::{Sampling, quote};
use schema::{
    body::projection::{Quote, RebuildWish},
    projection::Name,
};

use super::super::{Failed, print};

pub(super) async fn run(backend: &Backend, name: Name, wish: &RebuildWish, json: bool) -> Result<(), Failed> {
    let estimate = quote(backend, name, wish, Sampling::USUAL).await?;
    Ok(print(json, &lines(name, &estimate), &serde_json::to_value(estimate)?)?)
}

fn lines(name: Name, estimate: &Quote) -> String {
    let Quote { commits, bytes, read_units, write_units, dollars, priced_on, seconds, sample_read_units } =
        estimate;
    let megabytes = *bytes as f64 / 1e6;
    let time = humantime::format_duration(Duration::from_secs(*seconds));
    format!(
        "a rebuild of {} reads {commits} commits ({megabytes:.1} MB)\n\
         about {read_units} read units and {write_units} write units: {dollars:.4} USD at the on-demand prices of \
         {priced_on} in us-east-1\n\
         about {time} in a deployment\n\
         the sample for this estimate used {sample_read_units} read units",
        name.as_str()
    )
}
