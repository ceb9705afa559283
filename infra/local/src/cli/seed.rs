//! `waitlist seed`: makes up a past in the data directory.

use std::path::Path;

use clap::Args;
use infra::Clock;
use schema::Time;
use serde_json::json;

use super::{Failed, print, progress::Progress};
use crate::{
    data_dir::DataDir,
    seed::{COMMITS_MAX, COMMITS_MIN, PASSWORD, Plan, Seeded, seed},
};

#[derive(Debug, Args)]
pub(super) struct Seed {
    /// How many commits to make up, 20 to 10000000: an account with three lists, and evenings of their visits.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(COMMITS_MIN..=COMMITS_MAX))]
    commits: u64,

    /// With the same --commits and --until, the same number makes the same past, except for keys and sealed values.
    /// Each number makes an account of its own, once: a past whose making was stopped early stays as it is.
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
    let progress = Progress::new();
    let tell = |made: u64| progress.tell(|| format!("{made} of {commits} commits"));
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
