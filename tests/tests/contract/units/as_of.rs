//! The units of reads as of an earlier time.

use std::env;

use infra::Clock;
use projections::feed::{self, Doorbell};
use schema::{
    Commit, StreamId, Time, WaiteeId, WaitlistId,
    commit::{Author, Tail},
    waitee::Event,
};
use serde_json::json;
use waitlist_tests::{
    costs::documented,
    past::{self, author, fresh_stream, joined, next, seated},
    stage::{Owner, Stage},
};

use super::{reads, typical_join, units, visit};

const ON_BOARD: usize = 30;

/// The visits of the day, those on the board among them.
fn visits() -> usize {
    if env::var("WAITLIST_FULL").is_ok_and(|full| full == "1") { 2_000 } else { 200 }
}

/// Puts `WAITLIST_COMMITS` commits of other visits into the table. The units of a read do not depend on them.
async fn fill(stage: &Stage) {
    const COMMITS_AT_ONCE: usize = 10_000;
    const VISIT_COMMITS: usize = 10;
    let commits: usize = env::var("WAITLIST_COMMITS").map_or(0, |commits| commits.parse().unwrap());
    for _ in 0..commits.div_ceil(COMMITS_AT_ONCE) {
        let visits = 0..COMMITS_AT_ONCE / VISIT_COMMITS;
        let past: Vec<Commit> = visits.flat_map(|_| past::visit(fresh_stream(), VISIT_COMMITS)).collect();
        stage.put_past(&past).await;
    }
}

/// A party joined the list and was seated a millisecond later. Its row is written.
async fn was_seated(stage: &Stage, owner: &Owner<'_>, list: WaitlistId) -> Vec<Commit> {
    let stream = StreamId::from(WaiteeId(Clock::system().id(stage.backend.clock.now())));
    let author = Author { tenant: owner.id, ..author() };
    let Event::Joined(mut joined) = joined() else { panic!("a party joins") };
    joined.waitlist = list;
    let first = next(stream, &Tail::EMPTY, &author, &[Event::Joined(joined)]);
    let second = next(stream, &first.tail(), &author, &[seated(40)]);
    let commits = vec![first, second];
    let doorbell = Doorbell { stream, last: 2, commits: commits.clone() };
    feed::apply(&stage.backend, &doorbell).await.unwrap();
    commits
}

/// A list with a board of 30 parties on a day of many visits. Returns the list, a party, and a time at which
/// the board was full. All parties are seated since.
async fn a_day(stage: &Stage, owner: &Owner<'_>) -> (String, String, Time) {
    let list = owner.list("Main room").await;
    let mut past = Vec::new();
    for _ in 0..visits() - ON_BOARD {
        past.extend(was_seated(stage, owner, list.parse().unwrap()).await);
    }
    stage.put_past(&past).await;
    let mut parties = Vec::new();
    for _ in 0..ON_BOARD {
        stage.backend.clock.advance_millis(1_000);
        parties.push(typical_join(owner, &list).await);
    }
    let then = stage.backend.clock.now();
    stage.backend.clock.advance_millis(3_600_000);
    for party in &parties {
        assert_eq!(owner.post(&format!("/v1/waitees/{party}/seat"), json!({})).await.status, 200);
        stage.project(visit(party)).await;
    }
    stage.backend.clock.advance_millis(60_000);
    (list, parties.swap_remove(0), then)
}

#[tokio::test]
async fn a_past_board_reads_the_rows_of_the_day_and_the_streams_of_the_board() {
    let stage = Stage::new().await;
    fill(&stage).await;
    let owner = stage.owner();
    let (list, party, then) = a_day(&stage, &owner).await;
    let board = format!("/v1/waitlists/{list}/waitees?limit=200&as_of={then}");
    assert_eq!(owner.get(&board).await.status, 200); // caches the keys
    let _before = stage.meter.take();
    let shown = owner.get(&board).await;
    let used = stage.meter.take();
    assert_eq!(shown.body["items"].as_array().unwrap().len(), ON_BOARD);
    assert_eq!(shown.body["items"][29]["phone"], "+14155552671", "opened");
    assert_eq!(used.writes, units([]));
    let day = format!("on a day of {} visits", visits());
    documented(&stage, &format!("a board of 30 parties as of an earlier time, {day}, keys cached"), &used);
    if stage.counts_reads() {
        let index = used.reads["events-waitees-g0/day"];
        assert!(index <= visits() as f64 / 20.0, "half a unit per 4 KB of keys: {index}");
        let streams = ON_BOARD as f64 + 2.0; // the list's first and last commit besides
        let rows = visits() as f64;
        let wanted = [("events", streams), ("events-waitees-g0", rows), ("events-waitees-g0/day", index)];
        assert_eq!(used.reads, reads(wanted));
    }

    let now = stage.backend.clock.now().plus_millis(-10_000);
    assert_eq!(owner.get(&format!("/v1/waitees/{party}?as_of={now}")).await.body["state"], "seated");
    let used = stage.meter.take();
    documented(&stage, "a party as of a time at which it was not on the board, keys cached", &used);
    if stage.counts_reads() {
        assert_eq!(used.reads, reads([("events", 3.0)]), "the visit, and the list's first and last commit");
    }
}
