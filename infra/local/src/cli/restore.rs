//! `waitlist restore`: prepares restored tables for use.

use clap::{Args, builder::NonEmptyStringValueParser};
use infra::{aws as sdk, config, function::Need, setup};
use schema::{Time, projection::Name};
use serde_json::json;
use sweep::{Restore as Plan, Restored, restore};

use super::{Failed, counted, deployment::Deployment, findings, print, progress::Progress};
use crate::data_dir::Running;

#[derive(Debug, Args)]
pub(super) struct Restore {
    /// The instant to which the events were restored, RFC 3339. Messages still to be sent at that instant are not sent any more.
    #[arg(long, value_name = "TIME")]
    at: Time,

    /// Prefix of the former tables, if their events can still be read. Accounts and guests erased there are erased here too.
    #[arg(long, value_name = "PREFIX", value_parser = NonEmptyStringValueParser::new())]
    erased_in: Option<String>,
}

/// Only tables of events and rows are used.
pub(super) const NEEDS: &[Need] = &[];

/// Prints what was done, and fails if a stream was left as it is. Progress goes to standard error.
pub(super) async fn run(
    deployment: &Deployment,
    options: &Restore,
    aws: bool,
    json: bool,
) -> Result<(), Failed> {
    let backend = &deployment.backend;
    if let Some(Running { pid, prefix, .. }) = &deployment.running
        && *prefix == config::prefix()
    {
        let advice = "stop it, or choose the prefix of the restored tables by WAITLIST_PREFIX";
        return Err(format!("process {pid} serves the tables with the prefix {prefix}; {advice}").into());
    }
    if aws {
        // In a data directory the tables of rows exist already.
        let dynamodb = aws_sdk_dynamodb::Client::new(&sdk::config().await);
        setup::create_rows(&dynamodb, &config::prefix()).await?;
    }
    let erased_in = options.erased_in.as_deref().map(|prefix| (prefix, backend.log.beside(prefix)));
    if let Some((prefix, former)) = &erased_in
        && former.latest(Name::Waitlists.stream()).await.is_err_and(|failure| failure.is_missing_table())
    {
        return Err(format!("--erased-in {prefix}: there is no table of events with this prefix").into());
    }
    let plan = Plan { until: options.at, erased_in: erased_in.map(|(_, former)| former) };
    let progress = Progress::new();
    let tell = |Restored { streams, rows, .. }: &Restored| {
        progress.tell(|| format!("{streams} streams and {rows} rows so far"));
    };
    let Restored { streams, rows, erased, settled, left, named } = restore(backend, &plan, tell).await?;
    let mut lines = findings(named.iter().map(|(stream, why)| format!("{stream}: {why}")), left);
    lines.push(format!(
        "{} written from {}; {} repeated, {} not sent any more",
        counted(rows, "row"),
        counted(streams, "stream"),
        counted(erased, "erasure"),
        counted(settled, "message"),
    ));
    let named: Vec<_> = named.iter().map(|(stream, why)| json!({ "stream": stream, "why": why })).collect();
    let shown = json!({
        "ok": left == 0, "at": options.at, "streams": streams, "rows": rows, "erased": erased, "settled": settled,
        "left": left, "named": named,
    });
    print(json, &lines.join("\n"), &shown)?;
    if left > 0 {
        return Err(format!("{} could not be prepared", counted(left, "stream")).into());
    }
    Ok(())
}
