//! The keys of checkpoints: one that signs, in a file, and its public half.

use std::path::{Path, PathBuf};

use clap::Args;
use infra::{
    checkpoint::{self, CheckpointKey, KEY},
    config,
};
use schema::{Checkpoint, checkpoint::VerifierKey, table::EVENTS};

use super::super::{Failed, Misuse};
use crate::data_dir::DataDir;

const KEY_IN_AWS: &str = "with --aws, --key must name your key file";

/// The key that signs. It is not among the keys of a deployment in AWS: the people who can write its tables could
/// then sign a new checkpoint for a log that they changed.
#[derive(Debug, Args)]
pub(super) struct Signing {
    /// File with the key that signs; created if it does not exist. By default `keys/checkpoint` in the data
    /// directory; needed with --aws, where nothing else than this file can sign.
    #[arg(long, value_name = "FILE")]
    pub(super) key: Option<PathBuf>,
}

/// The key that checks signatures.
#[derive(Debug, Args)]
pub(super) struct Verifying {
    /// File with the key that signed. By default `keys/checkpoint` in the data directory.
    #[arg(long, value_name = "FILE", conflicts_with = "verifier_key")]
    key: Option<PathBuf>,

    /// The public half of that key, as `audit checkpoint` printed it.
    #[arg(long, value_name = "KEY")]
    verifier_key: Option<VerifierKey>,
}

/// The log of the deployment that the environment names.
pub(super) fn origin() -> String {
    format!("waitlist/{}", EVENTS.name(&config::prefix()))
}

impl Signing {
    /// The key's file.
    pub(super) fn path(&self, data_dir: &Path, aws: bool) -> Result<PathBuf, Failed> {
        path(self.key.as_deref(), data_dir, aws, KEY_IN_AWS)
    }
}

impl Verifying {
    pub(super) fn verifier(&self, data_dir: &Path, aws: bool) -> Result<VerifierKey, Failed> {
        if let Some(key) = &self.verifier_key {
            return Ok(key.clone());
        }
        let advice = "with --aws, give --verifier-key KEY or --key FILE";
        let path = path(self.key.as_deref(), data_dir, aws, advice)?;
        Ok(CheckpointKey::read(&path)?.verifier(&origin())?)
    }
}

fn path(given: Option<&Path>, data_dir: &Path, aws: bool, advice: &str) -> Result<PathBuf, Failed> {
    match given {
        Some(path) => Ok(path.to_owned()),
        None if aws => Err(Misuse(advice.to_owned()).into()),
        None => Ok(DataDir::existing(data_dir)?.keys().join(KEY)),
    }
}

/// Reads a checkpoint that this key must have signed.
pub(super) fn read(file: &Path, key: &VerifierKey) -> Result<Checkpoint, Failed> {
    checkpoint::read(file, key).map_err(|cause| Refused { file: file.to_owned(), cause }.into())
}

#[derive(Debug, thiserror::Error)]
#[error("cannot use the checkpoint {}", file.display())]
struct Refused {
    file: PathBuf,
    #[source]
    cause: checkpoint::Untrusted,
}
