//! `waitlist sweep`: compares every row with the log, and rings again what was lost.

use clap::Args;
use infra::function::Need;
use serde_json::json;
use sweep::{Ahead, Pace, Report, Sweep as Begun};

use super::{Failed, counted, deployment::Deployment, findings, print, progress::Progress};

#[derive(Debug, Args)]
pub(super) struct Sweep {
    /// Bound on the read units per second, on average. Without it, the sweep is as fast as the tables are.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    read_units: Option<u32>,
}

/// Doorbells are sent to `retries`, erasures to `erasures`; pointers are deleted from the failure destination.
pub(super) const NEEDS: &[Need] = &[Need::Retries, Need::Erasures, Need::StreamFailures];

const NO_WORKER: &str = "no server runs on this data directory: `waitlist serve` does what was asked for";

/// Sweeps to the end, and fails if a row is ahead of the log. Progress goes to standard error.
pub(super) async fn run(deployment: &Deployment, sweep: &Sweep, json: bool) -> Result<(), Failed> {
    let backend = &deployment.backend;
    let progress = Progress::new();
    let tell = |Report { commits, streams, rung, .. }: &Report| {
        let (commits, streams) = (counted(*commits, "commit"), counted(*streams, "stream"));
        progress.tell(|| format!("{commits} of {streams} so far, {rung} rung again"));
    };
    let mut begun = Begun::begin(backend).await?;
    begun.run(backend, &Pace::new(sweep.read_units, None), tell).await?;
    let report = begun.report;
    let found = report.ahead + report.extra;
    let mut lines = findings(report.named.iter().map(line), found);
    lines.push(summary(&report));
    if !deployment.has_server && report.rung + report.buried > 0 {
        lines.push(NO_WORKER.to_owned());
    }
    let Report { commits, streams, rung, ahead, extra, buried, pointers, read_units, named } = &report;
    let shown = json!({
        "ok": report.is_ok(), "commits": commits, "streams": streams, "rung": rung, "ahead": ahead, "extra": extra,
        "buried": buried, "pointers": pointers, "read_units": read_units, "rows": named, "has_worker": deployment.has_server,
    });
    print(json, &lines.join("\n"), &shown)?;
    match found {
        0 => Ok(()),
        1 => Err("a row is ahead of the log, or has no stream".into()),
        _ => Err(format!("{found} rows are ahead of the log, or have no stream").into()),
    }
}

fn line(Ahead { projection, generation, stream, shows, last }: &Ahead) -> String {
    let of = format!("{stream}: its row in {} g{generation} shows event {shows}", projection.as_str());
    match last {
        0 => format!("{of}, and the log has no such stream"),
        last => format!("{of}, and the log ends with event {last}"),
    }
}

fn summary(report: &Report) -> String {
    let Report { commits, streams, rung, ahead, extra, buried, pointers, read_units, .. } = report;
    format!(
        "{} of {}; {} rung again, {} ahead of the log, {} without a stream, {} asked for again, \
         {} to given-up records answered; {read_units} read units",
        counted(*commits, "commit"),
        counted(*streams, "stream"),
        counted(*rung, "doorbell"),
        counted(*ahead, "row"),
        counted(*extra, "row"),
        counted(*buried, "erasure"),
        counted(*pointers, "pointer"),
    )
}
