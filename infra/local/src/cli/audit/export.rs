//! `waitlist audit export`: writes the history of an account to a file, after recording who reads it.

use std::{
    fs::{File, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

use clap::Args;
use infra::telemetry;
use projections::audit::export::{self, PART_BYTES_MAX, Plan};
use schema::parameter::{OF_EXPORT, Parameter};
use serde_json::json;

use super::{
    super::{Failed, deployment::Deployment, is_closed_pipe, print, print_bytes, progress::Progress},
    reader::{Reader, arguments, wrong},
};

#[derive(Debug, Args)]
pub(super) struct Export {
    #[command(flatten)]
    pub(super) reader: Reader,

    /// ndjson: an event in JSON on each line. csv: for spreadsheet programs.
    #[arg(long, default_value = "ndjson")]
    format: String,

    /// Only events from this time on, RFC 3339.
    #[arg(long, value_name = "TIME")]
    from: Option<String>,

    /// Only events before this time, RFC 3339; ten seconds ago by default.
    #[arg(long, value_name = "TIME")]
    to: Option<String>,

    /// File to write, which must not exist. Only its owner may read it. Standard output by default.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,

    /// Continue an export that broke off, with the cursor that it named. FILE is continued too.
    #[arg(long)]
    cursor: Option<String>,
}

/// The export broke off. What was written until then is whole.
#[derive(Debug, thiserror::Error)]
#[error("the export broke off after {events} events; continue it with --to {to} --cursor {cursor}")]
struct BrokeOff {
    events: usize,
    to: String,
    cursor: String,
    #[source]
    cause: Failed,
}

#[derive(Debug, thiserror::Error)]
#[error("write {}", path.display())]
struct WriteError {
    path: PathBuf,
    #[source]
    cause: io::Error,
}

/// The place to which an export is written.
enum Out {
    /// `bytes` is the length of the file without a part that is being written.
    File {
        file: File,
        path: PathBuf,
        bytes: u64,
    },
    Standard,
}

impl Export {
    /// Reads the options as the route does.
    ///
    /// # Errors
    /// The option that does not parse, and what it must be.
    pub(super) fn query(&self) -> Result<export::Export, Failed> {
        parse(self.values())
    }

    fn values(&self) -> [Option<String>; OF_EXPORT.len()] {
        let Self { format, from, to, cursor, .. } = self;
        [Some(format.clone()), from.clone(), to.clone(), cursor.clone()]
    }
}

/// Records the reading, and writes part after part. Progress goes to standard error.
pub(super) async fn run(
    deployment: &Deployment,
    command: &Export,
    mut export: export::Export,
    json: bool,
) -> Result<(), Failed> {
    let backend = &deployment.backend;
    let mut out = Out::open(command.out.as_deref(), command.cursor.is_some())?;
    let given = arguments(OF_EXPORT.map(Parameter::name), command.values());
    let account = command.reader.record(deployment, "audit export", given).await?;
    let begun = Plan::of(backend, account, &export).await?;
    // The whole export ends where its first part does, however long it takes.
    let to = begun.to().to_string();
    let (mut begun, mut cursor, mut events) = (Some(begun), command.cursor.clone(), 0);
    let progress = Progress::new();
    loop {
        let copied = async {
            let plan = match begun.take() {
                Some(plan) => plan,
                None => Plan::of(backend, account, &export).await?,
            };
            let part = plan.read(backend, &export, PART_BYTES_MAX).await?;
            let follows = cursor.is_some();
            out.write(if follows { part.file.events() } else { part.file.bytes() })?;
            Ok(part)
        };
        let part = copied.await.map_err(|cause: Failed| broke_off(cause, events, &to, cursor.as_deref()))?;
        events += part.events;
        progress.tell(|| format!("{events} events so far, up to {}", part.end));
        let Some(next) = part.next else { break };
        export = parse([Some(command.format.clone()), None, Some(to.clone()), Some(next.clone())])?;
        cursor = Some(next);
    }
    let done = format!("{events} events before {to}");
    match out {
        Out::File { path, .. } => {
            let shown = json!({ "events": events, "to": to, "file": path });
            Ok(print(json, &format!("{done} in {}", path.display()), &shown)?)
        }
        Out::Standard => {
            telemetry::tell(done + "\n");
            Ok(())
        }
    }
}

fn parse(values: [Option<String>; OF_EXPORT.len()]) -> Result<export::Export, Failed> {
    Ok(export::Export::parse(values).map_err(|problem| wrong(&problem))?)
}

/// The error of an export that broke off. Before the end of its first part there is nothing to continue.
fn broke_off(cause: Failed, events: usize, to: &str, cursor: Option<&str>) -> Failed {
    match cursor {
        Some(cursor) if !is_closed_pipe(&*cause) => {
            BrokeOff { events, to: to.to_owned(), cursor: cursor.to_owned(), cause }.into()
        }
        Some(_) | None => cause,
    }
}

impl Out {
    fn open(path: Option<&Path>, continues: bool) -> Result<Self, Failed> {
        let Some(path) = path else { return Ok(Self::Standard) };
        let mut options = OpenOptions::new();
        if continues {
            options.append(true)
        } else {
            options.write(true).create_new(true).mode(0o600)
        };
        let opened = options.open(path).and_then(|file| {
            let bytes = file.metadata()?.len();
            Ok(Self::File { file, path: path.to_owned(), bytes })
        });
        Ok(opened.map_err(|cause| WriteError { path: path.to_owned(), cause })?)
    }

    /// Writes a part. A file that cannot hold all of it keeps the parts before it.
    fn write(&mut self, part: &[u8]) -> Result<(), Failed> {
        match self {
            Self::File { file, path, bytes } => {
                if let Err(cause) = file.write_all(part).and_then(|()| file.sync_all()) {
                    let _cut = file.set_len(*bytes);
                    return Err(WriteError { path: path.clone(), cause }.into());
                }
                *bytes += part.len() as u64;
                Ok(())
            }
            Self::Standard => Ok(print_bytes(part)?),
        }
    }
}
