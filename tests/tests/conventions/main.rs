//! Conventions of the code, checked in its files. Comments and unit tests are left out.

mod modules;
mod source;

use std::{fs, path::PathBuf};

use infra::telemetry::metrics::DECLARED;

use source::{PACKAGES, code, ends_in, files_under, is_in, lacks, manifest, root, under};

/// The bound on the lines of a `main` function. Longer code needs tests and belongs elsewhere.
const MAIN_LINES_MAX: usize = 15;

/// The names by which code gets the time or randomness from the machine.
const CLOCKS: [&str; 7] = ["Utc::now", "Local::now", "SystemTime", "Instant", "now_v7", "new_v4", "Clock"];

/// Modules that are pure, with everything beneath them, by package and name.
const PURE: [(&str, &[&str]); 4] = [
    ("schema/src", &["src"]),
    ("commands/src", &["decide", "deliver", "delivery", "place", "refusal"]),
    ("projections/src", &["decide", "project", "projection"]),
    ("reactors/src", &["react", "wording"]),
];

/// Files may have this many lines.
const LINES_MAX: usize = 300;

#[test]
fn pure_modules_perform_no_io_and_read_no_clock() {
    for (folder, names) in PURE {
        let files: Vec<PathBuf> =
            under(folder).into_iter().filter(|file| names.iter().any(|name| is_in(file, name))).collect();
        for name in names {
            assert!(files.iter().any(|file| is_in(file, name)), "{folder} has no module {name}");
        }
        for file in files {
            lacks(&file, &["async", "await", "infra::", "aws", "tokio", "tracing", "Backend", "Vault"]);
            lacks(&file, &["std::fs", "std::env", "std::net", "std::process"]);
            lacks(&file, &CLOCKS);
        }
    }
}

#[test]
fn aggregates_evolve_without_io_and_clock() {
    let is_aggregate = |file: &PathBuf| code(file).iter().any(|line| line.contains("impl Aggregate for"));
    let packages = ["commands/src", "projections/src"].into_iter();
    let files: Vec<PathBuf> = packages.flat_map(under).filter(is_aggregate).collect();
    assert_eq!(files.len(), 7, "{files:?}");
    for file in files {
        lacks(&file, &["async", "await", "tokio", "tracing", "Backend", "Vault"]);
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
fn only_packages_that_call_aws_name_its_sdks() {
    let naming: Vec<&str> =
        PACKAGES.into_iter().filter(|package| manifest(package).contains("aws-sdk-")).collect();
    assert_eq!(naming, ["infra", "infra/local", "tests"]);
    for package in ["schema", "commands", "projections", "reactors", "infra/sweep"] {
        for file in under(&format!("{package}/src")) {
            lacks(&file, &["aws_sdk_", "aws_config", "aws_smithy"]);
        }
    }
}

/// Alarms, dashboard and documentation take the names of metrics from their declaration.
#[test]
fn one_module_names_the_metrics() {
    let declaration = root().join("infra/src/telemetry/metrics.rs");
    let files = PACKAGES.into_iter().filter(|package| *package != "tests");
    for file in files.flat_map(|package| under(&format!("{package}/src"))) {
        if file != declaration {
            lacks(&file, &["counter!(", "gauge!(", "histogram!(", "metrics::Unit"]);
            for metric in DECLARED {
                lacks(&file, &[&format!("\"{}\"", metric.name)]);
            }
        }
    }
}

#[test]
fn commands_and_projections_meet_only_in_the_log() {
    for (package, strangers) in [
        ("projections", ["commands", "reactors", "sweep"].as_slice()),
        ("commands", &["projections", "reactors", "sweep"]),
        ("reactors", &["projections", "sweep"]),
        ("infra", &["commands", "projections", "reactors", "sweep", "web"]),
        ("infra/web", &["commands", "projections", "reactors", "sweep"]),
        ("schema", &["infra", "commands", "projections", "reactors", "sweep", "web"]),
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
fn the_top_level_has_no_other_folders() {
    let entries = std::fs::read_dir(root()).unwrap().map(|entry| entry.unwrap());
    let folders = entries.filter(|entry| entry.path().is_dir());
    let named = folders.map(|folder| folder.file_name().into_string().unwrap());
    let mut shown: Vec<String> = named.filter(|name| !name.starts_with('.') && name != "target").collect();
    shown.sort_unstable();
    assert_eq!(shown, ["commands", "infra", "projections", "reactors", "schema", "tests"]);
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

/// `.ci/run` runs the larger test binaries once at the usual size, and again at full size the modules named
/// there.
#[test]
fn tests_with_a_variable_size_run_at_full_size_too() {
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

#[test]
fn no_two_modules_of_a_package_import_each_other() {
    let packages = PACKAGES.map(|package| format!("{package}/src"));
    let binaries = fs::read_dir(root().join("tests/tests")).unwrap().map(|entry| entry.unwrap().path());
    let binaries = binaries.filter(|path| path.join("main.rs").exists());
    let binaries: Vec<String> =
        binaries.map(|path| format!("tests/tests/{}", path.file_name().unwrap().display())).collect();
    assert!(binaries.len() > 3, "{binaries:?}");
    for folder in packages.iter().chain(&binaries) {
        let cycles = modules::cycles(folder);
        assert!(cycles.is_empty(), "modules of {folder} import each other:\n{}", cycles.join("\n\n"));
    }
}

#[test]
fn no_file_needs_scrolling() {
    for package in PACKAGES {
        for file in files_under(package) {
            let name = file.strip_prefix(root()).unwrap();
            let lines = fs::read_to_string(&file).unwrap().lines().count();
            assert!(lines <= LINES_MAX, "{} has {lines} lines; split it", name.display());
        }
    }
}
