//! What operations cost, in the units that are paid for. Every test asserts the whole bill: what is not named costs nothing.
//!
//! Write units are asserted on every engine. Read units are left out on ministack, which charges strong reads as if they
//! were not.

mod bounds;
mod guests;
mod mails;
mod messages;

use infra::log;
use projections::feed::{self, Doorbell};
use reactors::erasure::forget;
use schema::{StreamId, WaiteeId, WaitlistId, commit::Tail};
use serde_json::json;
use waitlist_tests::{
    account::PASSWORD,
    costs::documented,
    meter::Units,
    past::{author, fresh_stream, joined, next, seated},
    stage::{Owner, Stage},
};

/// A stored commit without the text of its events.
const ENVELOPE_BYTES_MAX: usize = 500;
/// Up to here an item costs one write unit.
const WRITE_UNIT_BYTES: usize = 1024;

#[tokio::test]
async fn a_command_of_one_event_writes_one_unit_and_one_for_the_audit_index() {
    let stage = Stage::new().await;
    let owner = stage.owner();
    let list = owner.list("Main room").await;
    let ana = owner.join(&list, "Ana").await;
    for (what, body) in [
        ("call", json!({})),
        ("confirm", json!({})),
        ("seat", json!({ "reason": "the window table" })),
        ("restore", json!({})),
    ] {
        let _before = stage.meter.take();
        let answer = owner
            .send("POST", &format!("/v1/waitees/{ana}/{what}"), Some(&body), &[("Idempotency-Key", what)])
            .await;
        assert!(answer.status < 300, "{answer:?}");
        let used = stage.meter.take();
        assert_eq!(used.writes, units([("events", 1), ("events/audit", 1)]), "{what}");
        if what == "confirm" {
            documented(&stage, "a command with one event", &used);
        }
    }
}

#[tokio::test]
async fn a_command_that_changes_nothing_writes_nothing() {
    let stage = Stage::new().await;
    let owner = stage.owner();
    let list = owner.list("Main room").await;
    let _before = stage.meter.take();
    assert_eq!(owner.post(&format!("/v1/waitlists/{list}/open"), json!({})).await.status, 200);
    let used = stage.meter.take();
    assert_eq!(used.writes, units([]));
    documented(&stage, "a command that changes nothing", &used);
}

#[tokio::test]
async fn a_join_with_name_phone_and_note_writes_its_commit_and_its_key() {
    let stage = Stage::new().await;
    let owner = stage.owner();
    let list = owner.list("Main room").await;
    let _before = stage.meter.take();
    let joined = typical_join(&owner, &list).await;
    let used = stage.meter.take();
    assert_eq!(used.writes, units([("events", 1), ("events/audit", 1), ("vault", 1)]));
    documented(&stage, "a host adds a party with name, phone and note", &used);
    if stage.counts_reads() {
        // The list's latest commit, and the stream that is still empty; the board, empty as well, which DynamoDB Local gives
        // for nothing. The account's key is at hand.
        let most = reads([("events", 2.0), ("events-waitees-g0/active", 0.5)]);
        assert!(
            used.reads.iter().all(|(name, units)| most.get(name).is_some_and(|most| units <= most)),
            "{used:?}"
        );
    }
    assert!(log::size(&stage.item(visit(&joined), 1).await) < WRITE_UNIT_BYTES);
}

#[tokio::test]
async fn three_events_of_one_commit_share_its_units() {
    let stage = Stage::new().await;
    let events = [(); 3].map(|()| seated(348));
    let commit = next(fresh_stream(), &Tail::EMPTY, &author(), &events);
    assert!(
        (1_190..1_220).contains(&commit.events.len()),
        "three times about 400 bytes: {}",
        commit.events.len()
    );
    let _before = stage.meter.take();
    stage.backend.log.append(&[commit], vec![]).await.unwrap();
    let used = stage.meter.take();
    assert_eq!(used.writes, units([("events", 2), ("events/audit", 1)]));
    documented(&stage, "one commit of three events of 400 bytes each", &used);
}

#[tokio::test]
async fn two_streams_in_one_transaction_write_twice_the_units() {
    let stage = Stage::new().await;
    let both = [(); 2].map(|()| next(fresh_stream(), &Tail::EMPTY, &author(), &[joined()]));
    let _before = stage.meter.take();
    stage.backend.log.append(&both, vec![]).await.unwrap();
    let used = stage.meter.take();
    documented(&stage, "one commit in each of two streams, in one transaction", &used);
    let writes = used.writes;
    // DynamoDB Local counts a transaction as if it were none, ministack does not tell the index apart; AWS's documents say
    // twice for the table.
    let wanted = match (stage.is_on("dynamodb-local"), stage.is_on("ministack")) {
        (true, _) => 2.0,
        (_, true) => 6.0,
        (false, false) => 4.0,
    };
    assert_eq!(writes["events"], wanted, "{writes:?}");
}

#[tokio::test]
async fn an_envelope_is_at_most_500_bytes() {
    let stage = Stage::new().await;
    let owner = stage.owner();
    let body = json!({ "name": "Main room", "time_zone": "America/Los_Angeles", "region": "US" });
    let key = ("Idempotency-Key", "a key of any length is kept as sixteen bytes".replace(' ', "-"));
    let key = [(key.0, key.1.as_str())];
    let list = owner.send("POST", "/v1/waitlists", Some(&body), &key).await.id();
    owner
        .send(
            "PATCH",
            &format!("/v1/waitlists/{list}"),
            Some(&json!({ "capacity": 100 })),
            &[("Idempotency-Key", "2")],
        )
        .await;
    let ana = owner
        .send(
            "POST",
            &format!("/v1/waitlists/{list}/waitees"),
            Some(&json!({ "name": "Ana", "party_size": 2 })),
            &key,
        )
        .await
        .id();
    owner
        .send(
            "PATCH",
            &format!("/v1/waitees/{ana}"),
            Some(&json!({ "note": "by the window" })),
            &[("Idempotency-Key", "2")],
        )
        .await;

    let list: StreamId = list.parse::<WaitlistId>().unwrap().into();
    for (stream, seq) in [(list, 1), (list, 2), (visit(&ana), 1), (visit(&ana), 2)] {
        let item = stage.item(stream, seq).await;
        let correlation = item["correlation"].as_s().unwrap();
        assert!(
            item.contains_key("command") && item.contains_key("request") && correlation.len() == 36,
            "the longest there is"
        );
        let envelope = log::size(&item) - item["events"].as_s().unwrap().len();
        assert!(envelope <= ENVELOPE_BYTES_MAX, "{stream}@{seq}: {envelope} bytes");
    }
}

#[tokio::test]
async fn a_party_of_ten_commits_is_loaded_for_two_units() {
    let stage = Stage::new().await;
    let owner = stage.owner();
    let list = owner.list("Main room").await;
    let ana = typical_join(&owner, &list).await;
    for what in ["call", "call", "confirm", "restore", "call", "seat", "restore", "call", "seat"] {
        assert!(owner.post(&format!("/v1/waitees/{ana}/{what}"), json!({})).await.status < 300);
    }
    let _before = stage.meter.take();
    assert_eq!(stage.backend.log.load(visit(&ana)).await.unwrap().len(), 10);
    let used = stage.meter.take();
    assert_eq!(used.calls, 1);
    documented(&stage, "loading a visit of ten commits", &used);
    if stage.counts_reads() {
        assert!(used.reads["events"] <= 2.0, "{used:?}");
    }
}

#[tokio::test]
async fn a_doorbell_that_brings_what_is_known_besides_does_not_read_the_log() {
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
        "into all indexes"
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
        "the others hold keys only, and none changed"
    );
    owner.post(&format!("/v1/waitees/{ana}/seat"), json!({})).await;
    assert_eq!(
        rung(&stage, visit(&ana), row, "a party is seated").await,
        units([(row, 1), (active, 1)]),
        "off the board, and still a message is due"
    );
}

#[tokio::test]
async fn a_board_of_thirty_parties_is_read_by_the_page_and_its_keys_once_a_minute() {
    let stage = Stage::new().await;
    let owner = stage.owner();
    let list = owner.list("Main room").await;
    stage.project(StreamId::from(list.parse::<WaitlistId>().unwrap())).await;
    for _ in 0..30 {
        let party = typical_join(&owner, &list).await;
        stage.project(visit(&party)).await;
        stage.backend.clock.advance_millis(1_000);
    }
    stage.backend.clock.advance_millis(60_000); // by now no key is at hand
    let path = format!("/v1/waitlists/{list}/waitees");
    for keys in [31.0, 0.0] {
        let _before = stage.meter.take();
        let board = owner.get(&path).await;
        assert_eq!(board.body["items"].as_array().unwrap().len(), 30);
        assert_eq!(board.body["items"][29]["phone"], "+14155552671", "opened");
        let used = stage.meter.take();
        assert_eq!(used.writes, units([]));
        let at_hand = if keys > 0.0 { "no keys at hand" } else { "keys at hand" };
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
async fn a_token_of_a_stream_that_the_answer_is_not_made_from_reads_one_unit() {
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

#[tokio::test]
async fn forgetting_a_guest_reads_the_stream_twice_and_writes_a_tombstone_and_a_fact() {
    let stage = Stage::new().await;
    let owner = stage.owner();
    let list = owner.list("Main room").await;
    let ana = typical_join(&owner, &list).await;
    let _before = stage.meter.take();
    assert_eq!(owner.post(&format!("/v1/waitees/{ana}/erase"), json!({})).await.status, 202);
    assert_eq!(
        stage.meter.take().writes,
        units([("events", 1), ("events/audit", 1)]),
        "off the board and erased, in one commit"
    );
    forget(&stage.another(), visit(&ana)).await.unwrap();
    let used = stage.meter.take();
    assert_eq!(used.writes, units([("events", 1), ("events/audit", 1), ("vault", 1)]));
    documented(&stage, "forgetting a guest", &used);
    assert_eq!(used.calls, 4);
    if stage.counts_reads() {
        assert_eq!(used.reads, reads([("events", 2.0)]));
    }
    forget(&stage.another(), visit(&ana)).await.unwrap();
    let used = stage.meter.take();
    assert_eq!((used.writes, used.calls), (units([]), 1), "a message that comes again");
}

#[tokio::test]
async fn forgetting_an_account_opens_and_gives_up_its_address_besides() {
    let stage = Stage::new().await;
    let owner = stage.registered().await;
    assert_eq!(owner.post("/v1/me/erase", json!({ "current_password": PASSWORD })).await.status, 202);
    let eraser = stage.another();
    let _before = stage.meter.take();
    forget(&eraser, owner.id.into()).await.unwrap();
    let used = stage.meter.take();
    assert_eq!(used.writes, units([("events", 1), ("events/audit", 1), ("vault", 2)]));
    documented(&stage, "forgetting an account and, with it, its guests", &used);
    assert_eq!(used.calls, 6);
    if stage.counts_reads() {
        assert_eq!(used.reads, reads([("events", 2.0), ("vault", 1.0)]));
    }
}

/// A party with a name, a telephone number and a note of usual length; its id.
async fn typical_join(owner: &Owner<'_>, list: &str) -> String {
    let body = json!({ "name": "Ana María González", "party_size": 4, "phone": "(415) 555-2671", "note": "high chair, by the window if possible" });
    let answer = owner.post(&format!("/v1/waitlists/{list}/waitees"), body).await;
    assert_eq!(answer.status, 201, "{answer:?}");
    answer.id()
}

/// What one doorbell for a stream's last commit writes; it reads one unit, of the row's table.
async fn rung(stage: &Stage, stream: StreamId, row_table: &str, operation: &str) -> Units {
    let last = stage.commits(stream).await.pop().unwrap();
    let doorbell = Doorbell { stream, last: last.last, commits: vec![last] };
    let _before = stage.meter.take();
    feed::apply(&stage.backend, &doorbell).await.unwrap();
    let used = stage.meter.take();
    assert_eq!(used.calls, 2, "one read, one write");
    if stage.counts_reads() {
        assert_eq!(used.reads, reads([(row_table, 1.0)]));
    }
    documented(stage, &format!("a doorbell: {operation}"), &used);
    used.writes
}

fn units<const N: usize>(units: [(&str, u32); N]) -> Units {
    units.into_iter().map(|(name, amount)| (name.to_owned(), f64::from(amount))).collect()
}

fn reads<const N: usize>(units: [(&str, f64); N]) -> Units {
    units
        .into_iter()
        .filter(|(_, amount)| *amount > 0.0)
        .map(|(name, amount)| (name.to_owned(), amount))
        .collect()
}

fn visit(id: &str) -> StreamId {
    id.parse::<WaiteeId>().unwrap().into()
}
