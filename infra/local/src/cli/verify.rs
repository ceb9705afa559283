//! `waitlist verify`: verifies one stream, or every stream in the table.

use clap::Args;
use infra::function::Need;
use projections::verify::{self, Progress as Verified, Report};
use schema::{StreamId, body::Bad};
use serde_json::json;

use super::{
    Failed, counted, deployment::Deployment, findings, print, progress::Progress, segments::Segments, stream,
};

#[derive(Debug, Args)]
pub(super) struct Verify {
    #[command(flatten)]
    which: Which,

    #[command(flatten)]
    segments: Segments,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct Which {
    /// Verify this stream, such as waitee-01920000-0000-7000-8000-000000000000.
    #[arg(long, value_name = "STREAM", value_parser = stream)]
    stream: Option<StreamId>,

    /// Verify every stream.
    #[arg(long)]
    all: bool,
}

/// Verification reads the log and the rows, which need no settings of their own.
pub(super) const NEEDS: &[Need] = &[];

/// Prints the damaged streams, and fails if there are any. Progress goes to standard error.
pub(super) async fn run(deployment: &Deployment, verify: &Verify, json: bool) -> Result<(), Failed> {
    let report = match verify.which.stream {
        Some(stream) => verify::one(&deployment.backend, stream)
            .await?
            .ok_or_else(|| format!("there is no stream {stream}"))?,
        None => {
            let progress = Progress::new();
            let tell = |Verified { commits, streams, bad }| {
                progress.tell(|| format!("{commits} commits of {streams} streams so far, {bad} damaged"));
            };
            verify::all(&deployment.backend, verify.segments.segments, tell).await?
        }
    };
    let Report { progress: Verified { commits, streams, bad }, bad: named } = &report;
    let mut lines = findings(named.iter().map(Bad::to_string), *bad);
    lines.push(format!(
        "{} with {} verified, {bad} damaged",
        counted(*streams, "stream"),
        counted(*commits, "commit")
    ));
    let shown = json!({
        "ok": *bad == 0, "streams": streams, "commits": commits, "damaged": bad,
        "first_bad": named.first(), "bad": named,
    });
    print(json, &lines.join("\n"), &shown)?;
    match bad {
        0 => Ok(()),
        1 => Err("a stream is damaged".into()),
        _ => Err(format!("{bad} streams are damaged").into()),
    }
}
