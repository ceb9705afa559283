//! The page with all events of the account.

use serde_json::{Value, json};

use super::scene::Scene;

#[tokio::test]
async fn filters_stand_in_the_address_so_that_back_works_and_a_link_can_be_shared() {
    let Some(scene) = Scene::new().await else { return };
    let token = scene.signed_in().await;
    let list = scene.list(&token, "Main room").await;
    let party = scene.party(&token, &list, json!({ "name": "Ben", "party_size": 4 })).await;
    scene.done(&token, "POST", &format!("/v1/waitees/{party}/call"), json!({})).await;
    let browser = &scene.browser;
    browser.visit("/audit").await;
    browser.says("#events", "Signed in").await;
    browser.assert_accessible("all events").await;
    browser.screenshot("audit").await;
    browser.click("#further summary").await;
    browser.fill("#action", "waitee.called").await;
    browser.click("#filters [type=submit]").await;
    browser.until(async || (!browser.body().await.contains("Signed in")).then_some(())).await.unwrap();
    browser.says("#events", "Called").await;
    assert!(browser.url().await.ends_with("/audit#action=waitee.called"));
    browser.back().await;
    browser.says("#events", "Signed in").await;
    browser.visit(&format!("/audit#waitlist={list}&action=nonsense")).await;
    browser.says("#action-error", "Must be an event type").await;
    browser.assert_accessible("a filter that is refused").await;
    scene.advance("1m").await; // oldest first, the last ten seconds are left out
    browser.visit(&format!("/audit#target=waitee-{party}&order=asc")).await;
    browser.says("#events li.event", "Joined the list").await;
    scene.end().await;
}

#[tokio::test]
async fn the_account_is_verified_and_a_break_is_named() {
    let Some(scene) = Scene::new().await else { return };
    let token = scene.signed_in().await;
    let list = scene.list(&token, "Main room").await;
    let party = scene.party(&token, &list, json!({ "name": "Ben", "party_size": 4 })).await;
    scene.done(&token, "POST", &format!("/v1/waitees/{party}/seat"), json!({})).await;
    let browser = &scene.browser;
    browser.visit("/audit").await;
    browser.click(".checks summary").await;
    browser.click("#verify").await;
    browser.says("#verified", "no event was altered").await;
    scene.overwrite(&format!("waitee-{party}"), 2, "actor", "system:tick").await;
    browser.click("#verify").await;
    browser.says("#verified", &format!("waitee-{party}, event 2")).await;
    browser.assert_accessible("a verification that found a break").await;
    scene.end().await;
}

#[tokio::test]
async fn an_export_is_saved_byte_by_byte() {
    let Some(scene) = Scene::new().await else { return };
    let token = scene.signed_in().await;
    let list = scene.list(&token, "Main room").await;
    scene.party(&token, &list, json!({ "name": "Zoë; =1", "party_size": 4 })).await;
    scene.advance("1m").await; // an export ends ten seconds ago
    let browser = &scene.browser;
    let folder = tempfile::tempdir().unwrap();
    let allow = json!({ "behavior": "allow", "downloadPath": folder.path() });
    browser.command("Browser.setDownloadBehavior", allow).await;
    browser.visit("/audit").await;
    browser.click(".checks summary").await;
    browser.click("#export [type=submit]").await;
    browser.says("#exported", "One file is saved").await;
    let saved = browser.until(async || {
        let file = std::fs::read_dir(folder.path()).unwrap().next()?.unwrap().path();
        (file.extension()? == "csv").then_some(file)
    });
    let bytes = std::fs::read(saved.await.unwrap()).unwrap();
    assert!(bytes.starts_with(b"\xef\xbb\xbfstream,seq,type"), "{}", String::from_utf8_lossy(&bytes));
    assert!(str::from_utf8(&bytes).unwrap().contains("Zoë"));
    let exported =
        scene.send(Some(&token), "GET", "/v1/audit?action=access.history-exported", Value::Null).await;
    assert_eq!(exported.body["items"].as_array().unwrap().len(), 1);
    scene.end().await;
}
