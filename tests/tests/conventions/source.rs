//! Reads the files of the workspace.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// All members of the workspace.
pub(crate) const PACKAGES: [&str; 8] =
    ["schema", "infra", "infra/local", "infra/sweep", "commands", "projections", "reactors", "tests"];

pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

pub(crate) fn manifest(package: &str) -> String {
    fs::read_to_string(root().join(package).join("Cargo.toml")).unwrap()
}

/// The Rust files under a folder, without unit tests.
pub(crate) fn under(folder: &str) -> Vec<PathBuf> {
    let is_of_unit_tests = |path: &PathBuf| {
        let inside = path.strip_prefix(root().join(folder)).unwrap();
        inside.iter().any(|part| part == "tests" || part == "tests.rs")
    };
    files_under(folder).into_iter().filter(|path| !is_of_unit_tests(path)).collect()
}

/// The Rust files under a folder.
pub(crate) fn files_under(folder: &str) -> Vec<PathBuf> {
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
    files
}

/// Whether a file is the module `name`, or lies beneath it.
pub(crate) fn is_in(file: &Path, name: &str) -> bool {
    let inside = file.strip_prefix(root()).unwrap().with_extension("");
    inside.iter().any(|part| part == name)
}

pub(crate) fn ends_in(file: &Path, names: &[&str]) -> bool {
    names.iter().any(|name| file.ends_with(name))
}

/// The lines of a file's code, without comments and up to its unit tests.
pub(crate) fn code(file: &Path) -> Vec<String> {
    let text = fs::read_to_string(file).unwrap();
    let shipped = text.split("#[cfg(test)]\nmod ").next().unwrap_or_default();
    shipped.lines().filter(|line| !line.trim_start().starts_with("//")).map(str::to_owned).collect()
}

pub(crate) fn lacks(file: &Path, words: &[&str]) {
    for line in code(file) {
        for word in words {
            assert!(!line.contains(word), "{} has `{word}`: {line}", file.display());
        }
    }
}
