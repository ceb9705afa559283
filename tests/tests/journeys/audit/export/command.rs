//! The command `audit export`, and `audit --csv`.

use std::{collections::BTreeSet, fs, os::unix::fs::PermissionsExt as _, time::Duration};

use schema::table::USERS;
use serde_json::{Value, json};
use waitlist_tests::{account::PASSWORD, process::Server};

use super::{events, lines, rows};
use crate::{
    place::{Place, is_external},
    raw,
};

const POLL: Duration = Duration::from_millis(20);
const CATCH_UP_MAX: Duration = Duration::from_secs(30);

async fn register(server: &Server, email: &str) -> String {
    let person = json!({ "email": email, "password": PASSWORD, "name": "Ana" });
    server.send(None, "POST", "/v1/users", Some(&person), &[]).await.unwrap().id()
}

/// Waits until so many accounts have rows.
async fn accounts(place: &Place, number: usize) {
    let dynamodb = place.dynamodb().await;
    let projected = async {
        while raw::rows(&dynamodb, USERS, &place.prefix).await.len() < number {
            tokio::time::sleep(POLL).await;
        }
    };
    tokio::time::timeout(CATCH_UP_MAX, projected).await.unwrap();
}

#[tokio::test]
async fn an_operator_exports_what_the_owner_reads_and_the_owner_sees_it_once() {
    let place = Place::new();
    let server = place.serve_with(&["--manual-clock"], &[]).await;
    let account = register(&server, "ana@example.com").await;
    let token = server.token(account.parse().unwrap());
    let list = json!({ "name": "=SUM(A1;A2)", "time_zone": "America/Los_Angeles", "region": "US" });
    assert_eq!(
        server.send(Some(&token), "POST", "/v1/waitlists", Some(&list), &[]).await.unwrap().status,
        201
    );
    accounts(&place, 1).await;
    assert_eq!(place.run(&["clock", "advance", "1m"]).await.code, Some(0));
    let path = "/v1/audit?order=asc&limit=200";
    let shown = server.send(Some(&token), "GET", path, None, &[]).await.unwrap().body["items"].clone();

    let files = tempfile::tempdir().unwrap();
    let file = files.path().join("history.csv").display().to_string();
    let export = ["audit", "export", "--by", "cleo", "--format", "csv", "--out", &file, "--json"];
    let ran = place.run(&export).await;
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let told: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(
        (&told["events"], &told["file"]),
        (&json!(shown.as_array().unwrap().len()), &json!(file)),
        "{told}"
    );
    assert_eq!(Value::from(rows(&[&fs::read_to_string(&file).unwrap()])), shown);
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let again = place.run(&export).await;
    assert!(
        again.code == Some(1) && again.err.contains("history.csv exists; choose another file"),
        "{again:?}"
    );

    let to = told["to"].as_str().unwrap();
    let ran = place.run(&["audit", "export", "--email", "ANA@example.com", "--to", to]).await;
    assert_eq!((ran.code, Value::from(lines(&ran.out))), (Some(0), shown.clone()), "{ran:?}");
    let ran = place.run(&["audit", "--csv", "--order", "asc", "--to", to, "--limit", "2"]).await;
    assert_eq!(Value::from(rows(&[&ran.out])), json!(shown.as_array().unwrap()[..2]));
    let path = "/v1/audit?action=access.*";
    let seen = server.send(Some(&token), "GET", path, None, &[]).await.unwrap().body["items"].clone();
    let commands: Vec<&Value> =
        seen.as_array().unwrap().iter().map(|event| &event["data"]["command"]).collect();
    assert_eq!(commands, ["audit", "audit export", "audit export"]);
    let first = &seen[2]["data"];
    assert_eq!(first, &json!({ "by": "cleo", "command": "audit export", "arguments": { "format": "csv" } }));

    for (wrong, named) in [
        (["--format", "xlsx"], "--format"),
        (["--from", "yesterday"], "--from"),
        (["--cursor", "garbage"], "--cursor must be the cursor in the Link of an earlier part"),
    ] {
        let ran = place.run(&[&["audit", "export"], &wrong[..]].concat()).await;
        assert!(ran.code == Some(2) && ran.err.contains(named), "{ran:?}");
        assert!(ran.err.contains("Usage: waitlist audit export"), "{ran:?}");
    }
    let ran = place.run(&["audit", "--account", &account, "export"]).await;
    assert!(
        ran.code == Some(2) && ran.err.contains("give the options of `export` after its name"),
        "{ran:?}"
    );
    let unknown = files.path().join("unknown").display().to_string();
    let ran = place.run(&["audit", "export", "--email", "nobody@example.com", "--out", &unknown]).await;
    assert_eq!((ran.code, ran.err.as_str()), (Some(1), "error: no account has this e-mail address\n"));
    let nowhere = files.path().join("nowhere/history").display().to_string();
    let ran = place.run(&["audit", "export", "--out", &nowhere]).await;
    assert!(ran.code == Some(1) && ran.err.starts_with(&format!("error: cannot write {nowhere}")), "{ran:?}");
    assert_eq!(fs::read_dir(files.path()).unwrap().count(), 1, "no other file is left");
    register(&server, "ben@example.com").await;
    accounts(&place, 2).await;
    for command in [&["audit"][..], &["audit", "export"]] {
        let ran = place.run(command).await;
        assert!(ran.code == Some(2) && ran.err.contains("several accounts"), "{ran:?}");
    }
    assert_eq!(place.run(&["audit", "--aws"]).await.code, Some(2), "an account must be named");
    assert_eq!(server.interrupt().await, Some(0));
}

/// The parts of a long history have one header together.
#[tokio::test]
async fn a_long_history_is_one_file_of_many_parts() {
    const COMMITS: usize = 2_500;
    if is_external() {
        return; // a past is made up only in the embedded engine
    }
    let place = Place::new();
    let until = "2026-11-21T03:00:00Z";
    let seeded = place.run(&["seed", "--commits", &COMMITS.to_string(), "--until", until]).await;
    assert_eq!(seeded.code, Some(0), "{seeded:?}");
    let mut exports = Vec::new();
    for format in ["ndjson", "csv"] {
        let to = "2026-11-21T03:00:01Z";
        let ran = place.run(&["audit", "export", "--format", format, "--to", to]).await;
        assert_eq!(ran.code, Some(0), "{}", ran.err);
        let found = events(format, &ran.out);
        assert!(ran.err.contains(&format!("{} events before", found.len())), "{}", ran.err);
        exports.push(found);
    }
    assert_eq!(exports[0], exports[1]);
    let commits: BTreeSet<&str> = exports[0].iter().map(|event| event["commit"].as_str().unwrap()).collect();
    assert_eq!(commits.len(), COMMITS);
}
