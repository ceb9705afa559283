//! Follows a rebuild to its end.

use std::{
    io::{IsTerminal as _, stderr},
    time::Duration,
};

use infra::{Backend, telemetry};
use projections::rebuild::{operate, show};
use schema::{
    body::projection::Rebuild,
    projection::{Name, Promote, Stage},
};
use serde_json::Value;
use uuid::Uuid;

use super::super::{Failed, print_text};

/// Each look reads one item.
const POLL: Duration = Duration::from_millis(500);

const BAR_CELLS: usize = 20;

/// Where progress is shown.
enum Shown {
    /// One line of standard error, written anew.
    Bar,
    /// A line of JSON on standard output for each change.
    Lines(Option<Value>),
}

/// Shows the progress of a rebuild until it is live, or until it waits for an operator.
pub(super) async fn until_over(backend: &Backend, name: Name, id: Uuid, json: bool) -> Result<(), Failed> {
    let mut shown = if stderr().is_terminal() && !json { Shown::Bar } else { Shown::Lines(None) };
    loop {
        let projection = operate::read(backend, name).await?;
        let rebuild = projection.state.rebuild(id).ok_or_else(|| super::unknown(name, id))?;
        let rebuild = show::rebuild(name, rebuild, backend.clock.now());
        shown.tell(&rebuild)?;
        if let Some(end) = end(&rebuild) {
            shown.finish(&end)?;
            return end.map(drop).map_err(Failed::from);
        }
        tokio::time::sleep(POLL).await;
    }
}

/// The end of a rebuild; an error if its rows never become live.
fn end(rebuild: &Rebuild) -> Option<Result<String, String>> {
    let Rebuild { id, state, report, .. } = rebuild;
    match state {
        Stage::Requested | Stage::Prepared | Stage::Scanning | Stage::Verifying => None,
        Stage::Ready => {
            let drift = report.as_ref().map_or(0, |report| report.drift);
            let waits = rebuild.promote == Promote::Manual || drift > 0;
            let name = rebuild.projection.as_str();
            waits.then(|| {
                Ok(format!("rebuild {id} is ready, {drift} rows differ: `waitlist rebuild promote {name}`"))
            })
        }
        Stage::Promoted => Some(Ok(format!("rebuild {id} is live"))),
        Stage::Rejected | Stage::Cancelled | Stage::RolledBack => {
            Some(Err(format!("rebuild {id} is {}", state.as_str())))
        }
    }
}

impl Shown {
    fn tell(&mut self, rebuild: &Rebuild) -> Result<(), Failed> {
        match self {
            Self::Bar => telemetry::tell(format!("\r{}\x1b[K", bar(rebuild))),
            Self::Lines(last) => {
                let now = serde_json::to_value(rebuild)?;
                if last.as_ref() != Some(&now) {
                    print_text(&format!("{now}\n"))?;
                    *last = Some(now);
                }
            }
        }
        Ok(())
    }

    fn finish(&self, end: &Result<String, String>) -> Result<(), Failed> {
        match self {
            Self::Bar => {
                telemetry::tell("\n".to_owned());
                end.as_ref().map_or(Ok(()), |text| Ok(print_text(&format!("{text}\n"))?))
            }
            Self::Lines(_) => Ok(()),
        }
    }
}

fn bar(rebuild: &Rebuild) -> String {
    let (done, of) = (rebuild.segments.done as usize, rebuild.segments.of as usize);
    let filled = (done * BAR_CELLS).checked_div(of).unwrap_or_default();
    format!(
        "{:<9} [{}{}] {}",
        rebuild.state.as_str(),
        "#".repeat(filled),
        ".".repeat(BAR_CELLS - filled),
        progress(rebuild)
    )
}

/// Segments, pace, rows and the time that is left.
pub(super) fn progress(rebuild: &Rebuild) -> String {
    let Rebuild { segments, commits, rows, .. } = rebuild;
    let mut text = format!("{}/{} segments, {commits} commits, {rows} rows", segments.done, segments.of);
    if let Some(pace) = rebuild.commits_per_second {
        text.push_str(&format!(", {pace} commits/s"));
    }
    if let Some(seconds) = rebuild.eta_seconds {
        text.push_str(&format!(", {} left", humantime::format_duration(Duration::from_secs(seconds))));
    }
    text
}
