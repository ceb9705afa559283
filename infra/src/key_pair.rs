//! Ed25519 key pairs in files, as PKCS#8 in DER.

use std::path::Path;

use aws_lc_rs::{rand::SystemRandom, signature::Ed25519KeyPair};

use crate::{failure::Failure, file};

/// Reads a key pair, or creates it if the file does not exist. `kind` stands in errors, as "token key".
///
/// # Errors
/// The file cannot be read or created, others than its owner may read it, or it holds no key.
pub(crate) fn read_or_create(path: &Path, kind: &str) -> Result<Ed25519KeyPair, Failure> {
    let fresh =
        || Ed25519KeyPair::generate_pkcs8v1(&SystemRandom::new()).map(|document| document.as_ref().to_vec());
    decode(path, kind, file::read_or_create_secret(path, fresh))
}

/// Reads an existing key pair.
///
/// # Errors
/// The file cannot be read, others than its owner may read it, or it holds no key.
pub(crate) fn read(path: &Path, kind: &str) -> Result<Ed25519KeyPair, Failure> {
    decode(path, kind, file::read_secret(path))
}

fn decode(path: &Path, kind: &str, read: std::io::Result<Vec<u8>>) -> Result<Ed25519KeyPair, Failure> {
    let doing = || format!("read the {kind} {}", path.display());
    let pkcs8 = read.map_err(|cause| Failure::broken(doing(), cause))?;
    Ed25519KeyPair::from_pkcs8(&pkcs8)
        .map_err(|_| Failure::broken(doing(), "it holds no Ed25519 key in PKCS#8"))
}
