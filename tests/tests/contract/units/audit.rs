//! The units of the history of an account, by filter.

use std::collections::BTreeMap;

use projections::reading;
use schema::reading::HistoryRead;
use serde_json::json;
use waitlist_tests::{
    costs::documented,
    meter::Used,
    stage::{Owner, Stage},
};

use super::{reads, typical_join, units, visit};

const PARTIES: usize = 40;
/// A party joins with sealed values, is called and is seated.
const COMMITS: usize = 3 * PARTIES;

/// An account with a list, whose parties are seated.
struct Past<'s> {
    owner: Owner<'s>,
    list: String,
    parties: Vec<String>,
}

impl<'s> Past<'s> {
    async fn of(stage: &'s Stage) -> Self {
        let owner = stage.registered().await;
        let list = owner.list("Main room").await;
        let mut parties = Vec::new();
        for _ in 0..PARTIES {
            let party = typical_join(&owner, &list).await;
            for what in ["call", "seat"] {
                owner.post(&format!("/v1/waitees/{party}/{what}"), json!({})).await;
            }
            stage.project(visit(&party)).await;
            stage.backend.clock.advance_millis(1_000);
            parties.push(party);
        }
        stage.project(owner.id).await;
        Self { owner, list, parties }
    }
}

#[tokio::test]
async fn a_page_of_an_accounts_history_costs_by_what_its_filter_examines() {
    let stage = Stage::new().await;
    let Past { owner, list, parties } = Past::of(&stage).await;
    let read = async |query: &str, shown: usize| -> Used {
        owner.get("/v1/audit?limit=200").await; // the keys are cached
        let _before = stage.meter.take();
        let page = owner.get(&format!("/v1/audit?{query}")).await;
        let used = stage.meter.take();
        assert_eq!(page.body["items"].as_array().unwrap().len(), shown, "{query}: {page:?}");
        assert_eq!(used.writes, units([]));
        used
    };
    let request = stage.commits(visit(&parties[0])).await[1].correlation.clone();
    // The commits that are read by their keys, the first ones of 17 visits for their list among them, and the visits with sealed values on the page.
    for (what, query, shown, commits, opened) in [
        ("50 newest events", "limit=50".to_owned(), 50, 51, 16),
        ("its 25 newest joins", "limit=25&action=waitee.joined".to_owned(), 25, 26, 25),
        ("the events of one visit", format!("target=waitee-{}", parties[0]), 3, 3, 1),
        ("the 50 newest of a list", format!("limit=50&waitlist={list}"), 50, 51 + 17, 16),
        ("the events of one request", format!("correlation={request}"), 1, COMMITS + 4, 0),
        ("a time without events", "from=2026-11-21T03:01:00Z&to=2026-11-21T03:01:30Z".to_owned(), 0, 0, 0),
    ] {
        let used = read(&query, shown).await;
        documented(&stage, &format!("a page of an account's history: {what}, keys cached"), &used);
        if stage.counts_as_documented() {
            // Each opened visit's row, and what its stream and the account's hold beyond their rows.
            let (commits, opened) = (commits as f64, f64::from(opened));
            let of_account = if opened > 0.0 { 1.0 } else { 0.0 };
            let mut expected = reads([
                ("events", commits + opened + of_account),
                ("events-waitees-g0", opened),
                ("events-users-g0", 1.0),
            ]);
            let of_index = used.reads["events/audit"]; // as documented
            expected.insert("events/audit".to_owned(), of_index);
            assert_eq!(used.reads, expected, "{what}");
        }
    }
}

#[tokio::test]
async fn a_part_of_an_export_costs_its_commits_and_the_visits_whose_values_it_opens() {
    let stage = Stage::new().await;
    let owner = Past::of(&stage).await.owner;
    stage.backend.clock.advance_millis(11_000);
    owner.get("/v1/audit?limit=200").await; // the keys are cached
    for format in ["ndjson", "csv"] {
        let path = format!("/v1/audit/export?format={format}&to=2026-11-21T03:01:00Z");
        let _before = stage.meter.take();
        let part = owner.get(&path).await;
        let used = stage.meter.take();
        let events = part.body.as_str().unwrap().lines().count();
        let expected = COMMITS + 4 + usize::from(format == "csv"); // and the header
        assert_eq!((part.status, part.header("link"), events), (200, "", expected));
        assert_eq!(used.writes, units([("events", 1), ("events/audit", 1)]));
        documented(
            &stage,
            "a part of an export: 124 commits, 40 visits with sealed values, keys cached",
            &used,
        );
    }
}

#[tokio::test]
async fn recording_that_an_operator_reads_costs_a_command_however_many_readings_there_were() {
    let stage = Stage::new().await;
    let account = stage.account().await;
    let mut costs = Vec::new();
    for _ in 0..3 {
        let read = HistoryRead { by: "cleo".into(), command: "audit".into(), arguments: BTreeMap::new() };
        let _before = stage.meter.take();
        reading::record(&stage.backend, account.id, read).await.unwrap().unwrap();
        costs.push(stage.meter.take());
    }
    assert_eq!(costs[1], costs[2]);
    assert_eq!(costs[2].writes, units([("events", 1), ("events/audit", 1)]));
    documented(&stage, "recording that an operator reads an account's history", &costs[2]);
}
