//! Files that appear whole or not at all and that only their owner may read, and secrets in such files:
//! created once and never overwritten.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
};

use crate::clock::random;

/// The mode bits that let others than the owner read or change a file.
const OTHERS: u32 = 0o077;

/// Reads a secret, or creates it from `fresh` if the file does not exist. Of several processes that create it
/// at once, one wins and all read its secret.
///
/// # Errors
/// The file can be neither read nor created, or others than its owner may read it.
pub fn read_or_create_secret<E: std::fmt::Display>(
    path: &Path,
    fresh: impl FnOnce() -> Result<Vec<u8>, E>,
) -> io::Result<Vec<u8>> {
    match read_secret(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        read => return read,
    }
    let secret = fresh().map_err(|error| io::Error::other(error.to_string()))?;
    match create(path, |draft| draft.write_all(&secret)) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => read_secret(path),
    }
}

/// Creates a file that only its owner can read. It appears whole or not at all.
///
/// # Errors
/// The file exists, or cannot be written.
pub(crate) fn create(path: &Path, write: impl FnOnce(&mut File) -> io::Result<()>) -> io::Result<()> {
    let folder = folder(path);
    let draft = draft_with(folder, write)?;
    // A hard link appears whole or not at all and, unlike a rename, does not replace a file that another
    // process has just created.
    let linked = fs::hard_link(&draft, path);
    fs::remove_file(&draft)?;
    linked.and(File::open(folder)?.sync_all())
}

/// Checks that a new file can be created there, by creating a draft and removing it.
///
/// # Errors
/// No file can be created in the folder.
pub fn probe(path: &Path) -> io::Result<()> {
    fs::remove_file(draft(folder(path), &[])?)
}

fn folder(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Reads an existing secret.
///
/// # Errors
/// The file cannot be read, or others than its owner may read it.
pub fn read_secret(path: &Path) -> io::Result<Vec<u8>> {
    let mode = fs::metadata(path)?.permissions().mode() & 0o777;
    if mode & OTHERS != 0 {
        let advice = format!(
            "its mode is {mode:03o}, so others than its owner may use it; run chmod 600 on it, and replace it if others may have read it"
        );
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, advice));
    }
    read_regular(path)
}

/// Reads a regular file. Refuses pipes and devices, which could make the reader wait for ever.
///
/// # Errors
/// The file cannot be read, or is not a regular file.
pub fn read_regular(path: &Path) -> io::Result<Vec<u8>> {
    if !fs::metadata(path)?.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a regular file"));
    }
    fs::read(path)
}

/// Writes a new file with a random name, which the caller links or renames to its final name.
///
/// # Errors
/// The file cannot be created or written.
pub(crate) fn draft(folder: &Path, bytes: &[u8]) -> io::Result<PathBuf> {
    draft_with(folder, |file| file.write_all(bytes))
}

fn draft_with(folder: &Path, write: impl FnOnce(&mut File) -> io::Result<()>) -> io::Result<PathBuf> {
    let draft = folder.join(format!(".draft-{}", data_encoding::HEXLOWER.encode(&random::<8>())));
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft)?;
    let written = write(&mut file).and_then(|()| file.sync_all());
    if let Err(cause) = written {
        let _kept_if_this_fails = fs::remove_file(&draft);
        return Err(cause);
    }
    Ok(draft)
}

#[cfg(test)]
mod tests {
    use std::fs::Permissions;

    use super::*;

    fn create(path: &Path) -> io::Result<Vec<u8>> {
        read_or_create_secret(path, || Ok::<_, io::Error>(random::<32>().to_vec()))
    }

    #[test]
    fn a_secret_is_created_once_and_readable_by_its_owner_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("master");
        let first = create(&path).unwrap();
        assert_eq!(create(&path).unwrap(), first);
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "the temporary file is gone");
    }

    #[test]
    fn processes_that_start_at_once_share_one_secret() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("master");
        let secrets: Vec<Vec<u8>> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..8).map(|_| scope.spawn(|| create(&path).unwrap())).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert!(secrets.windows(2).all(|pair| pair[0] == pair[1]));
    }

    #[test]
    fn a_secret_that_others_may_read_is_refused_and_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("master");
        let secret = create(&path).unwrap();
        for mode in [0o640, 0o604, 0o620, 0o601, 0o644] {
            fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
            let refused = create(&path).unwrap_err();
            assert!(refused.to_string().starts_with(&format!("its mode is {mode:o}")), "{refused}");
        }
        fs::set_permissions(&path, Permissions::from_mode(0o400)).unwrap();
        assert_eq!(create(&path).unwrap(), secret);
    }

    #[test]
    fn a_pipe_in_place_of_a_secret_is_refused_without_waiting() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("master");
        assert!(
            std::process::Command::new("mkfifo").args(["-m", "600"]).arg(&path).status().unwrap().success()
        );
        assert_eq!(create(&path).unwrap_err().to_string(), "it is not a regular file");
    }
}
