//! Checks of all pages of owners and operators: markup in names, small dark screens.

use serde_json::json;

use super::scene::{EMAIL, Scene};

#[tokio::test]
async fn the_pages_of_owners_fit_a_small_phone_in_the_dark() {
    let Some(scene) = Scene::new().await else { return };
    let token = scene.signed_in().await;
    scene.run(&["operator", "grant", EMAIL]).await;
    let list = scene.list(&token, "Wolfeschlegelsteinhausenbergerdorffer Hof").await;
    let long = "Wolfeschlegelsteinhausenbergerdorff".repeat(2);
    let party = json!({ "name": long, "party_size": 12, "phone": "+14155552671", "note": long.repeat(2) });
    let party = scene.party(&token, &list, party).await;
    scene.done(&token, "PATCH", &format!("/v1/waitees/{party}"), json!({ "note": long.repeat(3) })).await;
    scene.done(&token, "POST", &format!("/v1/waitees/{party}/call"), json!({})).await;
    scene.advance("61s").await;
    let browser = &scene.browser;
    browser.resize(320, 640).await;
    let dark = json!({ "features": [{ "name": "prefers-color-scheme", "value": "dark" }] });
    browser.command("Emulation.setEmulatedMedia", dark).await;
    for (path, opens, shown) in [
        (format!("/history#waitee-{party}"), ".event details summary", "pre"),
        (format!("/history#waitlist-{list}"), ".event details summary", "pre"),
        ("/audit".to_owned(), ".event details summary", "pre"),
        (format!("/audit#waitlist={list}&action=waitee.*"), ".checks summary", "#verify"),
        (format!("/replay#{list}"), "#next", "[data-step='2']"),
        ("/operator".to_owned(), "[data-projection=users] .rebuild-form summary", "#users-reason"),
    ] {
        browser.visit(&path).await;
        browser.click(opens).await;
        browser.shown(shown).await;
        browser.assert_accessible(&path).await;
    }
    scene.end().await;
}

/// Names are text wherever they are shown.
#[tokio::test]
async fn a_name_that_looks_like_markup_runs_nothing_in_the_past_either() {
    let Some(scene) = Scene::new().await else { return };
    let token = scene.signed_in().await;
    let list = scene.list(&token, "Main room").await;
    let name = "<img src=x onerror=\"document.title='run'\">";
    let party = scene.party(&token, &list, json!({ "name": name, "party_size": 2, "note": name })).await;
    scene.advance("1m").await;
    for path in [format!("/history#waitee-{party}"), "/audit".to_owned(), format!("/replay#{list}&step=2")] {
        scene.browser.visit(&path).await;
        scene.browser.says("main", name).await;
        assert_eq!(scene.browser.run("return document.querySelectorAll('main img').length", vec![]).await, 0);
        assert_ne!(scene.browser.title().await, "run", "{path}");
    }
    scene.end().await;
}
