//! `waitlist audit prove`: prints the proof that a checkpoint covers a stream.

use std::path::{Path, PathBuf};

use clap::Args;
use data_encoding::{BASE64, HEXLOWER};
use schema::StreamId;
use serde_json::json;

use super::{
    super::{Failed, print, stream},
    key::{Verifying, read},
};

#[derive(Debug, Args)]
pub(super) struct Prove {
    /// A file that `audit checkpoint` wrote.
    file: PathBuf,

    /// The stream, such as waitee-01920000-0000-7000-8000-000000000000.
    #[arg(long, value_name = "STREAM", value_parser = stream)]
    stream: StreamId,

    #[command(flatten)]
    verifying: Verifying,
}

/// Prints the proof.
pub(super) fn run(command: &Prove, data_dir: &Path, aws: bool, json: bool) -> Result<(), Failed> {
    let Prove { file, stream, verifying } = command;
    let checkpoint = read(file, &verifying.verifier(data_dir, aws)?)?;
    let proof = checkpoint.proof(*stream);
    let proof = proof.ok_or_else(|| format!("{} has no stream {stream}", file.display()))?;
    let path: Vec<String> = proof.path.iter().map(|hash| BASE64.encode(&hash.0)).collect();
    let shown = json!({
        "stream": stream, "last": proof.leaf.last, "hash": HEXLOWER.encode(&proof.leaf.hash.0),
        "leaf": proof.leaf.to_string(), "index": proof.index, "path": path, "note": proof.note.to_string(),
    });
    Ok(print(json, proof.to_string().trim_end(), &shown)?)
}
