//! Estimates of rebuilds.

use schema::{body::projection::PRICED_ON, projection::Name};
use serde_json::{Value, json};
use waitlist_tests::{process::run_on_aws, stage::Stage};

use super::REBUILDS;
use crate::{bad_input::assert_is_problem, raw::census};

#[tokio::test]
async fn a_dry_run_is_an_estimate_that_stores_nothing_also_while_a_rebuild_runs() {
    let stage = Stage::new().await;
    let (operator, owner) = (stage.operator(), stage.owner());
    let list = owner.list("Main room").await;
    for name in ["Ana", "Ben", "Cem"] {
        owner.join(&list, name).await;
    }
    let running = operator.post(REBUILDS, json!({})).await;
    assert_eq!(running.status, 202, "{running:?}");
    let before = census(&stage.dynamodb, &stage.prefix).await;
    let dry = json!({ "dry_run": true, "write_units_per_second": 1, "reason": "how much is it" });
    let _before = stage.meter.take();
    let answer = operator.post(REBUILDS, dry.clone()).await;
    let used = stage.meter.take();
    assert_eq!(answer.status, 200, "{answer:?}");
    let estimate = &answer.body;
    assert_eq!((&estimate["commits"], &estimate["priced_on"]), (&json!(5), &json!(PRICED_ON)));
    assert_eq!(estimate["write_units"], 12, "three rows and their three indexes");
    assert!(estimate["seconds"].as_u64() >= Some(35 + 12), "{estimate}: one write unit a second");
    if stage.counts_as_documented() {
        assert_eq!(used.reads.keys().collect::<Vec<_>>(), ["events"]);
        assert_eq!(estimate["sample_read_units"].as_f64(), Some(used.reads["events"]));
    }
    assert!(used.writes.is_empty(), "{used:?}");
    let keyed = async |body: Value| {
        operator.send("POST", REBUILDS, Some(&body), &[("Idempotency-Key", "a-key")]).await
    };
    assert_eq!(keyed(dry.clone()).await.status, 200);
    assert_eq!(keyed(json!({ "dry_run": true })).await.status, 200, "a dry run is not remembered");
    for (body, pointer) in [
        (json!({ "dry_run": true, "promote": "later" }), "/promote"),
        (json!({ "dry_run": true, "write_units_per_second": 0 }), "/write_units_per_second"),
    ] {
        let refused = operator.post(REBUILDS, body).await;
        assert_is_problem(&refused, 422, "invalid-value", pointer);
        assert_eq!(refused.body["errors"][0]["pointer"], pointer);
    }
    let typed = operator.post(REBUILDS, json!({ "dry_run": "yes" })).await;
    assert_is_problem(&typed, 400, "malformed-body", "/dry_run");
    let key = [("Idempotency-Key", "")];
    let unreadable = operator.send("POST", REBUILDS, Some(&dry), &key).await;
    assert_eq!(unreadable.status, 400, "{unreadable:?}");
    let conditional = operator.send("POST", REBUILDS, Some(&dry), &[("If-Match", "\"7\"")]).await;
    assert_eq!(conditional.status, 412, "{conditional:?}");
    assert_eq!(census(&stage.dynamodb, &stage.prefix).await, before);
    assert_eq!(stage.commits(Name::Waitees.stream()).await.len(), 1);
}

#[tokio::test]
async fn the_command_prints_an_estimate_for_a_person_and_for_a_program() {
    let stage = Stage::new().await;
    let settings = [("WAITLIST_RETRIES_URL", "table")];
    let start = ["rebuild", "start", "waitees", "--dry-run", "--write-units", "500"];
    let text = run_on_aws(&stage, &start, &settings).await;
    assert_eq!(text.code, Some(0), "{text:?}");
    for line in ["a rebuild of waitees reads 0 commits", "USD", "the sample for this estimate used"] {
        assert!(text.out.contains(line), "{text:?}");
    }
    let json = run_on_aws(&stage, &[&start[..], &["--json"]].concat(), &settings).await;
    let estimate: Value = serde_json::from_str(&json.out).unwrap();
    assert_eq!((&estimate["commits"], &estimate["write_units"]), (&json!(0), &json!(0)));
    for more in ["--wait", "--stream=waitee-01920000-0000-7000-8000-000000000000"] {
        let misuse = run_on_aws(&stage, &[&start[..], &[more]].concat(), &settings).await;
        assert_eq!(misuse.code, Some(2), "{misuse:?}");
    }
    assert_eq!(stage.commits(Name::Waitees.stream()).await, []);
}
