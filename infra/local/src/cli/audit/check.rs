//! `waitlist audit check`: compares the log with a checkpoint.

use std::path::{Path, PathBuf};

use clap::Args;
use projections::checkpoint::{Checked, Progress as Read, check};
use schema::Checkpoint;
use serde_json::json;

use super::{
    super::{Failed, deployment::Deployment, print, progress::Progress, segments::Segments},
    key::{Verifying, read},
};

#[derive(Debug, Args)]
pub(super) struct Check {
    /// A file that `audit checkpoint` wrote.
    file: PathBuf,

    /// Check too that FILE names this one as the checkpoint before it.
    #[arg(long, value_name = "FILE")]
    previous: Option<PathBuf>,

    #[command(flatten)]
    verifying: Verifying,

    #[command(flatten)]
    segments: Segments,
}

impl Check {
    /// Reads the checkpoint, before the deployment is opened.
    pub(super) fn files(&self, data_dir: &Path, aws: bool) -> Result<Checkpoint, Failed> {
        let key = self.verifying.verifier(data_dir, aws)?;
        let checkpoint = read(&self.file, &key)?;
        if let Some(file) = &self.previous {
            let previous = read(file, &key)?;
            if checkpoint.head.previous != Some(previous.note.hash()) {
                let (file, previous) = (self.file.display(), file.display());
                return Err(format!("{file} does not name {previous} as the checkpoint before it").into());
            }
        }
        Ok(checkpoint)
    }
}

/// Prints the streams that differ, and fails if there are any. Progress goes to standard error.
pub(super) async fn run(
    deployment: &Deployment,
    command: &Check,
    checkpoint: &Checkpoint,
    json: bool,
) -> Result<(), Failed> {
    let progress = Progress::new();
    let tell = |Read { commits, streams }| {
        progress.tell(|| format!("{commits} commits of {streams} streams so far"));
    };
    let checked = check(&deployment.backend, checkpoint, command.segments.segments, tell).await?;
    let (Checked { commits, later, bad }, at) = (&checked, checkpoint.head.at);
    let (streams, differ) = (checkpoint.leaves.len(), bad.len());
    let mut lines: Vec<String> =
        bad.iter().map(|bad| format!("{}@{}: the commit {}", bad.stream, bad.seq, bad.why)).collect();
    lines.push(format!("{streams} streams compared with the checkpoint of {at}, {differ} differ"));
    let shown = json!({
        "ok": bad.is_empty(), "at": at, "streams": streams, "differ": differ, "bad": bad,
        "later_streams": later, "commits": commits,
    });
    print(json, &lines.join("\n"), &shown)?;
    match differ {
        0 => Ok(()),
        1 => Err("a stream is not as the checkpoint has it".into()),
        _ => Err(format!("{differ} streams are not as the checkpoint has them").into()),
    }
}
