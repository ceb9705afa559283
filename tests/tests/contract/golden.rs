//! Every stored event type and version stays readable. Each has a golden file, which no test overwrites. A
//! new type or version gets a new file; an existing file must not be changed.

use std::{collections::BTreeSet, fs, path::PathBuf};

use schema::{
    Commit, DomainEvent, StreamId, commit::Tail, mail, projection, reading, session, user, waitee, waitlist,
};
use serde::Deserialize;
use serde_json::Value;
use uuid::Uuid;
use waitlist_tests::past::{author, fresh_stream, next, visit};

/// The head of an event in a commit's `events`.
#[derive(Deserialize)]
struct Golden {
    #[serde(rename = "type")]
    kind: String,
    v: u32,
}

#[test]
fn every_stored_type_and_version_is_read_and_written_unchanged() {
    let mut read = BTreeSet::new();
    read.extend(of::<user::Event>());
    read.extend(of::<mail::Event>());
    read.extend(of::<session::Event>());
    read.extend(of::<waitee::Event>());
    read.extend(of::<waitlist::Event>());
    read.extend(of::<reading::Event>());
    read.extend(of::<projection::Event>());
    let all: BTreeSet<String> = files().into_iter().map(|(name, _)| name).collect();
    assert_eq!(all, read, "each file is of a known type");
}

/// Checks the files of one category. Returns their names.
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
                "golden/{wanted}json is missing: the stored form of {kind} v{v}"
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
        // Events of an older version are upcast, so only the current version is written as it was read.
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
