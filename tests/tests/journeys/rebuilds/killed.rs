//! The server is killed at random moments while projections are rebuilt and clients write and read.

use std::time::Duration;

use schema::projection::Name;

use super::busy::{Busy, VISIBILITY_S};
use crate::{
    load::{Random, is_full},
    place::is_external,
};

const COMMITS: u64 = 1_000;
const CLIENTS: usize = 6;
/// The longest time from a start to the next kill. A rebuild of this past takes about as long.
const ALIVE_MAX_MS: usize = 3_000;
/// The time after which every feed knows a candidate, and its rebuild goes on.
const HAND_OVER_S: u64 = 36;

fn kills() -> u64 {
    if is_full() { 50 } else { 3 }
}

/// Kills and restarts the server while rebuilds run. Returns the number of those that were started.
async fn killed(
    busy: &Busy,
    server: &mut Option<waitlist_tests::process::Server>,
    random: &mut Random,
) -> usize {
    let (mut started, mut ahead_s) = (0, 0);
    for death in 1..=kills() {
        for name in Name::ALL {
            if let Some(id) = busy.start(name, &format!("start-{death}-{}", name.as_str())).await {
                started += 1;
                if random.below(6) == 0 {
                    busy.cancel(name, &id, &format!("cancel-{death}-{}", name.as_str())).await;
                }
            }
        }
        let alive_ms = random.below(ALIVE_MAX_MS) as u64;
        tokio::time::sleep(Duration::from_millis(alive_ms / 3)).await;
        busy.advance(HAND_OVER_S).await;
        tokio::time::sleep(Duration::from_millis(alive_ms * 2 / 3)).await;
        *server = Some(busy.restarted(server.take().unwrap()).await);
        // The new server's clock shows the machine's time; messages wait until the former one's time.
        ahead_s += HAND_OVER_S + VISIBILITY_S;
        busy.advance(ahead_s).await;
    }
    busy.finished().await;
    started
}

#[tokio::test]
async fn rebuilds_end_and_no_reader_sees_a_half_built_generation_although_the_server_is_killed() {
    if is_external() {
        return; // a past is made up only in the embedded engine
    }
    let seed = u64::from_be_bytes(infra::clock::random());
    println!("seed {seed}");
    let (busy, server) = Busy::new(COMMITS).await;
    let mut server = Some(server);
    let mut random = Random::new(seed);
    let (clients, started) = busy.during(CLIENTS, seed, killed(&busy, &mut server, &mut random)).await;
    let writes: usize = clients.iter().map(|client| client.writes).sum();
    let reads: usize = clients.iter().map(|client| client.reads.len()).sum();
    let (mut promoted, mut cancelled) = (0, 0);
    for name in Name::ALL {
        for rebuild in busy.rebuilds(name).await {
            match rebuild["state"].as_str().unwrap() {
                "promoted" => promoted += 1,
                "cancelled" => cancelled += 1,
                _ => panic!("{rebuild:#}\n{}", server.unwrap().logs()),
            }
        }
    }
    let rows = busy.settled().await;
    println!(
        "{started} rebuilds: {promoted} promoted, {cancelled} cancelled; {writes} writes, {reads} reads, {rows} rows"
    );
    assert!(promoted > 0 && reads > 0 && writes > 0);
    let verified = busy.place.run(&["verify", "--all"]).await;
    assert_eq!(verified.code, Some(0), "{verified:?}");
    assert_eq!(server.unwrap().interrupt().await, Some(0));
}
