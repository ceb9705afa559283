//! Stored names and shapes are promises: every type and version ever stored is read for ever, from a file that no test
//! writes. To add a type or version, add its file; to change a file is to break the promise.

use std::{collections::BTreeSet, fs, path::PathBuf};

use schema::{Commit, DomainEvent, StreamId, commit::Tail, mail, session, user, waitee, waitlist};
use serde::Deserialize;
use serde_json::Value;
use uuid::Uuid;
use waitlist_tests::past::{author, fresh_stream, next, visit};

/// An event as it stands in the text of a commit.
#[derive(Deserialize)]
struct Golden {
    #[serde(rename = "type")]
    kind: String,
    v: u32,
}

#[test]
fn every_stored_type_and_version_is_read_and_written_as_it_ever_was() {
    let mut read = BTreeSet::new();
    read.extend(of::<user::Event>());
    read.extend(of::<mail::Event>());
    read.extend(of::<session::Event>());
    read.extend(of::<waitee::Event>());
    read.extend(of::<waitlist::Event>());
    let all: BTreeSet<String> = files().into_iter().map(|(name, _)| name).collect();
    assert_eq!(all, read, "a file that is of no type");
}

/// Reads the files of one category, and gives their names.
fn of<E: DomainEvent>() -> Vec<String> {
    let files: Vec<(String, String)> = files()
        .into_iter()
        .filter(|(name, _)| name.starts_with(&format!("{}.", E::CATEGORY.as_str())))
        .collect();
    for (kind, current) in E::TYPES {
        for v in 1..=*current {
            let wanted = format!("{kind}.v{v}.");
            assert!(
                files.iter().any(|(name, _)| name.starts_with(&wanted)),
                "golden/{wanted}json is missing: what {kind} v{v} stores"
            );
        }
    }
    for (name, text) in &files {
        let golden: Golden = serde_json::from_str(text).unwrap();
        assert!(
            name.starts_with(&format!("{}.v{}.", golden.kind, golden.v)),
            "{name} holds {} v{}",
            golden.kind,
            golden.v
        );
        let event = decoded::<E>(text).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(event.type_name(), golden.kind, "{name}");
        // What an older version is brought up to is written as the newer one.
        if E::TYPES.contains(&(event.type_name(), golden.v)) {
            let stored: Value = serde_json::from_str(text).unwrap();
            let again = next(fresh_stream(), &Tail::EMPTY, &author(), &[event]);
            assert_eq!(
                serde_json::from_str::<Value>(&again.events).unwrap(),
                Value::from(vec![stored]),
                "{name}"
            );
        }
    }
    files.into_iter().map(|(name, _)| name).collect()
}

fn decoded<E: DomainEvent>(text: &str) -> Result<E, schema::commit::Unreadable> {
    let stream = StreamId { category: E::CATEGORY, id: Uuid::nil() };
    let commit = Commit { events: format!("[{text}]"), ..visit(stream, 1).remove(0) };
    Ok(commit.facts::<E>()?.remove(0).event)
}

fn files() -> Vec<(String, String)> {
    let directory = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/contract/golden");
    let entries = fs::read_dir(directory).unwrap().map(Result::unwrap);
    entries
        .map(|entry| (entry.file_name().into_string().unwrap(), fs::read_to_string(entry.path()).unwrap()))
        .collect()
}
