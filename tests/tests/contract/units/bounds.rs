//! The units of operations on long streams: either the length is bounded, or the units do not depend on it.

use schema::{Commit, StreamId, WaitlistId, commit::Tail, waitee, waitlist};
use serde_json::json;
use waitlist_tests::{
    costs::documented,
    past::{author, called, next},
    stage::{Owner, Stage},
};

use super::{reads, typical_join, visit};

/// Calls that, with the join, make 499 events: one fewer than a visit accepts.
const CALLS: usize = 498;

/// Makes a visit whose history is almost full.
async fn long_visit(stage: &Stage, owner: &Owner<'_>) -> StreamId {
    let list = owner.list("Main room").await;
    let stream = visit(&typical_join(owner, &list).await);
    let author = schema::commit::Author { tenant: owner.id, ..author() };
    let mut commits = stage.commits(stream).await;
    for _ in 0..CALLS {
        let tail = commits.last().map_or(Tail::EMPTY, Commit::tail);
        commits.push(next::<waitee::Event>(stream, &tail, &author, &[called()]));
    }
    stage.put_past(&commits[1..]).await;
    stage.project(stream).await;
    stream
}

#[tokio::test]
async fn a_command_on_the_longest_visit_costs_less_than_a_hundred_units() {
    let stage = Stage::new().await;
    let owner = stage.owner();
    let stream = long_visit(&stage, &owner).await;
    let _before = stage.meter.take();
    let seated = owner.post(&format!("/v1/waitees/{}/seat", stream.id), json!({})).await;
    assert_eq!((seated.status, seated.header("etag")), (200, "\"500\""), "{seated:?}");
    let used = stage.meter.take();
    documented(&stage, "a command on a visit of 499 events, one fewer than the bound", &used);
    if stage.counts_reads() {
        assert!(used.reads["events"] < 100.0, "{used:?}");
    }
}

#[tokio::test]
async fn a_page_of_history_costs_the_same_anywhere_in_the_stream() {
    let stage = Stage::new().await;
    let owner = stage.owner();
    let stream = long_visit(&stage, &owner).await;
    let mut cursor = String::new();
    for page in 0..9 {
        let _before = stage.meter.take();
        let path = format!("/v1/waitees/{}/history?limit=50{cursor}", stream.id);
        let shown = owner.get(&path).await;
        let used = stage.meter.take();
        assert_eq!(shown.body["verified"]["ok"], json!(true), "page {page}: {shown:?}");
        cursor = format!("&cursor={}", shown.body["next"].as_str().unwrap());
        if page == 5 {
            documented(&stage, "a page of 50 of the history of such a visit, keys cached", &used);
        }
        if stage.counts_reads() {
            assert!(used.reads["events"] <= 12.0, "page {page}: {used:?}");
        }
    }
}

#[tokio::test]
async fn a_command_on_a_list_reads_only_its_last_hundred_commits() {
    let stage = Stage::new().await;
    let owner = stage.owner();
    let author = schema::commit::Author { tenant: owner.id, ..author() };
    let mut costs = Vec::new();
    for length in [150, 400] {
        let stream = StreamId::from(owner.list("Main room").await.parse::<WaitlistId>().unwrap());
        let mut commits = stage.commits(stream).await;
        let made = commits[0].facts::<waitlist::Event>().unwrap()[0].event.state().clone();
        while commits.len() < length {
            let tail = commits.last().map_or(Tail::EMPTY, Commit::tail);
            commits.push(next(stream, &tail, &author, &[waitlist::Event::SettingsChanged(made.clone())]));
        }
        stage.put_past(&commits[1..]).await;
        let _before = stage.meter.take();
        let closed = owner.post(&format!("/v1/waitlists/{}/close", stream.id), json!({})).await;
        assert_eq!(closed.status, 200, "{closed:?}");
        costs.push(stage.meter.take());
    }
    documented(&stage, "a command on a list of more than a hundred events, however many", &costs[1]);
    if stage.counts_reads() {
        assert_eq!(costs[0], costs[1]);
        assert!(costs[1].reads["events"] < 30.0 && costs[1].reads.len() == reads([("events", 1.0)]).len());
    }
}
