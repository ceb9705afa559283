//! The table of costs in the documentation, held equal to the units that tests measure.

use std::{env, fs, path::PathBuf};

use crate::{meter::Used, stage::Stage};

/// Set to any value, it makes tests write what they measure into the table.
const UPDATE: &str = "UPDATE_COSTS";

/// Asserts that `infra/docs/costs.md` has this operation's row with exactly these units. Only the embedded engine counts
/// every unit as AWS documents it, so on other engines nothing is compared.
///
/// # Panics
/// The row is missing or differs; the message says how to write it anew.
pub fn documented(stage: &Stage, operation: &str, used: &Used) {
    if !stage.is_embedded() {
        return;
    }
    let row = format!("| {operation} | {} | {} |", units(&used.writes), units(&used.reads));
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../infra/docs/costs.md");
    // One lock for all test processes: each replaces one row of the file.
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
        "infra/docs/costs.md has {found:?}, measured was {row:?}; \
         after looking at the difference, run {UPDATE}=1 cargo test --test contract units"
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
