//! The page with the history of a party, a list or the account.

use serde_json::json;

use super::scene::{EMAIL, PASSWORD, Scene};

#[tokio::test]
async fn a_party_s_history_reads_in_words_with_the_events_of_a_message_in_one_line() {
    let Some(scene) = Scene::new().await else { return };
    let token = scene.signed_in().await;
    let list = scene.list(&token, "Main room").await;
    let party =
        scene.party(&token, &list, json!({ "name": "Ben", "party_size": 4, "phone": "+14155552671" })).await;
    let visit = format!("/v1/waitees/{party}");
    scene.done(&token, "PATCH", &visit, json!({ "party_size": 5 })).await;
    scene.done(&token, "POST", &format!("{visit}/call"), json!({})).await;
    scene.done(&token, "POST", &format!("{visit}/seat"), json!({ "reason": "by the window" })).await;
    let browser = &scene.browser;
    browser.visit(&format!("/history#waitee-{party}")).await;
    browser.says("h1", "Ben").await;
    for words in
        ["Joined the list", "Details changed", "Called", "Message not sent", "Seated", "by the window"]
    {
        let found = browser.until(async || {
            if browser.body().await.contains(words) {
                return Some(());
            }
            browser.reload().await;
            browser.says("#verdict", "no event was altered").await;
            None
        });
        assert!(found.await.is_some(), "{words}:\n{}", browser.body().await);
    }
    let changed = "return [...document.querySelectorAll('.event')]\
        .find((row) => row.textContent.includes('Details changed')).querySelector('dd').textContent";
    assert_eq!(browser.run(changed, vec![]).await, "from 4 → to 5");
    browser.assert_accessible("the history of a party").await;
    browser.screenshot("history").await;
    browser.visit(&format!("/history#waitlist-{list}")).await;
    browser.says("#events", "List created").await;
    browser.visit("/history#me").await;
    browser.says("#events", "Account created").await;
    scene.end().await;
}

#[tokio::test]
async fn an_erased_guest_has_no_name_in_the_history() {
    let Some(scene) = Scene::new().await else { return };
    let token = scene.signed_in().await;
    let list = scene.list(&token, "Main room").await;
    let party = scene
        .party(&token, &list, json!({ "name": "Zacharias", "party_size": 2, "note": "a quiet table" }))
        .await;
    scene.done(&token, "POST", &format!("/v1/waitees/{party}/erase"), json!({})).await;
    scene.browser.visit(&format!("/history#waitee-{party}")).await;
    scene.browser.says("h1", "Erased guest").await;
    scene.browser.says("#erased", "This person was erased").await;
    scene.browser.says("#events", "Guest erased").await;
    let html = scene.browser.run("return document.documentElement.outerHTML", vec![]).await;
    for personal in ["Zacharias", "a quiet table"] {
        assert!(!html.as_str().unwrap().contains(personal), "{html}");
    }
    scene.browser.assert_accessible("the history of an erased guest").await;
    scene.end().await;
}

#[tokio::test]
async fn a_history_that_was_altered_names_the_event_and_says_what_to_do() {
    let Some(scene) = Scene::new().await else { return };
    let token = scene.signed_in().await;
    let list = scene.list(&token, "Main room").await;
    let party = scene.party(&token, &list, json!({ "name": "Ben", "party_size": 4 })).await;
    scene.done(&token, "POST", &format!("/v1/waitees/{party}/seat"), json!({})).await;
    scene.overwrite(&format!("waitee-{party}"), 2, "actor", "system:tick").await;
    scene.browser.visit(&format!("/history#waitee-{party}")).await;
    scene.browser.says("#verdict", "altered after it was recorded, at event 2").await;
    scene.browser.says("#verdict", &format!("waitlist verify --stream waitee-{party}")).await;
    scene.browser.assert_accessible("an altered history").await;
    scene.end().await;
}

#[tokio::test]
async fn a_page_that_needs_a_session_leads_to_the_sign_in_and_back() {
    let Some(scene) = Scene::new().await else { return };
    scene.account().await;
    let browser = &scene.browser;
    browser.visit("/history#me").await;
    browser.fill("#sign-in-email", EMAIL).await;
    browser.fill("#sign-in-password", PASSWORD).await;
    browser.click("#sign-in-form [type=submit]").await;
    browser.says("#events", "Account created").await;
    assert!(browser.url().await.ends_with("/history#me"));
    scene.end().await;
}
