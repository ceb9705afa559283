//! The key files that stored data depend on. They are created only for a deployment without data: a new key
//! in place of a lost one could not open the stored data, and data written under it would be lost when the
//! old key is restored.

use std::{convert::Infallible, fs, path::Path};

use crate::{clock::random, failure::Failure, file};

/// Wraps the accounts' keys where KMS does not.
pub(crate) const MASTER: &str = "master";
/// Hashes the e-mail addresses that accounts claim.
pub(crate) const CLAIMS: &str = "claims";

const KEY_BYTES: usize = 32;

/// Creates the missing files. Only for a directory that no data depend on yet.
///
/// # Errors
/// A file cannot be created.
pub fn make(directory: &Path) -> Result<(), Failure> {
    [MASTER, CLAIMS].into_iter().try_for_each(|name| make_one(directory, name))
}

/// Checks that the files exist, because data depend on them.
///
/// # Errors
/// A file is missing; the error names it.
pub fn expect(directory: &Path) -> Result<(), Failure> {
    match missing(directory, &[MASTER, CLAIMS])?.first() {
        None => Ok(()),
        Some(name) => Err(lost(directory, name)),
    }
}

/// Creates these files for a new deployment, which has none of them. If it has some, the others were lost,
/// and this fails.
pub(crate) fn make_if_new(directory: &Path, names: &[&'static str]) -> Result<(), Failure> {
    let missing = missing(directory, names)?;
    match missing.first() {
        Some(name) if missing.len() < names.len() => Err(lost(directory, name)),
        _ => missing.into_iter().try_for_each(|name| make_one(directory, name)),
    }
}

fn missing(directory: &Path, names: &[&'static str]) -> Result<Vec<&'static str>, Failure> {
    let mut missing = Vec::new();
    for name in names {
        let path = directory.join(name);
        let is_there = fs::exists(&path)
            .map_err(|cause| Failure::broken(format!("look for the key {}", path.display()), cause))?;
        if !is_there {
            missing.push(*name);
        }
    }
    Ok(missing)
}

fn make_one(directory: &Path, name: &str) -> Result<(), Failure> {
    let path = directory.join(name);
    let fresh = || Ok::<_, Infallible>(random::<KEY_BYTES>().to_vec());
    let made = file::read_or_create_secret(&path, fresh);
    made.map(drop).map_err(|cause| Failure::broken(format!("make the key {}", path.display()), cause))
}

fn lost(directory: &Path, name: &str) -> Failure {
    let advice = "the file is missing, and stored data depend on it; restore it from a copy, or move the data directory away to start afresh";
    Failure::broken(format!("read the key {}", directory.join(name).display()), advice)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn key_files_are_created_together_and_a_lost_one_is_never_replaced() {
        let directory = tempfile::tempdir().unwrap();
        let both = [MASTER, CLAIMS];
        make_if_new(directory.path(), &both).unwrap();
        let before = both.map(|name| fs::read(directory.path().join(name)).unwrap());
        make_if_new(directory.path(), &both).unwrap();
        expect(directory.path()).unwrap();
        assert_eq!(both.map(|name| fs::read(directory.path().join(name)).unwrap()), before);
        for name in both {
            let (path, kept) = (directory.path().join(name), directory.path().join("kept"));
            fs::rename(&path, &kept).unwrap();
            for refused in [make_if_new(directory.path(), &both), expect(directory.path())] {
                let text = refused.unwrap_err().chain();
                assert!(
                    text.starts_with(&format!("read the key {}: the file is missing", path.display())),
                    "{text}"
                );
            }
            assert!(!path.exists());
            fs::rename(kept, path).unwrap();
        }
    }
}
