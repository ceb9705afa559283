//! The pages where guests join a list and follow their place.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::scene::Scene;

/// The guest's page asks each 10 s.
const SEEN_WITHIN: Duration = Duration::from_secs(11);

/// Keys, as WebDriver types them.
const ENTER: &str = "\u{e007}";
const ESCAPE: &str = "\u{e00c}";

/// Makes the next answer to a POST get lost once the server has given it.
const LOSE_ANSWER: &str = "const real = window.fetch; window.fetch = async (url, options) => {\
    const answer = await real(url, options); if (options.method !== 'POST') return answer;\
    window.fetch = real; throw new TypeError('lost'); };";

/// Counts how often the banner over old data shows.
const COUNT_BANNERS: &str = "window.banners = 0; const banner = document.getElementById('banner');\
    new MutationObserver(() => { window.banners += banner.hidden ? 0 : 1; }).observe(banner, { attributes: true });";

/// A list that guests can find, and the access token of its account.
async fn list(scene: &Scene, language: &str) -> (String, String) {
    let token = scene.confirmed_account().await;
    let list = scene.list(&token, "Chez Ana").await;
    let settings = json!({ "language": language });
    assert_eq!(
        scene.send(Some(&token), "PATCH", &format!("/v1/waitlists/{list}"), settings).await.status,
        200
    );
    let shown = async || {
        let answer = scene.send(None, "GET", &format!("/v1/public/waitlists/{list}"), Value::Null).await;
        (answer.body["language"] == language).then_some(())
    };
    scene.browser.until(shown).await.expect("the list is public");
    (token, list)
}

/// Fills the form and joins; returns the visit's token.
async fn join(scene: &Scene, list: &str) -> String {
    scene.browser.visit(&format!("/join#{list}")).await;
    scene.browser.fill("#name", "Ana").await;
    scene.browser.fill("#phone", "(415) 555-2671").await;
    scene.browser.click("#form [type=submit]").await;
    visit_token(scene).await
}

/// The token of the visit that the browser has come to.
async fn visit_token(scene: &Scene) -> String {
    let found = scene
        .browser
        .until(async || scene.browser.url().await.split_once("/visit#").map(|(_, token)| token.to_owned()));
    found.await.unwrap_or_else(|| panic!("the browser shows no visit"))
}

async fn board(scene: &Scene, token: &str, list: &str) -> Vec<Value> {
    let answer = scene.send(Some(token), "GET", &format!("/v1/waitlists/{list}/waitees"), Value::Null).await;
    answer.body["items"].as_array().unwrap().clone()
}

/// The id of the only party, once the board shows it.
async fn party(scene: &Scene, token: &str, list: &str) -> String {
    let found = async || Some(board(scene, token, list).await.first()?["id"].as_str()?.to_owned());
    scene.browser.until(found).await.expect("the board shows the party")
}

async fn act(scene: &Scene, token: &str, party: &str, action: &str) {
    let answer = scene.send(Some(token), "POST", &format!("/v1/waitees/{party}/{action}"), json!({})).await;
    assert!(answer.status < 300, "{action}: {}", answer.body);
}

#[tokio::test]
async fn a_guest_who_submits_twice_joins_once_and_goes_back_to_no_form() {
    let Some(scene) = Scene::new().await else { return };
    let (token, list) = list(&scene, "en").await;
    let browser = &scene.browser;
    browser.resize(390, 844).await;
    browser.visit(&format!("/join#{list}")).await;
    browser.says("#lead", "Nobody is waiting").await;
    browser.assert_accessible("joining").await;
    browser.screenshot("join").await;
    browser.fill("#name", "Ana").await;
    let twice = "const form = document.getElementById('form'); form.requestSubmit(); form.requestSubmit();";
    browser.run(twice, Vec::new()).await;
    browser.says("h1", "You are next").await;
    browser.assert_accessible("waiting").await;
    browser.screenshot("visit").await;
    party(&scene, &token, &list).await;
    assert_eq!(board(&scene, &token, &list).await.len(), 1);
    browser.back().await;
    assert_eq!(browser.url().await, "about:blank");
    scene.end().await;
}

#[tokio::test]
async fn a_guest_whose_answer_was_lost_joins_once_also_after_a_reload_and_a_change() {
    let Some(scene) = Scene::new().await else { return };
    let (token, list) = list(&scene, "en").await;
    let browser = &scene.browser;
    browser.visit(&format!("/join#{list}")).await;
    browser.fill("#name", "Ana").await;
    browser.run(LOSE_ANSWER, Vec::new()).await;
    browser.click("#form [type=submit]").await;
    browser.says(".form-message", "The server does not answer").await;
    browser.reload().await;
    browser.says("#again", "you will not join twice").await;
    assert_eq!(browser.shown("#name").await.property("value").await.unwrap(), "Ana");
    browser.fill("#note", "With a dog").await;
    browser.click("#form [type=submit]").await;
    browser.says("#earlier", "You had joined already").await;
    party(&scene, &token, &list).await;
    assert_eq!(board(&scene, &token, &list).await.len(), 1);
    scene.end().await;
}

#[tokio::test]
async fn the_link_in_a_text_opens_the_visit_and_a_call_shows_there_in_time() {
    let Some(scene) = Scene::new().await else { return };
    let (token, list) = list(&scene, "en").await;
    let browser = &scene.browser;
    browser.resize(390, 844).await;
    let visit = join(&scene, &list).await;
    let party = party(&scene, &token, &list).await;
    browser.says("h1", "You are next").await;

    browser.run(COUNT_BANNERS, Vec::new()).await;
    let called = Instant::now();
    act(&scene, &token, &party, "call").await;
    browser.says("h1", "Your table is ready").await;
    assert!(called.elapsed() < SEEN_WITHIN, "{:?}", called.elapsed());
    assert_eq!(browser.run("return window.banners", Vec::new()).await, 0);
    assert_eq!(browser.title().await, "Your table is ready · Chez Ana");
    browser.assert_accessible("called").await;
    browser.screenshot("called").await;

    let text = scene.message("table-ready").await;
    let link = text.split_whitespace().find_map(|word| word.strip_prefix(&scene.server.url)).unwrap();
    assert_eq!(link, format!("/visit#{visit}"));
    browser.visit(link).await;
    browser.click("#coming").await;
    browser.says("h1", "See you in a moment").await;
    let confirmed = async || (board(&scene, &token, &list).await[0]["state"] == "confirmed").then_some(());
    browser.until(confirmed).await.expect("the board shows that the guest is coming");
    browser.assert_accessible("confirmed").await;

    // The token stands in no other request.
    let with_token: Vec<String> =
        browser.requests().await.into_iter().map(|(_, url)| url).filter(|url| url.contains(&visit)).collect();
    assert!(!with_token.is_empty());
    let visits = format!("{}/v1/public/visits/{visit}", scene.server.url);
    assert!(with_token.iter().all(|url| url.starts_with(&visits)), "{with_token:#?}");
    scene.end().await;
}

#[tokio::test]
async fn a_guest_is_asked_before_leaving_and_reads_how_a_visit_ended() {
    let Some(scene) = Scene::new().await else { return };
    let (token, list) = list(&scene, "en").await;
    let browser = &scene.browser;
    browser.resize(320, 640).await;
    let visit = join(&scene, &list).await;
    let party = party(&scene, &token, &list).await;
    // By keyboard alone.
    browser.shown("#leave").await.type_in(ENTER).await.unwrap();
    browser.says("#ask", "Leave the list?").await;
    browser.assert_accessible("asked before leaving").await;
    browser.shown("#stay").await.type_in(ESCAPE).await.unwrap();
    browser.hidden("#ask").await;
    assert_eq!(board(&scene, &token, &list).await[0]["state"], "waiting");
    browser.shown("#leave").await.type_in(ENTER).await.unwrap();
    browser.shown("#leave-now").await.type_in(ENTER).await.unwrap();
    browser.says("h1", "You left the list").await;
    let focused = async || {
        (browser.run("return document.activeElement.id", Vec::new()).await == "heading").then_some(())
    };
    browser.until(focused).await.expect("the heading has the focus of the button that is gone");
    browser.assert_accessible("left").await;
    for (action, title) in [
        ("seat", "Enjoy your meal"),
        ("no-show", "We could not hold your table"),
        ("remove", "You are no longer on the list"),
    ] {
        act(&scene, &token, &party, "restore").await;
        act(&scene, &token, &party, action).await;
        browser.reload().await;
        browser.says("h1", title).await;
        browser.assert_accessible(action).await;
    }
    assert!(browser.url().await.ends_with(&visit));
    scene.end().await;
}

#[tokio::test]
async fn an_erased_visit_looks_like_one_that_never_was() {
    let Some(scene) = Scene::new().await else { return };
    let (token, list) = list(&scene, "es").await;
    let browser = &scene.browser;
    let visit = join(&scene, &list).await;
    let party = party(&scene, &token, &list).await;
    browser.says("h1", "El siguiente turno es el suyo").await;
    act(&scene, &token, &party, "erase").await;
    browser.says("h1", "We cannot find this visit").await;
    let page = async || {
        browser.says("h1", "We cannot find this visit").await;
        let script = "return [document.title, document.documentElement.lang, document.body.innerHTML]";
        browser.run(script, Vec::new()).await
    };
    let erased_while_shown = page().await;
    browser.visit(&format!("/visit#{visit}")).await;
    let erased = page().await;
    browser.visit("/visit#AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA").await;
    let unknown = page().await;
    browser.visit("/visit").await;
    let without_token = page().await;
    assert_eq!(erased, unknown);
    assert_eq!(erased_while_shown, unknown);
    assert_eq!(without_token, unknown);
    scene.end().await;
}

#[tokio::test]
async fn a_guest_reads_the_lists_language_until_choosing_another() {
    let Some(scene) = Scene::new().await else { return };
    let (token, list) = list(&scene, "es").await;
    let browser = &scene.browser;
    let lang = async || browser.run("return document.documentElement.lang", Vec::new()).await;
    browser.resize(320, 640).await;
    browser.visit(&format!("/join#{list}")).await;
    browser.says("h1", "Apúntese a la lista de espera").await;
    assert_eq!(lang().await, "es");
    browser.assert_accessible("joining in Spanish").await;
    browser.fill("#name", "www.example.com").await;
    browser.click("#form [type=submit]").await;
    browser.says("#name-error", "Escriba solo un nombre").await;
    browser.click("#languages button").await;
    browser.says("h1", "Join the waiting list").await;
    assert_eq!(lang().await, "en");
    browser.fill("#name", "Ana").await;
    browser.click("#form [type=submit]").await;
    browser.says("h1", "You are next").await;
    party(&scene, &token, &list).await;
    assert_eq!(
        board(&scene, &token, &list).await[0]["language"],
        "en",
        "messages come in the chosen language"
    );
    scene.end().await;
}

#[tokio::test]
async fn a_list_that_takes_no_guest_says_why() {
    let Some(scene) = Scene::new().await else { return };
    let (token, list) = list(&scene, "en").await;
    let browser = &scene.browser;
    browser.visit("/join#01920000-0000-7000-8000-000000000000").await;
    browser.says("h1", "We cannot find this list").await;

    browser.visit(&format!("/join#{list}")).await;
    browser.fill("#phone", "+44 7400 123456").await;
    browser.says("#phone-foreign", "A number of another country?").await;
    browser.fill("#phone", "12").await;
    browser.fill("#name", "Ben").await;
    browser.click("#form [type=submit]").await;
    browser.says("#phone-error", "Please check the number").await;
    browser.assert_accessible("a wrong number").await;
    browser.fill("#phone", "").await;

    let path = format!("/v1/waitlists/{list}");
    scene.send(Some(&token), "PATCH", &path, json!({ "capacity": 1 })).await;
    let first = json!({ "name": "Ana", "party_size": 2 });
    assert_eq!(scene.send(Some(&token), "POST", &format!("{path}/waitees"), first.clone()).await.status, 201);
    party(&scene, &token, &list).await;
    browser.click("#form [type=submit]").await;
    browser.says(".form-message", "The list is full").await;

    assert_eq!(scene.send(Some(&token), "POST", &format!("{path}/close"), json!({})).await.status, 200);
    browser.click("#form [type=submit]").await;
    browser.says("h1", "The list is closed").await;
    browser.assert_accessible("a closed list").await;

    assert_eq!(scene.send(Some(&token), "POST", &format!("{path}/open"), json!({})).await.status, 200);
    browser.visit(&format!("/join#{list}")).await;
    browser.fill("#name", "Ben").await;
    let join = format!("/v1/public/waitlists/{list}/waitees");
    while scene.send(None, "POST", &join, first.clone()).await.status != 429 {}
    browser.click("#form [type=submit]").await;
    browser.says(".form-message", "Too many tries").await;
    scene.end().await;
}
