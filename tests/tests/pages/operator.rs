//! The operator's page.

use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use infra::{
    Clock,
    queue::{Policy, Queue, RECEIVE_MAX, TableQueue},
};
use schema::table::QUEUE;
use serde_json::{Value, json};

use super::scene::{EMAIL, Scene};

const CARD: &str = "[data-projection=waitees]";

/// A scene whose browser is signed in as an operator, and the access token.
async fn as_operator() -> Option<(Scene, String)> {
    let scene = Scene::new().await?;
    let token = scene.signed_in().await;
    scene.run(&["operator", "grant", EMAIL]).await;
    scene.advance("61s").await; // the authorizer's answer is kept for a minute
    Some((scene, token))
}

/// Opens the form and starts a rebuild by its button.
async fn start(scene: &Scene, promote: &str) {
    let browser = &scene.browser;
    browser.click(&format!("{CARD} .rebuild-form summary")).await;
    browser.click(&format!("#waitees-promote option[value={promote}]")).await;
    browser.fill("#waitees-reason", "a new field").await;
    browser.click(&format!("{CARD} .rebuild-form [type=submit]")).await;
    browser.says(&format!("{CARD} .badge"), "Prepared").await;
}

#[tokio::test]
async fn an_account_that_is_not_an_operator_is_told_why_and_what_to_do() {
    let Some(scene) = Scene::new().await else { return };
    scene.signed_in().await;
    scene.browser.visit("/operator").await;
    scene.browser.says("#forbidden", "refused with 403").await;
    scene.browser.says("#forbidden", &format!("waitlist operator grant {EMAIL}")).await;
    scene.browser.hidden("#desk").await;
    scene.browser.assert_accessible("the operator's page for another account").await;
    scene.end().await;
}

#[tokio::test]
async fn a_rebuild_is_driven_by_clicks_with_the_page_loaded_again_in_the_middle() {
    let Some((scene, token)) = as_operator().await else { return };
    let list = scene.list(&token, "Main room").await;
    scene.party(&token, &list, json!({ "name": "Ben", "party_size": 4 })).await;
    let browser = &scene.browser;
    browser.visit("/operator").await;
    browser.click(&format!("{CARD} .rebuild-form summary")).await;
    browser.click(&format!("{CARD} .rebuild-form button:not([type=submit])")).await;
    browser.says(&format!("{CARD} [role=status]"), "less than $0.01").await;
    browser.assert_accessible("an estimate").await;
    browser.click(&format!("{CARD} .rebuild-form summary")).await;
    start(&scene, "manual").await;
    browser.assert_accessible("a rebuild that has begun").await;
    browser.reload().await;
    browser.says(&format!("{CARD} .badge"), "Prepared").await;
    browser.says(CARD, "a new field").await;
    scene.advance("36s").await; // the hand-over
    browser.says(&format!("{CARD} .badge"), "ready to be promoted").await;
    browser.says(CARD, "No differences. 1 row was compared.").await;
    browser.screenshot("operator").await;
    browser.click(&format!("{CARD} button.primary:not([type=submit])")).await;
    browser.says(&format!("{CARD} .badge"), "Live").await;
    browser.assert_accessible("a rebuild that is live").await;

    scene.press(CARD, "Roll back…").await;
    scene.press(CARD, "Roll back").await;
    browser.says(&format!("{CARD} .badge"), "Rolled back").await;
    scene.press(CARD, "Promote").await;
    browser.says(&format!("{CARD} .badge"), "Live").await;
    scene.press(CARD, "Drop the former generation…").await;
    browser.fill("#retire-waitees", "users").await;
    scene.press(CARD, "Drop the former generation").await;
    browser.says("#retire-waitees-error", "Type waitees.").await;
    browser.fill("#retire-waitees", "waitees").await;
    scene.press(CARD, "Drop the former generation").await;
    browser.hidden("#retire-waitees").await;
    let listed = scene.send(Some(&token), "GET", "/v1/projections", Value::Null).await;
    let waitees =
        listed.body["items"].as_array().unwrap().iter().find(|one| one["name"] == "waitees").unwrap();
    assert_eq!((&waitees["live"], &waitees["previous"]), (&json!(1), &Value::Null));
    scene.end().await;
}

#[tokio::test]
async fn a_rejected_rebuild_shows_the_first_field_that_differs() {
    let Some((scene, token)) = as_operator().await else { return };
    let list = scene.list(&token, "Main room").await;
    let party = scene.party(&token, &list, json!({ "name": "Ben", "party_size": 4 })).await;
    scene.browser.visit("/operator").await;
    start(&scene, "auto").await;
    // The scan keeps a row that shows the last event, whatever else the row says.
    let dynamodb = scene.dynamodb().await;
    let (live, candidate) = ("waitlist-events-waitees-g0", "waitlist-events-waitees-g1");
    let rows = dynamodb.scan().table_name(live).send().await.unwrap().items.unwrap();
    let mut row = rows.into_iter().find(|row| row.values().any(|value| value.as_s() == Ok(&party))).unwrap();
    row.insert("party_size".to_owned(), AttributeValue::N("9".to_owned()));
    dynamodb.put_item().table_name(candidate).set_item(Some(row)).send().await.unwrap();
    scene.advance("36s").await;
    let browser = &scene.browser;
    browser.says(&format!("{CARD} .badge"), "Rejected").await;
    browser.says(&format!("{CARD} .first-difference .field-name"), "party_size").await;
    let first = browser.shown(&format!("{CARD} .first-difference")).await.text().await.unwrap();
    for part in ["First difference", &party, "Live row\n4", "New row\n9"] {
        assert!(first.contains(part), "{first}");
    }
    browser.says(CARD, "Rows that are not what the log says: 1").await;
    browser.assert_accessible("a rejected rebuild").await;
    browser.run("document.querySelector('.first-difference').scrollIntoView({ block: 'end' })", vec![]).await;
    browser.screenshot("operator-rejected").await;
    scene.end().await;
}

/// Queues work that fails too often.
async fn dead(scene: &Scene, work: &Value) {
    let clock = Clock::system();
    let policy = Policy { visibility: Duration::from_secs(60), attempts_max: 3 };
    let table = QUEUE.name("waitlist");
    let queue =
        Queue::Table(TableQueue::new(scene.dynamodb().await, table, "retries", policy, clock.clone()));
    // Delayed, so that the server does not receive it.
    queue.send(&work.to_string(), Duration::from_secs(600)).await.unwrap();
    while queue.dead_letters(None, 10).await.unwrap().letters.is_empty() {
        clock.advance_millis(601_000);
        queue.receive(RECEIVE_MAX).await.unwrap();
    }
}

#[tokio::test]
async fn a_dead_letter_is_shown_with_its_cause_and_queued_again() {
    let Some((scene, token)) = as_operator().await else { return };
    let stream = "waitee-01920000-0000-7000-8000-000000000000";
    dead(
        &scene,
        &json!({ "consumer": "projector", "stream": stream, "seq": 1, "cause": "the log ends before 1" }),
    )
    .await;
    let browser = &scene.browser;
    browser.visit("/operator").await;
    browser.says("#letters-status", "One dead letter.").await;
    for part in ["the log ends before 1", stream, "retries"] {
        browser.says("#letters", part).await;
    }
    browser.assert_accessible("a dead letter").await;
    scene.press("#letters", "Try it again").await;
    browser.says("#letters-status", "It is queued again.").await;
    let listed = scene.send(Some(&token), "GET", "/v1/dead-letters", Value::Null).await;
    assert_eq!(listed.body["items"], json!([]));
    scene.end().await;
}
