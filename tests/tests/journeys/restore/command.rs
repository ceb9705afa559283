//! The commands of a restore, as an operator runs them.

use serde_json::{Value, json};
use waitlist_tests::{process::run_on_aws, stage::Stage};

use super::Evening;
use crate::place::{Place, is_external};

#[tokio::test]
async fn the_commands_of_a_restore_name_what_was_lost_and_prepare_the_tables() {
    let before = Stage::new().await;
    let evening = Evening::pass(&before).await;
    let lost = evening.go_on().await;
    let kept = tempfile::tempdir().unwrap();
    let path = |name: &str| kept.path().join(name).display().to_string();
    let (file, key) = (path("checkpoint.txt"), path("key"));
    let made = run_on_aws(&before, &["audit", "checkpoint", &file, "--key", &key, "--json"], &[]).await;
    assert_eq!(made.code, Some(0), "{made:?}");
    let made: Value = serde_json::from_str(&made.out).unwrap();
    let verifier = made["verifier_key"].as_str().unwrap();

    let after = evening.restored().await;
    let checked =
        run_on_aws(&after, &["audit", "check", &file, "--verifier-key", verifier, "--json"], &[]).await;
    assert_eq!(checked.code, Some(1), "{checked:?}");
    let checked: Value = serde_json::from_str(&checked.out).unwrap();
    let named: Vec<&str> =
        checked["bad"].as_array().unwrap().iter().map(|bad| bad["stream"].as_str().unwrap()).collect();
    assert_eq!(named, lost.keys().map(String::as_str).collect::<Vec<_>>());

    let at = evening.until.to_string();
    let restore = ["restore", "--at", &at, "--erased-in", &before.prefix];
    let done = run_on_aws(&after, &restore, &[]).await;
    assert_eq!(done.code, Some(0), "{done:?}");
    assert!(done.out.ends_with("; 1 erasure repeated, 6 messages not sent any more\n"), "{done:?}");
    let again = run_on_aws(&after, &[&restore[..], &["--json"]].concat(), &[]).await;
    let again: Value = serde_json::from_str(&again.out).unwrap();
    assert_eq!(
        (&again["ok"], &again["erased"], &again["settled"], &again["left"]),
        (&json!(true), &json!(0), &json!(0), &json!(0)),
        "{again}"
    );
    let queues = ["RETRIES", "ERASURES", "STREAM_FAILURES"].map(|name| format!("WAITLIST_{name}_URL"));
    let queues: Vec<(&str, &str)> = queues.iter().map(|name| (name.as_str(), "table")).collect();
    let swept = run_on_aws(&after, &["sweep", "--json"], &queues).await;
    assert_eq!(swept.code, Some(0), "{swept:?}");
    let swept: Value = serde_json::from_str(&swept.out).unwrap();
    assert_eq!((&swept["ok"], &swept["rung"]), (&json!(true), &json!(0)), "{swept}");
    assert_eq!(run_on_aws(&after, &["restore"], &[]).await.code, Some(2), "without an instant");
    for (prefix, code, said) in
        [("", 2, "'--erased-in <PREFIX>'"), ("nowhere", 1, "--erased-in nowhere: there is no table")]
    {
        let refused = run_on_aws(&after, &["restore", "--at", &at, "--erased-in", prefix], &[]).await;
        assert!(refused.code == Some(code) && refused.err.contains(said), "{refused:?}");
    }
}

#[tokio::test]
async fn tables_that_a_server_uses_are_not_prepared_and_a_copy_of_its_directory_has_no_server() {
    if is_external() {
        return; // a copied directory needs an engine of its own
    }
    let place = Place::new();
    let server = place.serve(&[]).await;
    let restore = ["restore", "--at", "2026-11-20T19:42:00Z"];
    let refused = place.run(&restore).await;
    assert_eq!(refused.code, Some(1), "{refused:?}");
    assert!(refused.err.contains("serves the tables with the prefix"), "{refused:?}");
    let named = place.path().join("server.json");

    let copy = Place::new();
    let other = copy.serve(&[]).await;
    assert_eq!(other.interrupt().await, Some(0));
    std::fs::copy(named, copy.path().join("server.json")).unwrap();
    let prepared = copy.run(&restore).await;
    assert_eq!(prepared.code, Some(0), "{prepared:?}");
    assert_eq!(server.interrupt().await, Some(0));
}
