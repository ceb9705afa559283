//! Builds the server, or all binaries of the workspace, once per test process, because cargo provides a test only with
//! those of its own package.

use std::{
    env,
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
};

/// The binary that most tests need alone.
const SERVER: &str = "waitlist";

/// Returns the path of a binary of the workspace, built with the profile of the running test.
///
/// # Panics
/// When the workspace does not build, or has no binary of that name.
#[must_use]
pub fn built(name: &str) -> PathBuf {
    static WITH_SERVER: OnceLock<PathBuf> = OnceLock::new();
    static WITH_ALL: OnceLock<PathBuf> = OnceLock::new();
    let folder = match name {
        SERVER => WITH_SERVER.get_or_init(|| build(&["--bin", SERVER])),
        _ => WITH_ALL.get_or_init(|| build(&["--bins"])),
    };
    let binary = folder.join(name).with_extension(env::consts::EXE_EXTENSION);
    assert!(binary.is_file(), "the workspace has no binary `{name}`");
    binary
}

/// Builds binaries with one call of cargo. Selecting them from the whole workspace keeps the features of the
/// dependencies as `cargo test` chose them, so that nothing is compiled twice.
fn build(binaries: &[&str]) -> PathBuf {
    let folder = profile_folder();
    let profile = match folder.file_name().and_then(|name| name.to_str()) {
        Some("debug") => "dev", // the only profile whose folder has another name
        Some(profile) => profile,
        None => panic!("no profile in {}", folder.display()),
    };
    let output = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args(["build", "--workspace"])
        .args(binaries)
        .args(["--profile", profile, "--target-dir"])
        .arg(folder.parent().expect("a profile's folder is in the target directory"))
        .current_dir(
            Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("this package is in the workspace"),
        )
        .output()
        .expect("cargo starts");
    assert!(
        output.status.success(),
        "the binaries do not build:\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    folder
}

/// Returns `target/debug` for a test at `target/debug/deps/journeys-0123456789abcdef`.
fn profile_folder() -> PathBuf {
    let test = env::current_exe().expect("a running test has a path");
    test.ancestors().nth(2).expect("cargo puts tests into a profile's deps").to_path_buf()
}
