//! `waitlist seed`: makes up a past in the data directory.

use std::{path::Path, sync::Mutex};

use clap::Args;
use infra::{Clock, telemetry};
use schema::Time;
use serde_json::json;
use tokio::time::{Duration, Instant};

use super::{Failed, print};
use crate::{
    data_dir::DataDir,
    seed::{COMMITS_MAX, COMMITS_MIN, PASSWORD, Plan, Seeded, seed},
};

/// The interval of lines of progress.
const TELL_EVERY: Duration = Duration::from_secs(2);

#[derive(Debug, Args)]
pub(super) struct Seed {
    /// How many commits to make up, 20 to 10000000: an account with three lists, and evenings of their visits.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(COMMITS_MIN..=COMMITS_MAX))]
    commits: u64,

    /// The same number makes the same past, but for keys and sealed values. Each number makes an account of its
    /// own.
    #[arg(long, default_value_t = 1, value_name = "NUMBER")]
    seed: u64,

    /// The end of the past, RFC 3339; now by default. The last evening's parties are still on the boards then.
    #[arg(long, value_name = "TIME")]
    until: Option<Time>,
}

/// Prints the account that was made. Progress goes to standard error. The directory is created if there is none.
pub(super) async fn run(data_dir: &Path, options: &Seed, json: bool) -> Result<(), Failed> {
    let Seed { commits, seed: number, until } = *options;
    let until = until.unwrap_or_else(|| Clock::system().now());
    let told = Mutex::new(Instant::now());
    let tell = |made: u64| {
        let Ok(mut told) = told.lock() else { return };
        if told.elapsed() >= TELL_EVERY {
            *told = Instant::now();
            telemetry::tell(format!("{made} of {commits} commits\n"));
        }
    };
    let made = seed(&DataDir::open(data_dir)?, Plan { commits, seed: number, until }, tell).await?;
    let Seeded { account, email, lists, commits, visits } = made;
    let mut lines = vec![
        format!("{commits} commits, {visits} visits"),
        format!("account {account}: {email}, password {PASSWORD:?}"),
    ];
    lines.extend(lists.iter().map(|(id, name)| format!("list {id}: {name}")));
    let lists: Vec<_> = lists.iter().map(|(id, name)| json!({ "id": id, "name": name })).collect();
    let shown = json!({
        "commits": commits, "visits": visits, "account": account, "email": email, "password": PASSWORD, "lists": lists,
    });
    Ok(print(json, &lines.join("\n"), &shown)?)
}
