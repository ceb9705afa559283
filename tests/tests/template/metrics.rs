//! The table of metrics in the documentation, held equal to their declaration.

use std::{env, fs};

use infra::telemetry::metrics::{DECLARED, Declared};
use waitlist_tests::template::infra;

/// Set to any value, it makes the test write the table.
const UPDATE: &str = "UPDATE_METRICS";

const HEADING: &str = "| metric | unit | dimensions | description |\n|---|---|---|---|\n";

#[test]
fn the_documentation_lists_every_metric() {
    let table: String = DECLARED.iter().map(row).collect();
    let file = infra("docs/operations.md");
    let document = fs::read_to_string(&file).unwrap();
    let (before, rest) = document.split_once(HEADING).expect("operations.md has a table of metrics");
    let (documented, after) = rest.split_once("\n## ").unwrap();
    if documented.trim_end() == table.trim_end() {
        return;
    }
    assert!(
        env::var_os(UPDATE).is_some(),
        "operations.md has\n{documented}\nbut the code declares\n{table}\
         after looking at the difference, run {UPDATE}=1 cargo test --test template metrics"
    );
    fs::write(file, format!("{before}{HEADING}{table}\n## {after}")).unwrap();
}

fn row(Declared { name, unit, dimensions, description, .. }: &Declared) -> String {
    format!("| `{name}` | {} | {} | {} |\n", unit.as_str(), dimensions.join(", "), description.trim())
}
