//! Repairs the row of one stream.

use infra::Backend;
use projections::rebuild::repair::{Repair, Repaired, repair};
use schema::{StreamId, projection::Name};
use serde_json::{Value, json};

use super::super::{Failed, Misuse, print};

/// Prints a line for each generation, and fails if a row was left as it is.
pub(super) async fn run(backend: &Backend, name: Name, stream: StreamId, json: bool) -> Result<(), Failed> {
    if Name::folding(stream.category) != Some(name) {
        return Err(Misuse(format!("--stream: {stream} has no row in {}", name.as_str())).into());
    }
    let repaired = repair(backend, stream).await?;
    if repaired.is_empty() {
        return Err(format!("there is no stream {stream}").into());
    }
    let items: Vec<Value> = repaired.iter().map(shown).collect();
    let lines: Vec<String> = repaired.iter().map(line).collect();
    print(json, &lines.join("\n"), &json!({ "items": items }))?;
    if repaired.iter().all(|of| of.repair == Repair::Written) {
        return Ok(());
    }
    Err("a row was left as it is".into())
}

fn shown(Repaired { generation, repair }: &Repaired) -> Value {
    let (repair, number) = match repair {
        Repair::Written => ("written", None),
        Repair::RowIsNewer(version) => ("row-is-newer", Some(u64::from(*version))),
        Repair::RowIsAhead(seq) => ("row-is-ahead", Some(*seq)),
    };
    json!({ "generation": generation, "repair": repair, "row": number })
}

fn line(Repaired { generation, repair }: &Repaired) -> String {
    match repair {
        Repair::Written => format!("g{generation}: written"),
        Repair::RowIsNewer(version) => {
            format!("g{generation}: left, because newer code wrote it (version {version})")
        }
        Repair::RowIsAhead(seq) => {
            format!("g{generation}: left, because it shows event {seq}, which the log does not have")
        }
    }
}
