//! What the code promises about its own shape, read from its files. Comments and unit tests are left out.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// A main is wiring; what is longer needs tests, and so does not belong there.
const MAIN_LINES_MAX: usize = 15;

/// What asks the machine for the time or for randomness.
const CLOCKS: [&str; 7] = ["Utc::now", "Local::now", "SystemTime", "Instant", "now_v7", "new_v4", "Clock"];

#[test]
fn the_schema_performs_no_io_knows_no_aws_and_asks_no_clock() {
    let files = under("schema/src");
    assert!(files.len() > 10, "{files:?}");
    for file in files {
        lacks(&file, &["async", "await", "infra::", "aws", "tokio", "std::fs", "std::env", "std::net"]);
        lacks(&file, &CLOCKS);
    }
}

#[test]
fn deciding_is_pure() {
    let files: Vec<PathBuf> = under("commands/src")
        .into_iter()
        .filter(|file| ends_in(file, &["decide.rs", "place.rs", "deliver.rs"]))
        .collect();
    assert!(files.len() >= 5, "{files:?}");
    for file in files {
        lacks(&file, &["async", "await", "infra::", "tokio", "tracing"]);
        lacks(&file, &CLOCKS);
    }
}

#[test]
fn projecting_is_pure() {
    let named = ["project.rs", "projection.rs"];
    let files: Vec<PathBuf> =
        under("projections/src").into_iter().filter(|file| ends_in(file, &named)).collect();
    assert!(files.len() >= 2, "{files:?}");
    for file in files {
        lacks(&file, &["async", "await", "tokio", "tracing", "Backend", "Vault"]);
        lacks(&file, &CLOCKS);
        if ends_in(&file, &["project.rs"]) {
            lacks(&file, &["infra::"]);
        }
    }
}

#[test]
fn reacting_is_pure() {
    let files: Vec<PathBuf> =
        under("reactors/src").into_iter().filter(|file| ends_in(file, &["react.rs"])).collect();
    assert!(!files.is_empty());
    for file in files {
        lacks(&file, &["async", "await", "infra::", "tokio", "tracing"]);
        lacks(&file, &CLOCKS);
    }
}

#[test]
fn wording_is_pure() {
    let files = under("reactors/src/wording");
    assert!(files.len() >= 3, "{files:?}");
    for file in files {
        lacks(&file, &["async", "await", "infra::", "tokio", "tracing"]);
        lacks(&file, &CLOCKS);
    }
}

#[test]
fn the_local_backend_decides_projects_and_reacts_only_by_the_lambdas_handlers() {
    for file in under("infra/local/src") {
        lacks(&file, &["decide(", "project(", "react(", "feed::apply", "transact("]);
    }
}

#[test]
fn only_what_runs_against_aws_names_its_sdks() {
    let naming: Vec<&str> =
        PACKAGES.into_iter().filter(|package| manifest(package).contains("aws-sdk-")).collect();
    assert_eq!(naming, ["infra", "infra/local", "tests"]);
    for package in ["schema", "commands", "projections", "reactors"] {
        for file in under(&format!("{package}/src")) {
            lacks(&file, &["aws_sdk_", "aws_config", "aws_smithy"]);
        }
    }
}

#[test]
fn writing_and_reading_meet_only_in_the_log() {
    for (package, strangers) in [
        ("projections", ["commands", "reactors"].as_slice()),
        ("commands", &["projections", "reactors"]),
        ("reactors", &["projections"]),
        ("infra", &["commands", "projections", "reactors"]),
        ("schema", &["infra", "commands", "projections", "reactors"]),
    ] {
        let manifest = manifest(package);
        for stranger in strangers {
            let named = manifest.lines().any(|line| {
                line.starts_with(&format!("{stranger}.")) || line.starts_with(&format!("{stranger} "))
            });
            assert!(!named, "{package}/Cargo.toml names {stranger}");
        }
    }
}

#[test]
fn every_main_is_wiring() {
    let mains: Vec<PathBuf> = PACKAGES
        .into_iter()
        .flat_map(|package| under(&format!("{package}/src")))
        .filter(|file| {
            file.parent().is_some_and(|folder| folder.ends_with("bin")) || ends_in(file, &["main.rs"])
        })
        .collect();
    assert!(mains.len() >= 5, "{mains:?}");
    for main in mains {
        let body: Vec<String> =
            code(&main).into_iter().skip_while(|line| !line.contains("fn main")).collect();
        assert!(!body.is_empty(), "{} has no main", main.display());
        assert!(body.len() < MAIN_LINES_MAX, "{}: {} lines from main on", main.display(), body.len());
    }
}

/// `.ci/run` runs the larger test binaries whole once, and then again, at full size, only the modules named there.
#[test]
fn every_test_whose_size_the_environment_sets_runs_at_full_size() {
    let script = fs::read_to_string(root().join(".ci/run")).unwrap();
    let filter = script.lines().find_map(|line| line.strip_prefix("sized_filter=(")).unwrap();
    let named: Vec<&str> = filter.trim_end_matches(')').split(' ').collect();
    for binary in ["journeys", "contract"] {
        for file in under(&format!("tests/tests/{binary}")) {
            let text = fs::read_to_string(&file).unwrap();
            let is_sized =
                ["PROPTEST_CASES", "cases(CASES", "proptest!", "is_full()", "WAITLIST_FULL", "of_a_night()"]
                    .into_iter()
                    .any(|sign| text.contains(sign));
            let module = file.file_stem().unwrap().to_string_lossy();
            if is_sized && text.contains("test]") {
                assert!(
                    named.contains(&module.as_ref()),
                    "{binary}::{module} is missing in sized_filter of .ci/run"
                );
            }
        }
    }
}

/// All members of the workspace.
const PACKAGES: [&str; 7] =
    ["schema", "infra", "infra/local", "commands", "projections", "reactors", "tests"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn manifest(package: &str) -> String {
    fs::read_to_string(root().join(package).join("Cargo.toml")).unwrap()
}

/// Every Rust file under a folder, but for those of unit tests.
fn under(folder: &str) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                files.push(path);
            }
        }
    }
    let of_unit_tests = |path: &PathBuf| {
        let inside = path.strip_prefix(root().join(folder)).unwrap();
        inside.iter().any(|part| part == "tests" || part == "tests.rs")
    };
    files.retain(|path| !of_unit_tests(path));
    files
}

fn ends_in(file: &Path, names: &[&str]) -> bool {
    names.iter().any(|name| file.ends_with(name))
}

/// The lines of a file that are code: without comments, and up to its unit tests.
fn code(file: &Path) -> Vec<String> {
    let text = fs::read_to_string(file).unwrap();
    let shipped = text.split("#[cfg(test)]\nmod ").next().unwrap_or_default();
    shipped.lines().filter(|line| !line.trim_start().starts_with("//")).map(str::to_owned).collect()
}

fn lacks(file: &Path, words: &[&str]) {
    for line in code(file) {
        for word in words {
            assert!(!line.contains(word), "{} has `{word}`: {line}", file.display());
        }
    }
}
