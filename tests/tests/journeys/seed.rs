//! A made-up past on the command line.

use std::collections::BTreeSet;

use schema::table::{EVENTS, WAITEES};
use serde_json::{Value, json};
use waitlist_tests::process::Server;

use crate::{
    place::{Place, is_external, number, text},
    raw::{rows, scan},
};

/// A Friday evening in November, in California.
const UNTIL: &str = "2026-11-21T03:00:00.000Z";

/// Runs a command. Returns its exit code, and its JSON or what it wrote to standard error.
async fn said(place: &Place, args: &[&str]) -> (Option<i32>, Value) {
    let ran = place.run(&[args, &["--json"]].concat()).await;
    (ran.code, serde_json::from_str(&ran.out).unwrap_or(Value::from(ran.err)))
}

async fn seeded(place: &Place, commits: u64, args: &[&str]) -> Value {
    let commits_text = commits.to_string();
    let (code, made) = said(place, &[&["seed", "--commits", &commits_text], args].concat()).await;
    assert_eq!((code, &made["commits"]), (Some(0), &json!(commits)), "{made}");
    made
}

async fn get(server: &Server, token: &str, path: &str) -> Value {
    let answer = server.send(Some(token), "GET", path, None, &[]).await.unwrap();
    assert_eq!(answer.status, 200, "{path}: {answer:?}");
    answer.body
}

#[tokio::test]
async fn boards_histories_and_verification_show_a_made_up_past() {
    if is_external() {
        return; // a past is made up only in the embedded engine
    }
    let place = Place::new();
    let made = seeded(&place, 1_500, &[]).await;
    let (code, verified) = said(&place, &["verify", "--all"]).await;
    assert_eq!((code, &verified["ok"], &verified["commits"]), (Some(0), &json!(true), &json!(1_500)));
    assert_eq!(
        verified["streams"],
        json!(made["visits"].as_u64().unwrap() + 5),
        "three lists, account and mail"
    );

    let server = place.serve_with(&["--no-tick"], &[]).await;
    let (code, busy) = said(&place, &["seed", "--commits", "50", "--seed", "2"]).await;
    assert!(code == Some(1) && busy.as_str().unwrap().contains("a server already runs"), "{busy}");
    let body = json!({ "email": made["email"], "password": made["password"] });
    let session = server.send(None, "POST", "/v1/sessions", Some(&body), &[]).await.unwrap();
    let token = session.body["access_token"].as_str().unwrap_or_else(|| panic!("{session:?}")).to_owned();
    assert_eq!(get(&server, &token, "/v1/me").await["id"], made["account"]);
    let lists = get(&server, &token, "/v1/waitlists").await;
    assert_eq!(lists["items"].as_array().unwrap().len(), 3);
    let mut on_boards = 0;
    for list in made["lists"].as_array().unwrap() {
        let board =
            get(&server, &token, &format!("/v1/waitlists/{}/waitees", list["id"].as_str().unwrap())).await;
        let parties = board["items"].as_array().unwrap();
        assert!(
            parties.iter().all(|party| party["name"].is_string() && party["position"].is_u64()),
            "{board}"
        );
        on_boards += parties.len();
    }
    assert!((3..150).contains(&on_boards), "{on_boards} parties are on the boards");
    let dynamodb = place.dynamodb().await;
    let rows = rows(&dynamodb, WAITEES, &place.prefix).await;
    assert_eq!(rows.len() as u64, made["visits"].as_u64().unwrap());
    for row in rows.iter().step_by(40) {
        let id = text(row, "id");
        let history = get(&server, &token, &format!("/v1/waitees/{id}/history")).await;
        assert_eq!(history["verified"]["ok"], true, "{history}");
        let party = get(&server, &token, &format!("/v1/waitees/{id}")).await;
        assert_eq!(party["name"], history["items"][0]["data"]["name"]);
    }
    let verification = get(&server, &token, "/v1/audit/verify").await;
    assert_eq!((&verification["ok"], &verification["first_bad"]), (&json!(true), &Value::Null));
    assert_eq!(get(&server, &token, "/v1/audit?limit=5").await["items"].as_array().unwrap().len(), 5);
    assert_eq!(server.interrupt().await, Some(0));
}

#[tokio::test]
async fn the_same_number_makes_the_same_past_once_with_exactly_as_many_commits_as_asked() {
    if is_external() {
        return; // as above
    }
    let mut pasts: Vec<BTreeSet<(String, u64, String, String)>> = Vec::new();
    for _ in 0..2 {
        let place = Place::new();
        for (seed, commits) in [("7", 400), ("8", 20), ("9", 21), ("10", 22), ("11", 57)] {
            seeded(&place, commits, &["--seed", seed, "--until", UNTIL]).await;
        }
        let (code, again) = said(&place, &["seed", "--commits", "50", "--seed", "7"]).await;
        assert!(code == Some(1) && again.as_str().unwrap().contains("choose another --seed"), "{again}");
        let server = place.serve(&[]).await;
        let commits = scan(&place.dynamodb().await, &EVENTS, &place.prefix).await;
        let visits = commits.iter().filter(|commit| text(commit, "stream").starts_with("waitee-"));
        let visits = visits.filter(|commit| text(commit, "at") <= UNTIL);
        let fact = |name: &str, commit| text(commit, name).to_owned();
        pasts.push(
            visits
                .map(|commit| {
                    (
                        fact("stream", commit),
                        number(commit, "seq"),
                        fact("at", commit),
                        fact("commit", commit),
                    )
                })
                .collect(),
        );
        server.kill();
    }
    assert_eq!(pasts[0].len(), 400 + 20 + 21 + 22 + 57 - 5 * 5);
    assert_eq!(pasts[0], pasts[1]);
}

#[tokio::test]
async fn a_past_has_a_bounded_number_of_commits_and_is_made_up_locally() {
    let place = Place::new();
    for misuse in [
        &["seed"][..],
        &["seed", "--commits", "19"],
        &["seed", "--commits", "10000001"],
        &["seed", "--commits", "50", "--until", "yesterday"],
        &["seed", "--commits", "50", "--aws"],
    ] {
        assert_eq!(said(&place, misuse).await.0, Some(2), "{misuse:?}");
    }
}
