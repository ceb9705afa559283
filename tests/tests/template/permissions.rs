//! The table of permissions in the documentation, held equal to the template.

use std::{env, fs};

use waitlist_tests::template::{infra, resources};

use super::roles::{Statement, statements};

/// Set to any value, it makes the test write the table.
const UPDATE: &str = "UPDATE_PERMISSIONS";

const HEADING: &str = "| function | events | else |\n|---|---|---|\n";

#[test]
fn the_documentation_lists_what_each_function_may_do() {
    let functions = resources("AWS::Serverless::Function");
    let table: String = functions.iter().map(|function| row(function.id)).collect();
    let file = infra("docs/operations.md");
    let document = fs::read_to_string(&file).unwrap();
    let (before, rest) = document.split_once(HEADING).expect("operations.md has a table of permissions");
    let (documented, after) = rest.split_once("\n\n").unwrap();
    if documented == table.trim_end() {
        return;
    }
    assert!(
        env::var_os(UPDATE).is_some(),
        "operations.md has\n{documented}\nbut the template allows\n{table}\
         after looking at the difference, run {UPDATE}=1 cargo test --test template permissions"
    );
    fs::write(file, format!("{before}{HEADING}{}\n\n{after}", table.trim_end())).unwrap();
}

fn row(function: &str) -> String {
    let (events, others): (Vec<Statement>, Vec<Statement>) =
        statements(function).into_iter().partition(|statement| statement.resources == ["${Events.Arn}"]);
    let events: Vec<String> = events.iter().map(calls).collect();
    let others: Vec<String> = others
        .iter()
        .map(|statement| {
            let not = if statement.allows { "" } else { "never " };
            let mut on: Vec<&str> = statement.resources.iter().map(|resource| name(resource)).collect();
            on.dedup();
            format!("{}: {not}{}", on.join(", "), calls(statement))
        })
        .collect();
    let or_dash = |text: String| if text.is_empty() { "-".to_owned() } else { text };
    format!(
        "| {} | {} | {} |\n",
        function.to_lowercase(),
        or_dash(events.join("; ")),
        or_dash(others.join("; "))
    )
}

fn calls(statement: &Statement) -> String {
    let calls: Vec<&str> = statement.actions.iter().map(|action| action.split_once(':').unwrap().1).collect();
    let keys =
        if statement.keys.is_empty() { String::new() } else { format!(" ({})", statement.keys.join(", ")) };
    format!("{}{keys}", calls.join(", "))
}

/// The short name of a resource.
fn name(resource: &str) -> &str {
    match resource {
        "${Vault.Arn}" => "vault",
        "${Limits.Arn}" => "limits",
        "${Events.StreamArn}" | "${Events.Arn}/stream/*" => "stream",
        "${Events.Arn}/index/audit" => "index `audit`",
        "${Events.Arn}-*-g*" => "rows",
        "${Events.Arn}-*-g*/index/*" => "indexes of rows",
        "${Events.Arn}-*-g*/index/due" => "indexes `due`",
        "${Events.Arn}-waitees-g*/index/active" => "index `active` of visits",
        "${DataKey.Arn}" => "data key",
        "${TokenKey.Arn}" | "${PreviousSigningKey}" => "signing keys",
        "${LinksSecret.Id}" => "secret `links`",
        "${ClaimsSecret.Id}" => "secret `claims`",
        "${Retries.Arn}" => "retries",
        "${Deliveries.Arn}" => "deliveries",
        "${Erasures.Arn}" => "erasures",
        "${RetriesDead.Arn}" => "dead letters of retries",
        "${DeliveriesDead.Arn}" => "of deliveries",
        "${ErasuresDead.Arn}" => "of erasures",
        "${RebuildsDead.Arn}" => "of rebuilds",
        "${SweepsDead.Arn}" => "of sweeps",
        "${Sweeps.Arn}" => "sweeps",
        "${Rebuilds.Arn}" => "rebuilds",
        "${StreamFailures.Arn}" => "stream failures",
        "*" => "texts",
        "arn:${AWS::Partition}:sns:*:*:*" => "topics",
        other if other.contains(":identity/") => "identity of the sender",
        other if other.contains(":configuration-set/") => "configuration set",
        other => panic!("name {other}"),
    }
}
