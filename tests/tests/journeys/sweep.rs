//! A sweep after a restore of the vault, and on the command line.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use infra::vault::{Held, Subject};
use local::workers::{Consumer, receive_once};
use projections::feed::Feed;
use reactors::{
    erasure::{Eraser, forget},
    tick::Tick,
};
use schema::{StreamId, WaiteeId, table::VAULT};
use serde_json::{Value, json};
use sweep::{Pace, Report, Sweep};
use waitlist_tests::{
    account::PASSWORD,
    process::{run, run_on_aws},
    stage::{Owner, Stage},
};

use crate::{
    place::{Place, is_external, text},
    raw::scan,
    reads::feed,
};

/// After this time the tick looks after an erasure that is not finished. The hold of a called party is longer.
const ERASURE_LATE_MS: i64 = 6 * 60_000;

const VALUES: [&str; 4] = ["Ana Anonyma", "by the window", "+12025550143", "a long wait"];

async fn swept(stage: &Stage) -> Report {
    let mut sweep = Sweep::begin(&stage.backend).await.unwrap();
    sweep.run(&stage.backend, &Pace::new(None, None), |_| ()).await.unwrap();
    sweep.report
}

/// Lets the eraser work off its queue. Returns the number of messages.
async fn erase_again(stage: &Stage) -> usize {
    let eraser = Consumer::Eraser(Eraser::new(stage.another()));
    let mut handled = 0;
    loop {
        match receive_once(&stage.backend.erasures, &eraser).await {
            0 => return handled,
            some => handled += some,
        }
    }
}

/// All items of the vault by their subjects.
async fn vault(stage: &Stage) -> HashMap<String, HashMap<String, AttributeValue>> {
    let items = scan(&stage.dynamodb, &VAULT, &stage.prefix).await;
    items.into_iter().map(|item| (text(&item, "subject").to_owned(), item)).collect()
}

async fn put_back(stage: &Stage, item: &HashMap<String, AttributeValue>) {
    let put = stage.dynamodb.put_item().table_name(VAULT.name(&stage.prefix));
    put.set_item(Some(item.clone())).send().await.unwrap();
}

/// Asserts that no read shows a value of the guest.
async fn assert_shows_nothing(owner: &Owner<'_>, list: &str, guest: &str) {
    for path in [
        format!("/v1/waitees/{guest}"),
        format!("/v1/waitees/{guest}/history"),
        format!("/v1/waitlists/{list}/waitees"),
        format!("/v1/waitlists/{list}/waitees?day=2026-11-20"),
        format!("/v1/audit?target=waitee-{guest}"),
        "/v1/audit/export?format=ndjson".to_owned(),
    ] {
        let answer = owner.get(&path).await;
        assert_eq!(answer.status, 200, "{path}: {answer:?}");
        let shown = answer.body.to_string();
        assert!(VALUES.iter().all(|value| !shown.contains(value)), "{path}: {shown}");
        assert!(path.ends_with("waitees") || shown.contains(guest), "{path}: {shown}");
    }
}

#[tokio::test]
async fn a_command_on_a_prefix_without_tables_names_the_prefix_and_what_to_do() {
    let stage = Stage::new().await;
    let queues = ["RETRIES", "ERASURES", "STREAM_FAILURES"].map(|name| format!("WAITLIST_{name}_URL"));
    let mut env: Vec<(&str, &str)> = queues.iter().map(|name| (name.as_str(), "table")).collect();
    env.push(("WAITLIST_PREFIX", "nowhere"));
    for command in [&["sweep"][..], &["projections"], &["verify", "--all"]] {
        let refused = run_on_aws(&stage, command, &env).await;
        assert_eq!(refused.code, Some(1), "{refused:?}");
        let advice =
            "no tables with the prefix nowhere; deploy the stack of this name, or set WAITLIST_PREFIX";
        assert!(refused.err.contains(advice), "{refused:?}");
    }
    if is_external() {
        return; // the command creates the tables of its prefix
    }
    let place = Place::new();
    let server = place.serve(&[]).await;
    let refused = run(place.path(), &["sweep"], &[("WAITLIST_PREFIX", "elsewhere")]).await;
    assert_eq!(refused.code, Some(1), "{refused:?}");
    assert!(refused.err.contains("no tables with the prefix elsewhere; process "), "{refused:?}");
    assert!(refused.err.contains("run `waitlist serve` with the new prefix"), "{refused:?}");
    assert_eq!(server.interrupt().await, Some(0));
}

#[tokio::test]
async fn a_guest_whose_key_a_restore_brought_back_is_erased_again() {
    let stage = Stage::new().await;
    let owner = stage.registered().await;
    let list = owner.list("Main room").await;
    let body = json!({ "name": VALUES[0], "party_size": 2, "note": VALUES[1], "phone": VALUES[2], "language": "en" });
    let ana = owner.post(&format!("/v1/waitlists/{list}/waitees"), body).await.id();
    let left = owner.post(&format!("/v1/waitees/{ana}/leave"), json!({ "reason": VALUES[3] })).await;
    assert_eq!(left.status, 200);
    let before = vault(&stage).await;
    assert_eq!(owner.post(&format!("/v1/waitees/{ana}/erase"), json!({})).await.status, 202);
    let stream: StreamId = ana.parse::<WaiteeId>().unwrap().into();
    forget(&stage.another(), stream).await.unwrap();
    feed(&stage).await;
    stage.backend.clock.advance_millis(120_000);
    assert_eq!((swept(&stage).await.buried, erase_again(&stage).await), (0, 0));

    let subject = Subject::Guest { account: owner.id, guest: ana.parse().unwrap() };
    put_back(&stage, &before[&subject.to_string()]).await;
    assert!(stage.another().vault.key(subject).await.unwrap().is_some());
    assert_shows_nothing(&owner, &list, &ana).await;
    assert_eq!((swept(&stage).await.buried, erase_again(&stage).await), (1, 1));
    assert_shows_nothing(&owner, &list, &ana).await;
    let other = stage.another();
    assert!(matches!(other.vault.held(subject).await.unwrap(), Held::Tombstone));
    assert!(other.vault.create(subject).await.is_err(), "it never gets a key again");
    assert_eq!(swept(&stage).await.buried, 0);
    let kinds: Vec<String> =
        stage.commits(stream).await.iter().flat_map(|commit| commit.types().unwrap()).collect();
    assert_eq!(kinds.iter().filter(|kind| *kind == "waitee.forgotten").count(), 1, "{kinds:?}");
}

#[tokio::test]
async fn an_account_whose_key_and_claim_a_restore_brought_back_is_erased_again() {
    let stage = Stage::new().await;
    let owner = stage.registered().await;
    let before = vault(&stage).await;
    assert_eq!(owner.post("/v1/me/erase", json!({ "current_password": PASSWORD })).await.status, 202);
    forget(&stage.another(), owner.id.into()).await.unwrap();
    let erased = vault(&stage).await;
    for item in before.values() {
        put_back(&stage, item).await;
    }
    assert_eq!((swept(&stage).await.buried, erase_again(&stage).await), (1, 1));
    assert_eq!(vault(&stage).await, erased, "the tombstone stands again, and the address is free");
}

/// The rows of these visits are rung, and the tick finds on them what the reactor missed.
#[tokio::test]
async fn a_message_and_an_erasure_that_both_readers_of_the_stream_lost_are_queued_after_a_sweep() {
    let stage = Stage::new().await;
    let owner = stage.owner();
    let list = owner.list("Main room").await;
    let (ana, ben) = (owner.join(&list, "Ana").await, owner.join(&list, "Ben").await);
    assert_eq!(owner.post(&format!("/v1/waitees/{ana}/call"), json!({})).await.status, 202);
    assert_eq!(owner.post(&format!("/v1/waitees/{ben}/erase"), json!({})).await.status, 202);
    stage.backend.clock.advance_millis(ERASURE_LATE_MS);
    let tick = Tick::new(stage.backend.clone());
    assert_eq!(tick.look().await.unwrap().queued, 0, "without rows the tick finds nothing");
    assert_eq!(swept(&stage).await.rung, 3);
    let projector = Consumer::Projector(Feed::new(stage.backend.clone()));
    while receive_once(&stage.backend.retries, &projector).await > 0 {}
    assert_eq!(tick.look().await.unwrap().queued, 2);
    let queued = stage.backend.deliveries.receive(10).await.unwrap();
    let mut streams: Vec<String> = queued
        .iter()
        .map(|message| {
            serde_json::from_str::<Value>(&message.body).unwrap()["stream"].as_str().unwrap().to_owned()
        })
        .collect();
    streams.sort();
    let mut expected = [ana, ben].map(|id| format!("waitee-{id}"));
    expected.sort();
    assert_eq!(streams, expected);
}

#[tokio::test]
async fn a_sweep_on_aws_names_a_row_ahead_and_fails() {
    let stage = Stage::new().await;
    let owner = stage.owner();
    let list = owner.list("Main room").await;
    let ana = owner.join(&list, "Ana").await;
    feed(&stage).await;
    let settings = ["RETRIES", "ERASURES", "STREAM_FAILURES"].map(|name| format!("WAITLIST_{name}_URL"));
    let settings: Vec<(&str, &str)> = settings.iter().map(|name| (name.as_str(), "table")).collect();
    let run = async |args: &[&str]| run_on_aws(&stage, &[&["sweep"], args].concat(), &settings).await;
    let fine = run(&["--read-units", "100000"]).await;
    assert_eq!(fine.code, Some(0), "{fine:?}");
    assert!(fine.out.starts_with("2 commits of 2 streams; 0 doorbells rung again"), "{fine:?}");

    let delete = stage.dynamodb.delete_item().table_name(schema::table::EVENTS.name(&stage.prefix));
    let delete = delete.key("stream", AttributeValue::S(format!("waitee-{ana}")));
    delete.key("seq", AttributeValue::N("1".into())).send().await.unwrap();
    let found = run(&[]).await;
    assert_eq!(found.code, Some(1), "{found:?}");
    let named = format!("waitee-{ana}: its row in waitees g0 shows event 1, and the log has no such stream");
    assert!(found.out.contains(&named), "{found:?}");
    assert!(found.err.contains("a row is ahead of the log"), "{found:?}");
    let found: Value = serde_json::from_str(&run(&["--json"]).await.out).unwrap();
    assert_eq!((&found["ok"], &found["extra"], &found["ahead"]), (&json!(false), &json!(1), &json!(0)));
    assert_eq!(found["rows"][0]["stream"], format!("waitee-{ana}"));
    assert_eq!(run(&["--read-units", "0"]).await.code, Some(2));
}

#[tokio::test]
async fn a_sweep_without_a_server_leaves_its_messages_to_the_next() {
    if is_external() {
        return; // without a server the command uses the data directory's engine
    }
    let place = Place::new();
    let server = place.serve(&[]).await; // makes the data directory
    assert_eq!(server.interrupt().await, Some(0));
    assert_eq!(place.run(&["seed", "--commits", "300"]).await.code, Some(0));
    let swept = place.run(&["sweep", "--json"]).await;
    assert_eq!(swept.code, Some(0), "{swept:?}");
    let swept: Value = serde_json::from_str(&swept.out).unwrap();
    assert_eq!((&swept["ok"], &swept["rung"]), (&json!(true), &json!(0)), "{swept}");
    assert!(swept["commits"].as_u64().unwrap() >= 300, "{swept}");
}
