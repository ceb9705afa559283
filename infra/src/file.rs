//! Files that appear whole or not at all, readable by their owner alone; and secrets in them: made once, never overwritten.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use crate::clock::random;

/// Reads a secret; makes it from `fresh` when there is none. Of several makers one wins, and all use what that one wrote.
///
/// # Errors
/// The file can be neither read nor made.
pub fn read_or_create_secret<E: std::fmt::Display>(
    path: &Path,
    fresh: impl FnOnce() -> Result<Vec<u8>, E>,
) -> io::Result<Vec<u8>> {
    match fs::read(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        read => return read,
    }
    let secret = fresh().map_err(|error| io::Error::other(error.to_string()))?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let draft = draft(folder, &secret)?;
    // A link appears whole or not at all, and refuses to replace what a rival has just put there; a rename would not.
    let linked = fs::hard_link(&draft, path);
    fs::remove_file(&draft)?;
    match linked {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => File::open(folder)?.sync_all().and_then(|()| fs::read(path)),
    }
}

/// Writes bytes to a file of a random name, to be linked or renamed to what it is for.
///
/// # Errors
/// The file cannot be made or written.
pub(crate) fn draft(folder: &Path, bytes: &[u8]) -> io::Result<PathBuf> {
    let draft = folder.join(format!(".draft-{}", data_encoding::HEXLOWER.encode(&random::<8>())));
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    Ok(draft)
}
