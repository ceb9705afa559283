//! `waitlist audit check`: compares the log with a checkpoint.

use std::path::{Path, PathBuf};

use clap::Args;
use projections::checkpoint::{Checked, Progress as Read, check};
use schema::{Checkpoint, body::Bad};
use serde_json::json;

use super::{
    super::{Failed, counted, deployment::Deployment, print, progress::Progress, segments::Segments},
    failed::Unread,
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

/// Prints the streams that differ, and fails if there are any, or if the log cannot be read. Progress goes to standard error.
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
    let (streams, at) = (checkpoint.head.size, checkpoint.head.at);
    let Checked { commits, later, bad } =
        match check(&deployment.backend, checkpoint, command.segments.segments, tell).await {
            Ok(checked) => checked,
            Err(cause) => {
                if json {
                    let why = cause.chain();
                    print(json, "", &json!({ "ok": null, "at": at, "streams": streams, "why": why }))?;
                }
                let consequence = "whether it differs from the checkpoint is not known";
                return Err(Unread { consequence, cause }.into());
            }
        };
    let differ = bad.len();
    let mut lines: Vec<String> = bad.iter().map(Bad::to_string).collect();
    let compared = counted(streams, "stream");
    lines.push(format!("{compared} compared with the checkpoint of {at}, {differ} differ"));
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
