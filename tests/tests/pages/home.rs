//! The page where hosts sign in.

use super::scene::{EMAIL, PASSWORD, Scene};

#[tokio::test]
async fn a_host_signs_in_on_one_device_and_sees_the_lists_there_alone() {
    let Some(scene) = Scene::new().await else { return };
    let token = scene.account().await;
    let list = scene.list(&token, "Main room").await;
    let browser = &scene.browser;
    browser.visit("/").await;
    browser.fill("#sign-in-email", EMAIL).await;
    browser.fill("#sign-in-password", "another password").await;
    browser.click("#sign-in-form [type=submit]").await;
    browser.says("#sign-in-form", "password").await;
    browser.fill("#sign-in-password", PASSWORD).await;
    browser.click("#sign-in-form [type=submit]").await;
    browser.says("main", "Main room").await;
    browser.assert_accessible("the lists").await;
    browser.screenshot("lists").await;

    browser.visit(&format!("/board#{list}")).await;
    browser.says("h1", "Main room").await;
    let another = scene.another().await;
    another.visit("/").await;
    another.shown("#sign-in-email").await;
    another.close().await;
    scene.end().await;
}
