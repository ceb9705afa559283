//! `waitlist audit` without a subcommand: shows the history of an account, after recording who reads it.

use clap::Args;
use infra::telemetry;
use projections::audit::{
    PARAMETERS, Query,
    export::{File, Format},
    page,
};
use schema::body;
use serde_json::json;

use super::{
    super::{Failed, Misuse, deployment::Deployment, print, print_bytes},
    reader::{Reader, arguments, wrong},
};

#[derive(Debug, Args)]
pub(super) struct History {
    #[command(flatten)]
    pub(super) reader: Reader,

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

    /// Print the page as CSV, for spreadsheet programs.
    #[arg(long, conflicts_with = "json")]
    csv: bool,
}

impl History {
    /// Reads the filters as the route does.
    ///
    /// # Errors
    /// The option that does not parse, and what it must be.
    pub(super) fn query(&self) -> Result<Query, Misuse> {
        Query::parse(self.values()).map_err(|problem| wrong(&problem))
    }

    fn values(&self) -> [Option<String>; PARAMETERS.len()] {
        let Self { from, to, actor, action, target, waitlist, correlation, order, cursor, limit, .. } = self;
        let (order, limit) = (Some(order.clone()), Some(limit.clone()));
        [from, to, actor, action, target, waitlist, correlation, &order, cursor, &limit].map(Clone::clone)
    }
}

/// Records the reading, and prints a page: one line per event with time, actor, type, stream, number and data.
pub(super) async fn run(
    deployment: &Deployment,
    history: &History,
    query: &Query,
    json: bool,
) -> Result<(), Failed> {
    let given = arguments(PARAMETERS, history.values());
    let account = history.reader.record(deployment, "audit", given).await?;
    let page = page(&deployment.backend, account, query, &[]).await?;
    if !history.csv {
        return Ok(print(json, &table(&page), &json!(page))?);
    }
    let mut file = File::new(Format::Csv);
    for event in &page.items {
        file.add(event, usize::MAX)?;
    }
    print_bytes(file.bytes())?;
    if let Some(next) = &page.next {
        telemetry::tell(format!("{}\n", more(next)));
    }
    Ok(())
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
        Some(next) => lines.push(more(next)),
        None if lines.is_empty() => lines.push("no events".to_owned()),
        None => {}
    }
    lines.join("\n")
}

fn more(next: &str) -> String {
    format!("there is more: --cursor {next}")
}
