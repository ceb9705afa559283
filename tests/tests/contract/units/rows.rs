//! The units of projections and reads.

use projections::feed::{self, Doorbell};
use schema::{StreamId, WaiteeId, WaitlistId};
use serde_json::json;
use waitlist_tests::{costs::documented, stage::Stage};

use super::{reads, rung, typical_join, units, visit};

#[tokio::test]
async fn a_doorbell_with_all_missing_commits_does_not_read_the_log() {
    let stage = Stage::new().await;
    let owner = stage.owner();
    let list = owner.list("Main room").await;
    let ana = owner.join(&list, "Ana").await;
    let stream = StreamId::from(ana.parse::<WaiteeId>().unwrap());
    stage.project(stream).await;
    assert_eq!(owner.post(&format!("/v1/waitees/{ana}/call"), json!({})).await.status, 202);
    let commits = stage.commits(stream).await;
    let _before = stage.meter.take();
    let doorbell = Doorbell { stream, last: 2, commits };
    assert_eq!(feed::apply(&stage.backend, &doorbell).await.unwrap(), feed::Applied::Written);
    let used = stage.meter.take();
    assert!(!used.reads.contains_key("events"), "{used:?}");
}

#[tokio::test]
async fn a_doorbell_reads_one_row_and_writes_it_with_the_indexes_that_change() {
    let stage = Stage::new().await;
    let owner = stage.owner();
    let list = owner.list("Main room").await;
    let list_stream: StreamId = list.parse::<WaitlistId>().unwrap().into();
    let (row, active, day) = ("events-waitees-g0", "events-waitees-g0/active", "events-waitees-g0/day");
    let due = "events-waitees-g0/due";
    assert_eq!(
        rung(&stage, list_stream, "events-waitlists-g0", "a new list").await,
        units([("events-waitlists-g0", 1), ("events-waitlists-g0/owned", 1)])
    );

    let ana = typical_join(&owner, &list).await;
    assert_eq!(
        rung(&stage, visit(&ana), row, "a party joins").await,
        units([(row, 1), (active, 1), (day, 1), (due, 1)]),
        "in all indexes"
    );
    owner.post(&format!("/v1/waitees/{ana}/call"), json!({})).await;
    assert_eq!(
        rung(&stage, visit(&ana), row, "a party is called").await,
        units([(row, 1), (active, 1), (due, 2)]),
        "due at another time"
    );
    assert_eq!(
        owner
            .send("PATCH", &format!("/v1/waitees/{ana}"), Some(&json!({ "party_size": 5 })), &[])
            .await
            .status,
        200
    );
    assert_eq!(
        rung(&stage, visit(&ana), row, "a party's size changes").await,
        units([(row, 1), (active, 1)]),
        "the other indexes hold only keys, which did not change"
    );
    owner.post(&format!("/v1/waitees/{ana}/seat"), json!({})).await;
    assert_eq!(
        rung(&stage, visit(&ana), row, "a party is seated").await,
        units([(row, 1), (active, 1)]),
        "off the board, with a message still due"
    );
}

#[tokio::test]
async fn a_board_costs_half_a_unit_per_4_kb_and_its_keys_once_a_minute() {
    let stage = Stage::new().await;
    let owner = stage.owner();
    let list = owner.list("Main room").await;
    stage.project(StreamId::from(list.parse::<WaitlistId>().unwrap())).await;
    for _ in 0..30 {
        let party = typical_join(&owner, &list).await;
        stage.project(visit(&party)).await;
        stage.backend.clock.advance_millis(1_000);
    }
    stage.backend.clock.advance_millis(60_000); // no key is cached any longer
    let path = format!("/v1/waitlists/{list}/waitees");
    for keys in [31.0, 0.0] {
        let _before = stage.meter.take();
        let board = owner.get(&path).await;
        assert_eq!(board.body["items"].as_array().unwrap().len(), 30);
        assert_eq!(board.body["items"][29]["phone"], "+14155552671", "opened");
        let used = stage.meter.take();
        assert_eq!(used.writes, units([]));
        let at_hand = if keys > 0.0 { "no keys cached" } else { "keys cached" };
        documented(&stage, &format!("a board of 30 parties, {at_hand}"), &used);
        if stage.counts_reads() {
            let board = used.reads["events-waitees-g0/active"];
            assert!(board <= 3.0, "half a unit per 4 KB: {board}");
            assert_eq!(
                used.reads,
                reads([("events-waitlists-g0", 1.0), ("events-waitees-g0/active", board), ("vault", keys)])
            );
        }
    }
}

#[tokio::test]
async fn a_sync_token_of_a_stream_outside_the_answer_costs_one_unit() {
    let stage = Stage::new().await;
    let owner = stage.owner();
    let list = owner.list("Main room").await;
    let [ana, ben] = [typical_join(&owner, &list).await, typical_join(&owner, &list).await];
    owner.post(&format!("/v1/waitees/{ana}/call"), json!({})).await;
    let mut calls = Vec::new();
    for (tokens, units) in [
        (String::new(), 0.0),
        (format!("waitee-{ana}@2"), 1.0),
        (format!("waitee-{ana}@1, waitee-{ben}@1"), 2.0),
    ] {
        let headers: Vec<_> =
            [("Sync-Token", tokens.as_str())].into_iter().filter(|(_, tokens)| !tokens.is_empty()).collect();
        let _before = stage.meter.take();
        assert_eq!(owner.send("GET", "/v1/waitlists", None, &headers).await.status, 200, "{tokens}");
        let used = stage.meter.take();
        calls.push(used.calls);
        if units == 1.0 {
            documented(&stage, "an account's lists, with a `Sync-Token` of another stream", &used);
        }
        if stage.counts_reads() {
            assert_eq!(used.reads.get("events").copied().unwrap_or_default(), units, "{tokens}");
        }
    }
    assert_eq!(calls, [1, 2, 3]);
}
