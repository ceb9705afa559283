//! The units of commands and commits.

use infra::log;
use schema::{StreamId, WaitlistId, commit::Tail};
use serde_json::json;
use waitlist_tests::{
    costs::documented,
    external,
    past::{author, fresh_stream, joined, next, seated},
    stage::Stage,
};

use super::{WRITE_UNIT_BYTES, reads, typical_join, units, visit};

/// The bound on a stored commit without the text of its events.
const ENVELOPE_BYTES_MAX: usize = 500;

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
        // The list's latest commit, the new stream and the board. DynamoDB Local counts nothing for the empty
        // board. The account's key is cached.
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
    // DynamoDB Local counts a transaction like single writes; ministack counts the index as the table. AWS
    // documents twice the units for the table.
    let wanted = match (external::is_on("dynamodb-local"), external::is_on("ministack")) {
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
            "the longest command, request and correlation"
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
