//! Exports of the history of an account.

mod access;
mod broken_off;
mod command;
mod damage;
mod generated;
mod joined;
mod values;

use std::{
    io::Write as _,
    process::{Command, Stdio},
};

use serde_json::{Value, json};
use waitlist_tests::stage::{Answer, Owner, Stage};

use self::joined::{exported, joined};
use super::{page, world};
use crate::bad_input::assert_is_problem;

const EXPORT: &str = "/v1/audit/export";

/// The events of a file.
fn events(format: &str, file: &str) -> Vec<Value> {
    match format {
        "csv" => rows(&[file]),
        _ => lines(file),
    }
}

fn lines(file: &str) -> Vec<Value> {
    assert!(file.is_empty() || file.ends_with('\n'), "{file}");
    file.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The rows of CSV files, read by Python's module `csv`.
fn rows(files: &[&str]) -> Vec<Value> {
    let script = include_str!("export/read.py");
    let mut python = Command::new("python3")
        .args(["-c", script])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    python.stdin.take().unwrap().write_all(json!(files).to_string().as_bytes()).unwrap();
    let read = python.wait_with_output().unwrap();
    assert!(read.status.success(), "{files:?}");
    serde_json::from_slice(&read.stdout).unwrap()
}

/// The path of the next part; `None` after the last.
fn next(part: &Answer) -> Option<String> {
    let link = Some(part.header("link")).filter(|link| !link.is_empty())?;
    let path = link.strip_prefix('<').and_then(|rest| rest.strip_suffix(">; rel=\"next\""));
    Some(path.unwrap_or_else(|| panic!("{link}")).to_owned())
}

#[tokio::test]
async fn an_export_is_a_file_to_save_with_the_events_in_the_order_of_time() {
    let stage = Stage::new().await;
    let owner = stage.registered().await;
    let list = owner.list("Main room").await;
    owner.join(&list, "Ana").await;
    stage.backend.clock.advance_millis(30 * 24 * 60 * 60 * 1_000); // it is December
    owner.join(&list, "Ben").await;
    stage.backend.clock.advance_millis(11_000);
    let shown = page(&owner, "order=asc&limit=200").await["items"].clone();

    for (query, format, media_type) in [
        ("", "ndjson", "application/x-ndjson"),
        ("?format=ndjson", "ndjson", "application/x-ndjson"),
        ("?format=csv", "csv", "text/csv; charset=utf-8; header=present"),
    ] {
        let part = owner.get(&format!("{EXPORT}{query}")).await;
        assert_eq!((part.status, part.header("content-type")), (200, media_type));
        assert_eq!(part.header("x-content-type-options"), "nosniff");
        let file = part.body.as_str().unwrap();
        assert_eq!(Value::from(events(format, file)), shown, "{format}");
        assert_eq!(next(&part), None);
        let named = "attachment; filename=\"history-20261121T025900.000Z-20261221T030003.000Z.";
        assert_eq!(part.header("content-disposition"), format!("{named}{format}\""));

        let etag = part.header("etag").to_owned();
        let same = owner.send("GET", &format!("{EXPORT}{query}"), None, &[("If-None-Match", &etag)]).await;
        assert_eq!((same.status, &same.body), (304, &Value::Null));
    }

    let november = joined(&owner, "csv", "from=2026-11-01T00:00:00Z&to=2026-12-01T00:00:00Z").await;
    let december = joined(&owner, "csv", "from=2026-12-01T00:00:00Z").await;
    assert_eq!(Value::from([november, december].concat()), shown);
    assert_eq!(joined(&owner, "csv", "from=2027-01-01T00:00:00Z").await, Vec::<Value>::new());
}

/// Each part ends at its bound, and the parts together are the history up to the time of the first part.
#[tokio::test]
async fn a_part_holds_a_thousand_commits_at_most_and_leads_to_the_next() {
    const COMMITS: usize = 2_345;
    let stage = Stage::new().await;
    let mut world = world::World::begin(&stage).await;
    for _ in 1..COMMITS {
        let write =
            world::Write { wait_ms: 1, stream: 3, events: 1, choice: 0, actor: 0, request: 0, lag_ms: 0 };
        world.write(write).await;
    }
    let owner = stage.owner_with(world.owner, None);
    world.pass(11_000).await;
    for format in ["ndjson", "csv"] {
        let (parts, last) = exported(&owner, &format!("format={format}")).await;
        let counts: Vec<usize> = parts.iter().map(|file| events(format, file).len()).collect();
        // The two exports are recorded, after the time up to which the first is complete.
        assert_eq!(counts, [1_000, 1_000, 345]);
        assert!(!last.header("content-disposition").is_empty());
    }
}

#[tokio::test]
async fn a_wrong_parameter_is_refused_by_name_and_nothing_is_recorded() {
    let stage = Stage::new().await;
    let owner = stage.registered().await;
    let of_history = data_encoding::BASE64URL_NOPAD.encode(b"h1");
    for (query, name) in [
        ("format=", "format"),
        ("format=xlsx", "format"),
        ("format=CSV", "format"),
        ("format=csv&format=csv", "format"),
        ("from=yesterday", "from"),
        ("to=2026-13-01T00:00:00Z", "to"),
        ("from=2026-11-20T19:42:00Z&to=2026-11-20T19:42:00Z", "to"),
        ("cursor=garbage", "cursor"),
        (&format!("cursor={of_history}"), "cursor"),
        ("limit=5", "limit"),
        ("action=waitee.*", "action"),
        ("order=asc", "order"),
    ] {
        let refused = owner.get(&format!("{EXPORT}?{query}")).await;
        assert_is_problem(&refused, 400, "invalid-parameter", query);
        assert_eq!(refused.body["errors"][0]["parameter"], name, "{query}: {refused:?}");
    }
    assert_eq!(stage.commits(schema::reading::stream_of(owner.id)).await, []);
}

/// The owner of a registered account, whose history is complete.
async fn settled<'s>(stage: &'s Stage) -> Owner<'s> {
    let owner = stage.registered().await;
    stage.backend.clock.advance_millis(11_000);
    owner
}
