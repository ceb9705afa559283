//! `waitlist audit export`: writes the history of an account to a file, after recording who reads it.

mod out;

use std::path::PathBuf;

use clap::Args;
use infra::telemetry;
use projections::audit::export::{self, PART_BYTES_MAX, Plan};
use schema::{
    UserId,
    parameter::{OF_EXPORT, Parameter},
};
use serde_json::json;
use tokio::signal::unix::{SignalKind, signal};

use self::out::Out;
use super::{
    super::{Failed, counted, deployment::Deployment, is_closed_pipe, print, progress::Progress},
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

    /// Only events before this time, RFC 3339; at most, and by default, ten seconds ago.
    #[arg(long, value_name = "TIME")]
    to: Option<String>,

    /// File to write, which must not exist. Only its owner may read it. It has the name FILE.part until it is whole.
    /// Standard output by default.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,

    /// Continue an export that broke off, with the cursor that it named. FILE.part must end before the cursor.
    #[arg(long)]
    cursor: Option<String>,
}

/// The export broke off. What was written until then is whole.
#[derive(Debug, thiserror::Error)]
#[error("the export broke off after {events}; to continue it, run it again with {options}")]
struct BrokeOff {
    events: String,
    options: String,
    #[source]
    cause: Failed,
}

#[derive(Debug, thiserror::Error)]
#[error("interrupted")]
struct Interrupted;

/// How far an export is.
struct Copied {
    events: u64,
    /// The end of the whole export, however long it takes.
    to: String,
    /// The cursor after the last event that was written. Before the first one there is nothing to continue.
    last: Option<String>,
}

impl Export {
    /// Reads the options as the route does, and looks at the file.
    ///
    /// # Errors
    /// The option that does not parse, and what it must be; or the file cannot be written or continued.
    pub(super) fn query(&self) -> Result<export::Export, Failed> {
        let export = parse(self.values())?;
        Out::look(self.out.as_deref(), export.format, self.cursor.as_deref())?;
        Ok(export)
    }

    fn values(&self) -> [Option<String>; OF_EXPORT.len()] {
        let Self { format, from, to, cursor, .. } = self;
        [Some(format.clone()), from.clone(), to.clone(), cursor.clone()]
    }

    /// The error of an export that broke off.
    fn broke_off(&self, account: UserId, copied: &Copied, cause: Failed) -> Failed {
        let Some(cursor) = copied.last.as_ref().filter(|_| !is_closed_pipe(&*cause)) else { return cause };
        let by = self.reader.by.as_ref().map(|by| format!(" --by {}", quoted(by)));
        let out = self.out.as_ref().map(|out| format!(" --out {}", quoted(&out.display().to_string())));
        let options = format!(
            "--account {account}{} --format {} --to {} --cursor {cursor}{}",
            by.unwrap_or_default(),
            self.format,
            copied.to,
            out.unwrap_or_default()
        );
        BrokeOff { events: counted(copied.events, "event"), options, cause }.into()
    }
}

/// Records the reading, and writes part after part. Progress goes to standard error.
pub(super) async fn run(
    deployment: &Deployment,
    command: &Export,
    export: export::Export,
    json: bool,
) -> Result<(), Failed> {
    let given = arguments(OF_EXPORT.map(Parameter::name), command.values());
    let account = command.reader.record(deployment, "audit export", given).await?;
    let plan = Plan::of(&deployment.backend, account, &export).await?;
    let mut copied = Copied { events: 0, to: plan.to().to_string(), last: command.cursor.clone() };
    let mut out = Out::open(command.out.as_deref(), export.format, command.cursor.as_deref())?;
    if let Err(cause) = copy(deployment, (account, export), plan, &mut copied, &mut out).await {
        if copied.last.is_none() {
            out.discard();
        }
        return Err(command.broke_off(account, &copied, cause));
    }
    let Copied { events, to, .. } = copied;
    let done = format!("{} before {to}", counted(events, "event"));
    match out.finish()? {
        Some(path) => {
            let shown = json!({ "events": events, "to": to, "file": path });
            Ok(print(json, &format!("{done} in {}", path.display()), &shown)?)
        }
        None => {
            telemetry::tell(done + "\n");
            Ok(())
        }
    }
}

/// Writes part after part, until the last one or Ctrl-C.
async fn copy(
    deployment: &Deployment,
    (account, mut export): (UserId, export::Export),
    mut plan: Plan,
    copied: &mut Copied,
    out: &mut Out,
) -> Result<(), Failed> {
    let (backend, progress) = (&deployment.backend, Progress::new());
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut follows = copied.last.is_some();
    loop {
        let part = tokio::select! {
            part = plan.read(backend, &export, PART_BYTES_MAX) => part?,
            _ = interrupt.recv() => return Err(Interrupted.into()),
        };
        out.write(if follows { part.file.events() } else { part.file.bytes() })?;
        follows = true;
        copied.events += part.events as u64;
        copied.last = part.last.or(copied.last.take());
        progress.tell(|| format!("{} so far, up to {}", counted(copied.events, "event"), part.end));
        let Some(next) = part.next else { return Ok(()) };
        let format = export.format.as_str().to_owned();
        export = parse([Some(format), None, Some(copied.to.clone()), Some(next)])?;
        plan = Plan::of(backend, account, &export).await?;
    }
}

fn parse(values: [Option<String>; OF_EXPORT.len()]) -> Result<export::Export, Failed> {
    Ok(export::Export::parse(values).map_err(|problem| wrong(&problem))?)
}

/// The text as one word for a shell.
fn quoted(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._-@".contains(c);
    if text.chars().all(is_plain) { text.to_owned() } else { format!("'{}'", text.replace('\'', "'\\''")) }
}
