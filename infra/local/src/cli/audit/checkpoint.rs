//! `waitlist audit checkpoint`: writes the end of every stream to a signed file.

use std::path::{Path, PathBuf};

use clap::Args;
use data_encoding::HEXLOWER;
use infra::{
    checkpoint::{CheckpointKey, write},
    file::probe,
    function::Need,
};
use projections::checkpoint::{Progress as Read, Taken, take};
use schema::{Checkpoint as Content, body::Bad, checkpoint::Head, commit::Hash};
use serde_json::json;

use super::{
    super::{
        Failed, counted, deployment::Deployment, findings, print, progress::Progress, segments::Segments,
    },
    failed::{Unread, WriteError},
    key::{Signing, origin, read},
};

#[derive(Debug, Args)]
pub(super) struct Checkpoint {
    /// File to write. It must not exist.
    file: PathBuf,

    /// The last checkpoint of this log, which the new one names by its hash. A file that is withheld or replaced
    /// later breaks this chain of files. No file is written if the log is not as the last checkpoint has it. Leave
    /// it out for the first one, and for the first under a new key.
    #[arg(long, value_name = "FILE")]
    previous: Option<PathBuf>,

    #[command(flatten)]
    signing: Signing,

    #[command(flatten)]
    segments: Segments,
}

/// The log is read without keys: personal data stay sealed.
pub(super) const NEEDS: &[Need] = &[];

/// The key, and what was read before the log.
pub(super) struct Prepared {
    key: CheckpointKey,
    new_key: Option<PathBuf>,
    previous: Option<Content>,
}

impl Checkpoint {
    /// Reads the key and the previous checkpoint. Creates the key if there is neither.
    pub(super) fn key(&self, data_dir: &Path, aws: bool) -> Result<Prepared, Failed> {
        if self.file.exists() {
            return Err(format!("{} exists; choose another file", self.file.display()).into());
        }
        probe(&self.file).map_err(|cause| WriteError { path: self.file.clone(), cause })?;
        let path = self.signing.path(data_dir, aws)?;
        let new_key = (!path.exists()).then(|| path.clone());
        let key = match self.previous {
            None => CheckpointKey::read_or_create(&path)?,
            Some(_) => CheckpointKey::read(&path)?, // the key that signed the previous one
        };
        let verifier = key.verifier(&origin())?;
        let previous = self.previous.as_deref().map(|file| read(file, &verifier)).transpose()?;
        Ok(Prepared { key, new_key, previous })
    }
}

/// Writes the file, and prints what it covers and the key that verifies it. Progress goes to standard error.
pub(super) async fn run(
    deployment: &Deployment,
    command: &Checkpoint,
    Prepared { key, new_key, previous }: &Prepared,
    json: bool,
) -> Result<(), Failed> {
    let (at, origin) = (deployment.backend.clock.now(), origin());
    let progress = Progress::new();
    let tell = |Read { commits, streams }| {
        progress.tell(|| format!("{commits} commits of {streams} streams so far"));
    };
    let taken = take(&deployment.backend, previous.as_ref(), command.segments.segments, tell)
        .await
        .map_err(|cause| Unread { consequence: "no checkpoint was written", cause })?;
    if taken.damaged > 0 || !taken.differing.is_empty() {
        return refuse(&taken, json);
    }
    let Taken { leaves, commits, .. } = taken;
    let previous: Option<Hash> = previous.as_ref().map(|previous| previous.note.hash());
    let head = Head::over(&origin, at, previous, &leaves);
    let note = key.sign(&origin, head.to_string())?;
    let checkpoint = Content { note, head, leaves };
    let file = command.file.display().to_string();
    write(&command.file, &checkpoint).map_err(|cause| WriteError { path: command.file.clone(), cause })?;

    let Content { note, head, .. } = &checkpoint;
    let (streams, verifier) = (head.size, key.verifier(&origin)?);
    let mut lines = vec![
        format!("{} with {} in {file}", counted(streams, "stream"), counted(commits, "commit")),
        format!("verifier key: {verifier}"),
    ];
    if let Some(path) = new_key {
        let advice = match command.signing.key {
            Some(_) => "keep it apart from the data",
            None => "move it out of the data directory, and name it with --key",
        };
        lines.push(format!("made a new key, {}; {advice}", path.display()));
    }
    let shown = json!({
        "file": file, "origin": origin, "at": at, "streams": streams, "commits": commits,
        "hash": HEXLOWER.encode(&note.hash().0), "previous": previous.map(|hash| HEXLOWER.encode(&hash.0)),
        "verifier_key": verifier.to_string(), "new_key": new_key,
    });
    Ok(print(json, &lines.join("\n"), &shown)?)
}

fn refuse(Taken { damaged, bad, differing, .. }: &Taken, json: bool) -> Result<(), Failed> {
    let mut lines = findings(bad.iter().map(Bad::to_string), *damaged);
    // A damaged stream usually differs by the same fault.
    lines.extend(differing.iter().filter(|differs| !bad.contains(differs)).map(Bad::to_string));
    let shown = json!({ "file": null, "damaged": damaged, "bad": bad, "differing": differing });
    print(json, &lines.join("\n"), &shown)?;
    let are = |count: u64| if count == 1 { "a stream is".to_owned() } else { format!("{count} streams are") };
    let faults = [
        (*damaged > 0).then(|| format!("{} damaged", are(*damaged))),
        (!differing.is_empty())
            .then(|| format!("{} not as the previous checkpoint has it", are(differing.len() as u64))),
    ];
    let faults: Vec<String> = faults.into_iter().flatten().collect();
    Err(format!("{}; no checkpoint was written", faults.join(", and ")).into())
}
