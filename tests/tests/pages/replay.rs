//! The page that shows an evening step by step.

use std::time::Instant;

use futures::{StreamExt as _, stream};
use serde_json::{Value, json};
use waitlist_tests::browser::Browser;

use super::scene::Scene;

/// The events of a night.
const NIGHT: usize = 300;

/// Each party joins, is called and is seated.
const EVENTS_PER_PARTY: usize = 3;

const AT_ONCE: usize = 4;

/// The shown step: its number, its time, and place, id, name and state of each party on the board.
async fn shown(browser: &Browser) -> Value {
    let script = "const board = document.getElementById('board');\
        const rows = [...board.children].map((row) => [row.querySelector('.replay-place').textContent, row.dataset.id,\
            row.querySelector('.replay-name').textContent, row.dataset.state]);\
        return { step: Number(board.dataset.step), at: board.dataset.at, rows }";
    browser.run(script, vec![]).await
}

/// Waits until a step is shown.
async fn at_step(browser: &Browser, step: usize) -> Value {
    let seen = browser.until(async || Some(shown(browser).await).filter(|shown| shown["step"] == step)).await;
    seen.unwrap_or_else(|| panic!("step {step} is not shown"))
}

/// The events of a list and its visits, oldest first.
async fn events(scene: &Scene, token: &str, list: &str) -> Vec<Value> {
    let (mut events, mut cursor) = (Vec::new(), String::new());
    loop {
        let path = format!("/v1/audit?waitlist={list}&order=asc&limit=200{cursor}");
        let page = scene.send(Some(token), "GET", &path, Value::Null).await;
        events.extend(page.body["items"].as_array().unwrap().clone());
        let Some(next) = page.body["next"].as_str() else { return events };
        cursor = format!("&cursor={next}");
    }
}

/// The board as the API answers it, in the form of [`shown`].
async fn answered(scene: &Scene, token: &str, list: &str, at: &str) -> Value {
    let path = format!("/v1/waitlists/{list}/waitees?limit=200&as_of={at}");
    let board = scene.send(Some(token), "GET", &path, Value::Null).await;
    let row = |party: &Value| {
        let name = party["name"].as_str().unwrap_or("Erased guest");
        json!([party["position"].to_string(), party["id"], name, party["state"]])
    };
    board.body["items"].as_array().unwrap().iter().map(row).collect()
}

#[tokio::test]
async fn each_step_of_a_replay_shows_what_the_api_answers_and_no_erased_name() {
    let Some(scene) = Scene::new().await else { return };
    let token = scene.signed_in().await;
    let list = scene.list(&token, "Main room").await;
    let mut parties = Vec::new();
    for name in ["Ana", "Ben", "Zacharias", "Dora"] {
        parties.push(scene.party(&token, &list, json!({ "name": name, "party_size": 2 })).await);
    }
    for (party, command, body) in [
        (3, "move", json!({ "before": parties[0] })),
        (0, "call", json!({})),
        (2, "call", json!({})),
        (2, "seat", json!({})),
        (2, "restore", json!({})),
        (1, "leave", json!({})),
        (2, "remove", json!({ "reason": "Zacharias asked for it" })),
        (2, "erase", json!({})),
    ] {
        scene.done(&token, "POST", &format!("/v1/waitees/{}/{command}", parties[party]), body).await;
    }
    scene.advance("1m").await; // an earlier board can be asked for once ten seconds have passed
    let events = events(&scene, &token, &list).await;
    assert!(events.len() >= 13, "{events:#?}");
    let browser = &scene.browser;
    browser.visit("/audit").await;
    browser.says("#events", "Called").await;
    browser.run("location.assign('replay#' + arguments[0])", vec![json!(list)]).await;
    for (index, event) in events.iter().enumerate() {
        let seen = at_step(browser, index + 1).await;
        let at = event["at"].as_str().unwrap();
        assert_eq!(seen["at"], at);
        assert_eq!(seen["rows"], answered(&scene, &token, &list, at).await, "step {}", index + 1);
        let html = browser.run("return document.documentElement.outerHTML", vec![]).await;
        assert!(!html.as_str().unwrap().contains("Zacharias"), "step {}", index + 1);
        if index == 5 {
            browser.assert_accessible("a step of a replay").await;
            browser.screenshot("replay").await;
        }
        // By turns with a click and with the key of the arrow to the right.
        if index % 2 == 0 && index + 1 < events.len() {
            browser.click("#next").await;
        } else if index + 1 < events.len() {
            browser.shown("#play").await.type_in("\u{E014}").await.unwrap();
        }
    }
    // Reload keeps the step, and Back leads to the page before the replay.
    browser
        .until(async || browser.url().await.ends_with(&format!("step={}", events.len())).then_some(()))
        .await
        .unwrap();
    browser.reload().await;
    at_step(browser, events.len()).await;
    browser.back().await;
    browser.says("h1", "History").await;
    assert!(browser.url().await.contains("/audit"));
    scene.end().await;
}

#[tokio::test]
async fn a_night_of_300_events_plays_to_its_end() {
    let Some(scene) = Scene::new().await else { return };
    let token = scene.signed_in().await;
    let list = scene.list(&token, "Main room").await;
    let play = async |index: usize| {
        let party =
            scene.party(&token, &list, json!({ "name": format!("Party {index}"), "party_size": 2 })).await;
        for command in ["call", "seat"] {
            scene.done(&token, "POST", &format!("/v1/waitees/{party}/{command}"), json!({})).await;
        }
    };
    stream::iter(0..NIGHT.div_ceil(EVENTS_PER_PARTY)).for_each_concurrent(AT_ONCE, play).await;
    scene.advance("1m").await;
    let events = events(&scene, &token, &list).await;
    assert!(events.len() >= NIGHT, "{}", events.len());
    let browser = &scene.browser;
    browser.visit(&format!("/replay#{list}")).await;
    at_step(browser, 1).await;
    browser.run("document.getElementById('speed').value = '50'", vec![]).await;
    let began = Instant::now();
    browser.click("#play").await;
    let mut last = 0;
    while last < events.len() {
        let step = shown(browser).await["step"].as_u64().unwrap();
        last = usize::try_from(step).unwrap();
    }
    println!("{} steps in {:.1?}", events.len(), began.elapsed());
    browser.says("#play", "Play").await;
    let seen = at_step(browser, events.len()).await;
    assert_eq!(seen["rows"], answered(&scene, &token, &list, seen["at"].as_str().unwrap()).await);
    scene.end().await;
}
