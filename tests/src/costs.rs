//! Compares the table of costs in the documentation with the units that tests measure.

use std::{env, fs, path::PathBuf};

use crate::{meter::Used, stage::Stage};

/// If this variable is set, tests write the units that they measure into the table.
const UPDATE: &str = "UPDATE_COSTS";

/// Asserts that the row of this operation in `infra/docs/costs.md` has exactly these units. Compares only on
/// the embedded engine, because only that one counts every unit as AWS documents it.
///
/// # Panics
/// The row is missing or differs. The message says how to update it.
pub fn documented(stage: &Stage, operation: &str, used: &Used) {
    if !stage.is_embedded() {
        return;
    }
    let row = format!("| {operation} | {} | {} |", units(&used.writes), units(&used.reads));
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../infra/docs/costs.md");
    // All test processes share one lock, because each replaces one row of the file.
    let lock = fs::File::create(env::temp_dir().join("waitlist-costs.lock")).unwrap();
    lock.lock().unwrap();
    let text = fs::read_to_string(&file).unwrap();
    let begins = format!("| {operation} |");
    let found = text.lines().find(|line| line.starts_with(&begins));
    if found == Some(row.as_str()) {
        return;
    }
    assert!(
        env::var_os(UPDATE).is_some(),
        "infra/docs/costs.md has {found:?}, but {row:?} was measured; \
         if the change is intended, run {UPDATE}=1 cargo test --test contract units"
    );
    let changed = match found {
        Some(old) => text.replacen(old, &row, 1),
        None => format!("{}\n{row}\n", text.trim_end()),
    };
    fs::write(&file, changed).unwrap();
}

fn units(units: &crate::meter::Units) -> String {
    if units.is_empty() {
        return "0".into();
    }
    units.iter().map(|(table, amount)| format!("`{table}` {amount}")).collect::<Vec<_>>().join(", ")
}
