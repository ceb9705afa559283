//! Rebuilds on the command line.

use schema::projection::Name;
use serde_json::{Value, json};
use waitlist_tests::{process::run_on_aws, stage::Stage};

use crate::place::{Place, is_external};

#[tokio::test]
async fn a_rebuild_is_asked_for_without_a_server_and_shown_and_cancelled() {
    if is_external() {
        return; // without a server the command uses the data directory's engine
    }
    let place = Place::new();
    let server = place.serve(&[]).await; // makes the data directory
    assert_eq!(server.interrupt().await, Some(0));
    let waited = place.run(&["rebuild", "start", "waitees", "--wait"]).await;
    assert_eq!((waited.code, waited.out.as_str()), (Some(1), ""));
    assert!(waited.err.contains("start `waitlist serve`, or leave out --wait"), "{waited:?}");

    let asked = ["rebuild", "start", "waitees", "--promote", "manual", "--reason", "a new field"];
    let started = place.run(&asked).await;
    assert_eq!(started.code, Some(0), "{started:?}");
    assert!(started.out.contains("only a server works on rebuilds"), "{started:?}");
    let table = place.run(&["projections"]).await.out;
    assert!(
        table.lines().any(|line| line.starts_with("waitees     g0") && line.ends_with("requested")),
        "{table}"
    );
    let again = place.run(&asked).await;
    assert_eq!(again.code, Some(1));
    assert!(again.err.contains("is unfinished. Cancel it"), "{again:?}");
    let status = place.run(&["rebuild", "status", "waitees", "--json"]).await;
    let status: Value = serde_json::from_str(&status.out).unwrap();
    assert_eq!((&status["state"], &status["requested_by"]), (&json!("requested"), &json!("system:operator")));
    assert_eq!((&status["promote"], &status["reason"]), (&json!("manual"), &json!("a new field")));
    let text = place.run(&["rebuild", "status", "waitees"]).await.out;
    assert!(text.contains("requested by system:operator at"), "{text}");
    for _ in 0..2 {
        assert_eq!(place.run(&["rebuild", "cancel", "waitees"]).await.code, Some(0));
    }
    for (args, said) in [
        (["rebuild", "promote", "waitees"], "this one is cancelled"),
        (["rebuild", "rollback", "waitees"], "There is no former generation"),
        (["rebuild", "status", "users"], "users was never rebuilt"),
    ] {
        let refused = place.run(&args).await;
        assert_eq!(refused.code, Some(1), "{args:?}");
        assert!(refused.err.contains(said), "{args:?}: {refused:?}");
    }
    for misuse in [
        &["rebuild", "start", "boards"][..],
        &["rebuild", "start", "waitees", "--promote", "later"],
        &["rebuild", "start", "waitees", "--write-units", "0"],
        &["rebuild", "start", "waitees", "--reason", " "],
        &["rebuild", "status"],
    ] {
        assert_eq!(place.run(misuse).await.code, Some(2), "{misuse:?}");
    }
}

#[tokio::test]
async fn a_verified_rebuild_is_promoted_rolled_back_and_retired_on_aws() {
    let stage = Stage::new().await;
    let settings = [("WAITLIST_RETRIES_URL", "table")];
    let said = async |args: &[&str]| -> Value {
        let ran = run_on_aws(&stage, &[args, &["--json"]].concat(), &settings).await;
        assert_eq!(ran.code, Some(0), "{args:?}: {ran:?}");
        serde_json::from_str(&ran.out).unwrap()
    };
    let id = said(&["rebuild", "start", "waitees", "--promote", "manual", "--write-units", "500"]).await;
    let id = id["id"].as_str().unwrap();
    stage.make_ready(Name::Waitees, id.parse().unwrap()).await;
    let waited = run_on_aws(&stage, &["rebuild", "status", "waitees"], &settings).await;
    assert!(waited.out.contains("20 streams compared: 0 missing"), "{waited:?}");
    assert_eq!(said(&["rebuild", "promote", "waitees", "--id", id]).await["id"], id);
    assert_eq!(said(&["rebuild", "rollback", "waitees"]).await["live"], 0);
    assert_eq!(said(&["rebuild", "retire", "waitees"]).await["live"], 0);
    let projections = said(&["projections"]).await;
    let states: Vec<&Value> =
        projections["items"].as_array().unwrap().iter().map(|item| &item["rebuild"]["state"]).collect();
    assert_eq!(states.iter().filter(|state| **state == "rolled-back").count(), 1, "{projections}");
}
