//! `waitlist audit` without a subcommand: shows the history of an account, after recording who reads it.

use std::{collections::BTreeMap, env};

use clap::Args;
use infra::function::Need;
use projections::{
    audit::{PARAMETERS, Query, page},
    reading,
};
use schema::{Problem, UserId, body, problem::Place, reading::HistoryRead};
use serde_json::json;

use super::super::{Failed, Misuse, deployment::Deployment, print};

const NAME_CHARS_MAX: usize = 100;

#[derive(Debug, Args)]
pub(super) struct History {
    /// Id of the account whose history is read.
    #[arg(long, value_name = "UUID", env = "WAITLIST_ACCOUNT")]
    account: UserId,

    /// Your name, as the account's owner sees it in the history; the name of the system's user by default.
    #[arg(long, value_name = "NAME", value_parser = name)]
    by: Option<String>,

    /// Only events from this time on, RFC 3339.
    #[arg(long, value_name = "TIME")]
    from: Option<String>,

    /// Only events before this time, RFC 3339.
    #[arg(long, value_name = "TIME")]
    to: Option<String>,

    /// Only events caused by user:UUID, guest:UUID or system:COMPONENT.
    #[arg(long)]
    actor: Option<String>,

    /// Only events of a type, such as waitee.removed, or of a category: waitee.*.
    #[arg(long, value_name = "TYPE")]
    action: Option<String>,

    /// Only events of a stream, such as waitee-UUID.
    #[arg(long, value_name = "STREAM")]
    target: Option<String>,

    /// Only events of a list and its visits.
    #[arg(long, value_name = "UUID")]
    waitlist: Option<String>,

    /// Only events of one request, by its id.
    #[arg(long, value_name = "REQUEST")]
    correlation: Option<String>,

    /// asc or desc: oldest or newest first.
    #[arg(long, default_value = "desc")]
    order: String,

    /// The next of an earlier page.
    #[arg(long)]
    cursor: Option<String>,

    /// Events on the page, 1 to 200.
    #[arg(long, default_value = "50", value_name = "N")]
    limit: String,
}

/// Opening values needs the key that wraps the account's.
pub(super) const NEEDS: &[Need] = &[Need::MasterKey];

impl History {
    /// Reads the filters as the route does.
    ///
    /// # Errors
    /// The option that does not parse, and what it must be.
    pub(super) fn query(&self) -> Result<Query, Misuse> {
        Query::parse(self.values()).map_err(|problem| Misuse(wrong(&problem)))
    }

    fn values(&self) -> [Option<String>; PARAMETERS.len()] {
        let Self { from, to, actor, action, target, waitlist, correlation, order, cursor, limit, .. } = self;
        let (order, limit) = (Some(order.clone()), Some(limit.clone()));
        [from, to, actor, action, target, waitlist, correlation, &order, cursor, &limit].map(Clone::clone)
    }

    fn reading(&self) -> HistoryRead {
        let given = PARAMETERS.into_iter().zip(self.values());
        let arguments: BTreeMap<String, String> =
            given.filter_map(|(name, value)| Some((name.to_owned(), value?))).collect();
        let by = self.by.clone().or_else(system_user).unwrap_or_else(|| "unknown".to_owned());
        HistoryRead { by, command: "audit".to_owned(), arguments }
    }
}

/// Records the reading, and prints a page: one line per event with time, actor, type, stream, number and data.
pub(super) async fn run(
    deployment: &Deployment,
    history: &History,
    query: &Query,
    json: bool,
) -> Result<(), Failed> {
    let backend = &deployment.backend;
    let account = history.account;
    reading::record(backend, account, history.reading())
        .await?
        .ok_or_else(|| format!("there is no account {account}"))?;
    let page = page(backend, account, query, &[]).await?;
    Ok(print(json, &table(&page), &json!(page))?)
}

fn table(page: &body::Audit) -> String {
    let rows: Vec<[String; 5]> = page
        .items
        .iter()
        .map(|event| {
            let body::Event { stream, seq, kind, at, actor, data, .. } = event;
            [at.to_string(), actor.clone(), kind.clone(), format!("{stream}@{seq}"), data.to_string()]
        })
        .collect();
    let width = |column: usize| rows.iter().map(|row| row[column].len()).max().unwrap_or_default();
    let widths = [0, 1, 2, 3].map(width);
    let mut lines: Vec<String> = rows
        .iter()
        .map(|[at, actor, kind, stream, data]| {
            let [w0, w1, w2, w3] = widths;
            format!("{at:w0$}  {actor:w1$}  {kind:w2$}  {stream:w3$}  {data}")
        })
        .collect();
    match &page.next {
        Some(next) => lines.push(format!("there is more: --cursor {next}")),
        None if lines.is_empty() => lines.push("no events".to_owned()),
        None => {}
    }
    lines.join("\n")
}

fn wrong(problem: &Problem) -> String {
    let fault = problem.errors.first().map(|fault| match &fault.at {
        Place::Parameter(name) | Place::Pointer(name) | Place::Header(name) => {
            format!("--{name} {}", fault.detail)
        }
    });
    fault.unwrap_or_else(|| problem.detail.clone())
}

fn name(text: &str) -> Result<String, String> {
    let is_name = (1..=NAME_CHARS_MAX).contains(&text.chars().count()) && !text.chars().any(char::is_control);
    if is_name { Ok(text.to_owned()) } else { Err(format!("must have 1 to {NAME_CHARS_MAX} characters")) }
}

fn system_user() -> Option<String> {
    env::var("USER").ok().and_then(|user| name(&user).ok())
}
