//! The month of one restaurant, and the growth of many.

use infra::telemetry::metrics::DECLARED;
use waitlist_tests::template::resources;

use super::{
    operations::{
        adding, authorizing, board, calling_by_text, door, generations, joining, keys_of_a_board, refreshing,
        seating, signing_in, tick, visit,
    },
    prices::{
        ALARMS, Bill, DASHBOARDS, INVOCATIONS, KEYS, METRICS, READS, RECOVERABLE, SECRETS, STORED, TRACES,
        WRITES,
    },
    units,
};

const NIGHTS: f64 = 30.0;
const HOURS: f64 = 6.0;
const PARTIES: f64 = 150.0;
/// Half of the parties join by themselves.
const BY_THEMSELVES: f64 = 0.5;
/// Parties that are called by text. The others are told at the door.
const CALLED: f64 = 0.8;
const TABLETS: f64 = 2.0;
const BOARD_POLL_S: f64 = 3.0;
const WAIT_MINUTES: f64 = 25.0;
const VISIT_POLL_S: f64 = 10.0;
const MONTH_DAYS: f64 = 30.0;

const VISITS: f64 = 37e6;
const COMMITS_OF_A_VISIT: f64 = 10.0;
/// Bytes of a commit with its entry in the index `audit`, and of a row with its entries in indexes.
const COMMIT_BYTES: f64 = 1_300.0;
const ROW_BYTES: f64 = 2_000.0;
/// The read units of a commit in an eventually consistent scan, as measured for checkpoints.
const READ_UNITS_OF_A_COMMIT: f64 = 0.065;

/// Assumed values of each dimension of a metric. CloudWatch charges each combination of values as a metric.
const VALUES_OF_A_DIMENSION: usize = 4;

fn invocations(bill: &Bill) -> f64 {
    bill.dollars_of(&[INVOCATIONS]) / INVOCATIONS.dollars * INVOCATIONS.per
}

fn fixed() -> Bill {
    let number = |kind: &str| resources(kind).len() as f64;
    let deployed = DECLARED.iter().filter(|metric| !metric.description.contains("Only on a local server"));
    let metrics: usize =
        deployed.map(|metric| VALUES_OF_A_DIMENSION.pow(metric.dimensions.len() as u32)).sum();
    let minutes = MONTH_DAYS * 24.0 * 60.0;
    Bill::of(KEYS, number("AWS::KMS::Key"))
        + Bill::of(SECRETS, number("AWS::SecretsManager::Secret"))
        + Bill::of(ALARMS, number("AWS::CloudWatch::Alarm"))
        + Bill::of(DASHBOARDS, number("AWS::CloudWatch::Dashboard"))
        + Bill::of(METRICS, metrics as f64)
        + tick() * minutes
}

fn restaurant() -> [(&'static str, Bill); 5] {
    let parties = NIGHTS * PARTIES;
    let open_s = NIGHTS * HOURS * 3_600.0;
    let boards = TABLETS * open_s / BOARD_POLL_S;
    let visits = parties * BY_THEMSELVES * WAIT_MINUTES * 60.0 / VISIT_POLL_S;
    [
        (
            "4,500 parties join and are seated; four of five are called, by text",
            joining() * (parties * BY_THEMSELVES)
                + adding() * (parties * (1.0 - BY_THEMSELVES))
                + calling_by_text() * (parties * CALLED)
                + seating() * parties,
        ),
        (
            "two tablets poll the board each 3 s, 6 hours a night",
            board() * boards + (keys_of_a_board() + authorizing() * TABLETS) * (open_s / 60.0),
        ),
        (
            "half of the parties read their place each 10 s for 25 minutes, and each party loads the list once",
            visit() * visits + door() * parties,
        ),
        (
            "sessions and the set of generations",
            signing_in() * NIGHTS
                + refreshing() * (TABLETS * open_s / 900.0)
                + generations() * (open_s / 5.0),
        ),
        (
            "events and rows of a year, recoverable",
            (Bill::of(STORED, 1.0) + Bill::of(RECOVERABLE, 1.0)) * stored_gb(parties * 12.0),
        ),
    ]
}

fn stored_gb(visits: f64) -> f64 {
    visits * (COMMITS_OF_A_VISIT * COMMIT_BYTES + ROW_BYTES) / 1e9
}

pub(super) fn parts() -> Vec<(&'static str, Bill)> {
    let parts = restaurant();
    let sum = parts.iter().fold(Bill::default(), |sum, (_, bill)| sum + bill.clone());
    let traces = Bill::of(TRACES, invocations(&sum));
    let mut rows: Vec<_> = parts.into_iter().collect();
    rows.push(("one restaurant, texts and traces left out", sum));
    rows.push((
        "the deployment itself, for all restaurants: keys, secrets, alarms, dashboard, metrics, tick",
        fixed(),
    ));
    rows.push((
        "a trace for each invocation of one restaurant, which is the most that X-Ray records",
        traces,
    ));
    rows
}

pub(super) fn growth() -> Vec<(&'static str, String, Bill)> {
    let gb = stored_gb(VISITS);
    let commits = VISITS * COMMITS_OF_A_VISIT;
    let puts =
        units("a doorbell: a party joins").dollars_of(&[WRITES]) / WRITES.dollars * WRITES.per * VISITS;
    let scan = commits * 2.0 * READ_UNITS_OF_A_COMMIT; // strongly consistent
    let rebuild = Bill::of(WRITES, puts) + Bill::of(READS, scan + 2.0 * VISITS);
    let swept = units("a sweep of 1,000 commits in 100 visits, with a row each") * (commits / 1_000.0);
    let hours = |per_second: f64| puts / per_second / 3_600.0;
    vec![
        (
            "stored and recoverable, a month",
            format!("{gb:.0} GB"),
            (Bill::of(STORED, 1.0) + Bill::of(RECOVERABLE, 1.0)) * gb,
        ),
        ("partitions of 10 GB", format!("{:.0}", gb / 10.0), Bill::default()),
        (
            "a rebuild of all visits at 4,000 write units a second",
            format!("{:.0} hours", hours(4_000.0)),
            rebuild.clone(),
        ),
        ("the same at 40,000 write units a second", format!("{:.1} hours", hours(40_000.0)), rebuild),
        ("a whole sweep", format!("{:.0} million commits", commits / 1e6), swept),
        (
            "a checkpoint, or its check",
            format!("{:.0} million commits", commits / 1e6),
            Bill::of(READS, commits * READ_UNITS_OF_A_COMMIT),
        ),
    ]
}
