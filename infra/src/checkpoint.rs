//! Checkpoints in files, signed with an Ed25519 key of their own.

use std::{
    fs::{self, File},
    io::{self, BufRead as _, BufReader, BufWriter, Read as _, Write as _},
    path::Path,
};

use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};
use schema::{
    Checkpoint,
    checkpoint::{LINE_BYTES_MAX, Malformed, NotAKey, Note, Reader, VerifierKey},
};

use crate::{failure::Failure, file, key_pair};

/// The name of the key in a key directory.
pub const KEY: &str = "checkpoint";

/// Signs checkpoints.
#[derive(Debug)]
pub struct CheckpointKey(Ed25519KeyPair);

/// A file that must not be used as a checkpoint.
#[derive(Debug, thiserror::Error)]
pub enum Untrusted {
    #[error("it cannot be read")]
    Io(#[source] io::Error),
    #[error("it is no checkpoint, or was altered: {0}")]
    Malformed(Malformed),
    #[error("it is of the log {found}, not of {expected}")]
    Origin { found: String, expected: String },
    #[error("it has no signature of the key {0}")]
    Unsigned(String),
    #[error("it was altered after it was signed, or its signature was")]
    Forged,
}

impl CheckpointKey {
    /// Reads the key, or creates it if the file does not exist.
    ///
    /// # Errors
    /// The file cannot be read or created, others than its owner may read it, or it holds no key.
    pub fn read_or_create(path: &Path) -> Result<Self, Failure> {
        key_pair::read_or_create(path, "checkpoint key").map(Self)
    }

    /// Reads an existing key.
    ///
    /// # Errors
    /// The file cannot be read, others than its owner may read it, or it holds no key.
    pub fn read(path: &Path) -> Result<Self, Failure> {
        key_pair::read(path, "checkpoint key").map(Self)
    }

    /// The public key, under the name of the log.
    ///
    /// # Errors
    /// The name is empty or has a space or a plus sign.
    pub fn verifier(&self, origin: &str) -> Result<VerifierKey, NotAKey> {
        let public = self.0.public_key().as_ref().try_into().map_err(|_| NotAKey)?;
        VerifierKey::new(origin, public)
    }

    /// Signs a text that ends with a newline.
    ///
    /// # Errors
    /// As [`CheckpointKey::verifier`].
    pub fn sign(&self, origin: &str, text: String) -> Result<Note, NotAKey> {
        let signature = self.0.sign(text.as_bytes()).as_ref().try_into().map_err(|_| NotAKey)?;
        let signatures = vec![self.verifier(origin)?.signature(signature)];
        Ok(Note { text, signatures })
    }
}

/// Checks that a note has a signature of this key, and that all of them are right.
///
/// # Errors
/// There is none, or one is wrong.
pub fn verify(note: &Note, key: &VerifierKey) -> Result<(), Untrusted> {
    let public = UnparsedPublicKey::new(&ED25519, key.public());
    let mut signatures = note.signatures_of(key).peekable();
    if signatures.peek().is_none() {
        return Err(Untrusted::Unsigned(key.to_string()));
    }
    let is_right = |bytes: &[u8]| public.verify(note.text.as_bytes(), bytes).is_ok();
    if signatures.all(|signature| is_right(&signature.bytes)) { Ok(()) } else { Err(Untrusted::Forged) }
}

/// Reads a checkpoint, and checks that the key signed it for the log that is the key's name, and that its leaves
/// give the signed root.
///
/// # Errors
/// The file cannot be read or must not be trusted.
pub fn read(path: &Path, key: &VerifierKey) -> Result<Checkpoint, Untrusted> {
    let checkpoint = parse(path)?;
    let (found, expected) = (&checkpoint.head.origin, key.name());
    if found != expected {
        return Err(Untrusted::Origin { found: found.clone(), expected: expected.to_owned() });
    }
    verify(&checkpoint.note, key)?;
    Ok(checkpoint)
}

fn parse(path: &Path) -> Result<Checkpoint, Untrusted> {
    if !fs::metadata(path).map_err(Untrusted::Io)?.is_file() {
        let cause = io::Error::new(io::ErrorKind::InvalidInput, "it is not a regular file");
        return Err(Untrusted::Io(cause));
    }
    let mut file = BufReader::new(File::open(path).map_err(Untrusted::Io)?);
    let (mut reader, mut line) = (Reader::default(), String::new());
    // Ends with the file, or with the line after the most that a reader takes.
    loop {
        line.clear();
        let read = file.by_ref().take(LINE_BYTES_MAX as u64).read_line(&mut line).map_err(Untrusted::Io)?;
        if read == 0 {
            return reader.end().map_err(Untrusted::Malformed);
        }
        let content = line.strip_suffix('\n').ok_or(Untrusted::Malformed(Malformed::Cut))?;
        reader.line(content).map_err(Untrusted::Malformed)?;
    }
}

/// Writes a new file, which only its owner can read. It appears whole or not at all.
///
/// # Errors
/// The file exists, or cannot be written.
pub fn write(path: &Path, checkpoint: &Checkpoint) -> io::Result<()> {
    file::create(path, |draft| {
        let mut draft = BufWriter::new(draft);
        write!(draft, "{checkpoint}")?;
        draft.flush()
    })
}

#[cfg(test)]
mod tests;
