//! The pages of mailed links.

use serde_json::{Value, json};

use super::scene::{EMAIL, PASSWORD, Scene};

/// The path and fragment of the link in the newest message of a kind.
async fn link(scene: &Scene, kind: &str) -> String {
    let body = scene.message(kind).await;
    let link = body.split_whitespace().find_map(|word| word.strip_prefix(&scene.server.url));
    link.unwrap().to_owned()
}

async fn sign_in(scene: &Scene, password: &str) -> u16 {
    scene.send(None, "POST", "/v1/sessions", json!({ "email": EMAIL, "password": password })).await.status
}

/// Loads a page as a mail scanner does, and checks that it asked for files alone.
async fn load(scene: &Scene, link: &str) {
    scene.browser.requests().await;
    scene.browser.visit(link).await;
    scene.browser.shown("#form").await;
    let requests = scene.browser.requests().await;
    assert!(!requests.is_empty());
    let files = |(method, url): &(String, String)| method == "GET" && !url.contains("/v1/");
    assert!(requests.iter().all(files), "{requests:#?}");
}

#[tokio::test]
async fn a_link_confirms_an_address_when_its_button_is_tapped() {
    let Some(scene) = Scene::new().await else { return };
    let token = scene.account().await;
    let confirmed =
        async || scene.send(Some(&token), "GET", "/v1/me", Value::Null).await.body["email_confirmed"].clone();
    let browser = &scene.browser;
    browser.resize(390, 844).await;
    let link = link(&scene, "welcome").await;
    load(&scene, &link).await;
    assert_eq!(confirmed().await, false);
    browser.assert_accessible("a link to confirm").await;
    browser.screenshot("confirm").await;
    browser.click("#form [type=submit]").await;
    browser.says("h1", "Your address is confirmed").await;
    let shown = async || (confirmed().await == true).then_some(());
    browser.until(shown).await.expect("the address is confirmed");

    browser.visit("/confirm#not-a-token").await;
    browser.click("#form [type=submit]").await;
    browser.says("h1", "This link no longer works").await;
    browser.shown("#home").await;
    browser.assert_accessible("a void link").await;
    scene.end().await;
}

#[tokio::test]
async fn a_link_sets_a_strong_password_once_and_offers_another_link_after_that() {
    const NEW: &str = "plum orbit walrus lantern";
    let Some(scene) = Scene::new().await else { return };
    scene.account().await;
    let browser = &scene.browser;
    browser.resize(320, 640).await;
    let asked = scene.send(None, "POST", "/v1/password-resets", json!({ "email": EMAIL })).await;
    assert_eq!(asked.status, 202);
    let first = link(&scene, "password-reset").await;
    load(&scene, &first).await;
    assert_eq!(sign_in(&scene, PASSWORD).await, 201, "loading the page alone changes nothing");

    browser.fill("#password", "password").await;
    browser.click("#form [type=submit]").await;
    browser.says("#password-error", "common password").await;
    let field = "const field = document.getElementById('password');\
        return [field.getAttribute('aria-invalid'), field.getAttribute('aria-describedby'), document.activeElement === field]";
    let described = json!(["true", "password-hint password-error", true]);
    assert_eq!(browser.run(field, Vec::new()).await, described);
    browser.assert_accessible("a weak password").await;
    browser.screenshot("reset").await;
    browser.click("#languages button").await;
    browser.click("#form [type=submit]").await;
    browser.says("#password-error", "Es una de las 10 contraseñas más usadas.").await;
    browser.click("#languages button").await;

    browser.fill("#password", NEW).await;
    browser.click("#form [type=submit]").await;
    browser.says("h1", "Your password is changed").await;
    assert_eq!((sign_in(&scene, PASSWORD).await, sign_in(&scene, NEW).await), (401, 201));

    browser.visit(&first).await;
    browser.fill("#password", "another plum orbit walrus").await;
    browser.click("#form [type=submit]").await;
    browser.says("h1", "This link no longer works").await;
    browser.assert_accessible("a used link").await;
    browser.fill("#email", EMAIL).await;
    browser.click("#ask-form [type=submit]").await;
    browser.says("h1", "Look into your mail").await;
    let newer = async || (link(&scene, "password-reset").await != first).then_some(());
    browser.until(newer).await.expect("a new link is mailed");
    scene.end().await;
}
