//! All projections are rebuilt while clients write and read.
//!
//! `WAITLIST_COMMITS=200000 cargo test --test journeys rebuilds::clients -- --nocapture` prints how long it takes, and
//! the server's memory, for a past of so many commits.

use std::time::{Duration, Instant};

use schema::projection::Name;

use super::busy::{Busy, Client, commits};
use crate::place::is_external;

const CLIENTS: usize = 16;
const SEED: u64 = 20_261_130;
/// The time in which clients write and read before the rebuilds, for comparison.
const BEFORE: Duration = Duration::from_secs(2);

#[tokio::test]
async fn all_projections_are_rebuilt_while_sixteen_clients_write_and_read() {
    if is_external() {
        return; // a past is made up only in the embedded engine
    }
    let commits = commits();
    let (busy, server) = Busy::new(commits).await;
    let before = busy.during(CLIENTS, SEED, tokio::time::sleep(BEFORE)).await.0;
    let idle_kib = server.peak_resident_kib();
    let begun = Instant::now();
    let rebuilt = async {
        for name in Name::ALL {
            busy.start(name, &format!("start-{}", name.as_str())).await.unwrap();
        }
        busy.finished().await;
        begun.elapsed()
    };
    let (clients, took) = busy.during(CLIENTS, SEED + 100, rebuilt).await;
    let busy_kib = server.peak_resident_kib();
    for name in Name::ALL {
        let rebuilds = busy.rebuilds(name).await;
        assert_eq!(rebuilds.len(), 1);
        assert_eq!(rebuilds[0]["state"], "promoted", "{:#}", rebuilds[0]);
        assert_eq!(rebuilds[0]["report"]["drift"], 0, "{:#}", rebuilds[0]);
        println!("{}: {}, {} rows", name.as_str(), rebuilds[0]["segments"], rebuilds[0]["rows"]);
    }
    let rows = busy.settled().await;
    let sent = busy.sent_once().await;
    println!(
        "{commits} commits: rebuilt in {:.1} s, {rows} rows equal the log, {sent} messages",
        took.as_secs_f64()
    );
    println!("before: {}; meanwhile: {}", told(&before), told(&clients));
    println!("peak resident memory: {idle_kib:?} KiB before, {busy_kib:?} KiB after");
    assert_eq!(server.interrupt().await, Some(0));
}

fn told(clients: &[Client]) -> String {
    let writes: usize = clients.iter().map(|client| client.writes).sum();
    let mut reads: Vec<Duration> = clients.iter().flat_map(|client| client.reads.clone()).collect();
    reads.sort_unstable();
    let at = |percent: usize| {
        reads.get((reads.len().max(1) - 1) * percent / 100).copied().unwrap_or_default().as_millis()
    };
    format!(
        "{writes} writes, {} reads, ms at 50 %: {}, 99 %: {}, most: {}",
        reads.len(),
        at(50),
        at(99),
        at(100)
    )
}
