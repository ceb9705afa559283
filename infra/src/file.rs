//! Secrets in files: made once, readable by their owner alone, never overwritten.

use std::{
    fs::{self, OpenOptions},
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::Path,
};

/// Reads a secret; makes it from `fresh` when there is none. Of several makers one wins, and all use what that one wrote.
///
/// # Errors
/// The file can be neither read nor made.
pub fn read_or_create_secret<E: std::fmt::Display>(path: &Path, fresh: impl FnOnce() -> Result<Vec<u8>, E>) -> io::Result<Vec<u8>> {
    match fs::read(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        read => return read,
    }
    let secret = fresh().map_err(|error| io::Error::other(error.to_string()))?;
    let draft = path.with_extension(format!("draft-{}", std::process::id()));
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&draft)?;
    file.write_all(&secret)?;
    file.sync_all()?;
    // A hard link appears whole or not at all, and not over one that is there.
    let linked = fs::hard_link(&draft, path);
    fs::remove_file(&draft)?;
    match linked {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => fs::read(path),
    }
}
