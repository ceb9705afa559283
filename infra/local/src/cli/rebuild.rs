//! `waitlist rebuild`: starts, follows and ends rebuilds of projections, by the same functions as the routes.

mod estimate;
mod repair;
mod wait;

use clap::{Args, Subcommand};
use infra::{Failure, function::Need, log::Expect};
use projections::rebuild::{
    Command, Projection,
    operate::{self, Operator},
    show,
};
use schema::{
    StreamId,
    body::projection::{Rebuild as Shown, RebuildWish, StartRebuild},
    projection::{Name, Report},
    value::{Whole, WriteUnits},
};
use serde_json::json;
use uuid::Uuid;

use super::{Failed, Misuse, deployment::Deployment, print};

#[derive(Debug, Subcommand)]
pub(super) enum Rebuild {
    /// Make a new generation of a projection's rows from the log, while reads go on.
    Start(Start),
    /// Show the progress and the report of a rebuild.
    Status(Which),
    /// Make the verified rows of a rebuild live.
    Promote(Which),
    /// Give up an unfinished rebuild.
    Cancel(Which),
    /// Make the generation before the live one live again.
    Rollback {
        /// Name of the projection: waitlists, waitees, users or mails.
        name: Name,
    },
    /// Keep the generation before the live one no longer. There is no rollback then.
    Retire {
        /// Name of the projection: waitlists, waitees, users or mails.
        name: Name,
    },
}

#[derive(Debug, Args)]
pub(super) struct Start {
    /// Name of the projection: waitlists, waitees, users or mails.
    name: Name,

    /// Estimate the reads, writes, price and time from a sample of the log, and start nothing.
    #[arg(long, conflicts_with_all = ["wait", "stream"])]
    dry_run: bool,

    /// Make the rows live once they are verified, or leave that to `rebuild promote`.
    #[arg(long, default_value = "auto", value_parser = ["auto", "manual"])]
    promote: String,

    /// Write units that the rebuild may consume in a second, indexes included.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(i64).range(1..=i64::from(WriteUnits::MAX)))]
    write_units: Option<i64>,

    /// Reason, which is stored in clear: it must name nobody.
    #[arg(long)]
    reason: Option<String>,

    /// Follow the rebuild to its end: a bar in a terminal, else a line of JSON for each change.
    #[arg(long)]
    wait: bool,

    /// Repair the row of this stream alone, in place and at once: fold it from the log and write it over its row.
    #[arg(long, value_name = "STREAM", value_parser = super::stream, conflicts_with_all = ["promote", "write_units", "reason", "wait"])]
    stream: Option<StreamId>,
}

#[derive(Debug, Args)]
pub(super) struct Which {
    /// Name of the projection: waitlists, waitees, users or mails.
    name: Name,

    /// Id of the rebuild; the last one by default.
    #[arg(long)]
    id: Option<Uuid>,
}

/// A promotion counts the parked doorbells.
pub(super) const NEEDS: &[Need] = &[Need::Retries];

const NO_WORKER: &str = "no server runs on this data directory, and only a server works on rebuilds";

pub(super) async fn run(deployment: &Deployment, rebuild: &Rebuild, json: bool) -> Result<(), Failed> {
    let backend = &deployment.backend;
    let operator = Operator { by: None, correlation: backend.clock.id(backend.clock.now()).to_string() };
    match rebuild {
        Rebuild::Start(asked) => start(deployment, &operator, asked, json).await,
        Rebuild::Status(which) => {
            let (projection, id) = found(deployment, which).await?;
            status(deployment, which.name, &projection, id, json)
        }
        Rebuild::Promote(which) => {
            let (_, id) = found(deployment, which).await?;
            let promoted = operate::promote(backend, &operator, which.name, id, Expect::default()).await;
            told(json, promoted.map(|outcome| outcome.seq), id, &format!("rebuild {id} is live"))
        }
        Rebuild::Cancel(which) => {
            let (_, id) = found(deployment, which).await?;
            let cancel = Command::Cancel { rebuild: id, by: None };
            let cancelled = operate::run(backend, &operator, which.name, Expect::default(), &cancel).await;
            told(json, cancelled.map(|outcome| outcome.seq), id, &format!("rebuild {id} is cancelled"))
        }
        Rebuild::Rollback { name } => {
            let roll_back = Command::Rollback { by: None };
            let back = operate::run(backend, &operator, *name, Expect::default(), &roll_back).await;
            let back = back.map_err(refusal)?;
            let live = back.state.state.live;
            let text = format!("generation g{live} of {} is live again", name.as_str());
            Ok(print(json, &text, &json!({ "live": live, "seq": back.seq }))?)
        }
        Rebuild::Retire { name } => {
            let retire = Command::Retire { by: None };
            let retired = operate::run(backend, &operator, *name, Expect::default(), &retire).await;
            let retired = retired.map_err(refusal)?;
            let live = retired.state.state.live;
            let text = format!("only generation g{live} of {} is kept", name.as_str());
            Ok(print(json, &text, &json!({ "live": live, "seq": retired.seq }))?)
        }
    }
}

async fn start(
    deployment: &Deployment,
    operator: &Operator,
    asked: &Start,
    json: bool,
) -> Result<(), Failed> {
    let Start { name, dry_run, promote, write_units, reason, wait, stream } = asked;
    if let Some(stream) = stream {
        return repair::run(&deployment.backend, *name, *stream, json).await;
    }
    if *wait && !deployment.has_server {
        return Err(format!("{NO_WORKER}: start `waitlist serve`, or leave out --wait").into());
    }
    let body = StartRebuild {
        dry_run: Some(*dry_run),
        promote: Some(promote.clone()),
        write_units_per_second: write_units.map(Whole),
        reason: reason.clone(),
    };
    let wish: RebuildWish = body.parse().map_err(|problem| {
        let faults = problem.errors.iter().map(|fault| format!("--reason {}", fault.detail));
        Misuse(faults.collect::<Vec<_>>().join("; "))
    })?;
    if wish.dry_run {
        return estimate::run(&deployment.backend, *name, &wish, json).await;
    }
    let started = operate::start(&deployment.backend, operator, *name, wish, None).await.map_err(refusal)?;
    if *wait {
        return wait::until_over(&deployment.backend, *name, started.id, json).await;
    }
    let later =
        if deployment.has_server { String::new() } else { format!("; {NO_WORKER}: start `waitlist serve`") };
    let text = format!("rebuild {} of {} is requested{later}", started.id, name.as_str());
    Ok(print(
        json,
        &text,
        &json!({ "id": started.id, "seq": started.seq, "has_worker": deployment.has_server }),
    )?)
}

/// The projection, and the id of the rebuild that the arguments name.
async fn found(deployment: &Deployment, which: &Which) -> Result<(Projection, Uuid), Failed> {
    let projection = operate::read(&deployment.backend, which.name).await?;
    let last = || projection.state.rebuilds.last().map(|rebuild| rebuild.id);
    let id = which.id.or_else(last);
    let id = id.ok_or_else(|| format!("{} was never rebuilt", which.name.as_str()))?;
    Ok((projection, id))
}

fn status(
    deployment: &Deployment,
    name: Name,
    projection: &Projection,
    id: Uuid,
    json: bool,
) -> Result<(), Failed> {
    let rebuild = projection.state.rebuild(id).ok_or_else(|| unknown(name, id))?;
    let shown = show::rebuild(name, rebuild, deployment.backend.clock.now());
    let value = serde_json::to_value(&shown)?;
    Ok(print(json, &lines(&shown), &value)?)
}

fn unknown(name: Name, id: Uuid) -> String {
    format!("{} has no rebuild {id} among its last ones", name.as_str())
}

fn lines(shown: &Shown) -> String {
    let Shown { id, state, generation, requested_by, requested_at, .. } = shown;
    let mut lines = vec![
        format!("rebuild {id}: {}, generation g{generation}", state.as_str()),
        format!("requested by {requested_by} at {requested_at}"),
        wait::progress(shown),
    ];
    if let Some(report) = &shown.report {
        let Report { streams, missing, extra, drift, wrong, expected, lagging, unreadable, examples } =
            report;
        lines.push(format!(
            "{streams} streams compared: {missing} missing, {extra} extra, {drift} drift ({wrong} wrong), \
             {expected} expected, {lagging} lagging, {unreadable} unreadable"
        ));
        lines.extend(examples.iter().map(|example| {
            format!("  {}@{} {}", example.stream, example.seq, example.field.as_deref().unwrap_or("row"))
        }));
    }
    lines.join("\n")
}

fn told(json: bool, seq: Result<u64, Failure>, id: Uuid, text: &str) -> Result<(), Failed> {
    let seq = seq.map_err(refusal)?;
    Ok(print(json, text, &json!({ "id": id, "seq": seq }))?)
}

/// A refusal in the words of its problem.
fn refusal(failure: Failure) -> Failed {
    match failure {
        Failure::Refused(problem) => problem.detail.into(),
        failure @ (Failure::Conflict | Failure::Broken { .. }) => failure.into(),
    }
}
