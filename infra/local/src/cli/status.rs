//! `waitlist status`: the state of the local backend on one screen.

mod seen;

use std::time::Duration;

use humantime::format_duration;
use infra::backlog::{self, Backlog};
use projections::rebuild::operate;
use schema::{
    Time,
    body::projection::{Projection, Rebuild},
    projection::Name,
};
use serde_json::{Value, json};

use self::seen::Seen;
use super::{
    Failed,
    deployment::Deployment,
    print::{print, table},
    projections::generations,
};
use crate::data_dir::Running;

const ONLY_RUNNING: &str = "clock, last tick and lag are shown only while a server runs";

/// Prints the state of the server, its projections and its queues.
pub(super) async fn run(deployment: &Deployment, json: bool) -> Result<(), Failed> {
    let backend = &deployment.backend;
    let now = backend.clock.now();
    let seen = match &deployment.running {
        Some(running) => Some((running, Seen::ask(running).await?)),
        None => None,
    };
    let projections = operate::shown(backend, Name::ALL).await?;
    let queues = backlog::read(backend).await?;
    let seen = seen.as_ref().map(|(running, seen)| (*running, seen));
    let text = [
        table(&server(seen, deployment.former.as_ref(), now)),
        table(&rows_of_projections(&projections, seen.map(|(_, seen)| seen))),
        table(&rows_of_queues(&queues)),
    ];
    Ok(print(json, &text.join("\n\n"), &value(seen, &projections, &queues, now))?)
}

fn server(seen: Option<(&Running, &Seen)>, former: Option<&Running>, now: Time) -> Vec<[String; 2]> {
    let line = |name: &str, text: String| [name.to_owned(), text];
    let Some((Running { pid, http, control, .. }, seen)) = seen else {
        let why =
            former.map_or("start it with `waitlist serve`".to_owned(), |Running { pid, http, .. }| {
                format!("server.json names process {pid} at {http}, which does not answer")
            });
        return vec![line("server", format!("not running; {why}")), line("", ONLY_RUNNING.to_owned())];
    };
    let version = seen.version.as_deref().unwrap_or("unknown");
    let clock = if control.is_some() { "moved by `waitlist clock`" } else { "the machine's" };
    let tick = match (seen.shows_metrics, seen.looked_at) {
        (false, _) => "unknown: the server shows its metrics only to loopback addresses".to_owned(),
        (true, None) => "none since the server started".to_owned(),
        (true, Some(at)) => format!("{} ago", format_duration(Duration::from_secs(since_s(at, now)))),
    };
    vec![
        line("server", format!("{http}, process {pid}, version {version}")),
        line("clock", format!("{now}, {clock}")),
        line("last tick", tick),
    ]
}

fn rows_of_projections(projections: &[Projection], seen: Option<&Seen>) -> Vec<[String; 6]> {
    let headings = ["projection", "live", "building", "previous", "lag", "last rebuild"].map(str::to_owned);
    let row = |of: &Projection| {
        let lag = match seen {
            None => "unknown".to_owned(),
            Some(seen) => seen.lag_ms(of.name).map_or("-".to_owned(), |ms| format!("{ms} ms")),
        };
        let [live, building, previous] = generations(of);
        [
            of.name.as_str().to_owned(),
            live,
            building,
            previous,
            lag,
            of.rebuild.as_ref().map_or("-".to_owned(), progress),
        ]
    };
    std::iter::once(headings).chain(projections.iter().map(row)).collect()
}

fn progress(rebuild: &Rebuild) -> String {
    let state = rebuild.state.as_str();
    match &rebuild.segments {
        segments if rebuild.state.is_unfinished() => {
            format!("{state}, {}/{} segments", segments.done, segments.of)
        }
        _ => state.to_owned(),
    }
}

fn rows_of_queues(queues: &[Backlog]) -> Vec<[String; 3]> {
    let headings = ["queue", "waiting", "dead letters"].map(str::to_owned);
    let row = |of: &Backlog| {
        let dead = of.dead.map_or("-".to_owned(), |dead| dead.to_string());
        [of.queue.to_owned(), of.waiting.to_string(), dead]
    };
    std::iter::once(headings).chain(queues.iter().map(row)).collect()
}

fn value(
    seen: Option<(&Running, &Seen)>,
    projections: &[Projection],
    queues: &[Backlog],
    now: Time,
) -> Value {
    let server = seen.map(|(Running { pid, http, control, .. }, seen)| {
        let looked_at = seen.looked_at;
        json!({
            "pid": pid, "http": http, "version": seen.version, "now": now, "manual_clock": control.is_some(),
            "last_tick_at": looked_at, "metrics": seen.shows_metrics,
        })
    });
    let lag_ms = |name| seen.and_then(|(_, seen)| seen.lag_ms(name));
    let projections: Vec<Value> = projections
        .iter()
        .map(|of| {
            let Projection { name, live, building, previous, rebuild, .. } = of;
            json!({ "name": name, "live": live, "building": building, "previous": previous, "lag_ms": lag_ms(*name), "rebuild": rebuild })
        })
        .collect();
    let queues: Vec<Value> = queues
        .iter()
        .map(|Backlog { queue, waiting, dead }| json!({ "name": queue, "waiting": waiting, "dead": dead }))
        .collect();
    json!({ "running": seen.is_some(), "server": server, "projections": projections, "queues": queues })
}

fn since_s(at: Time, now: Time) -> u64 {
    u64::try_from((now.millis() - at.millis()) / 1_000).unwrap_or(0)
}
