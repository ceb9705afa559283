//! The first page: accounts and lists.

use serde_json::Value;

use super::evening::{Evening, sign_in};
use crate::scene::{EMAIL, PASSWORD, Scene};

#[tokio::test]
async fn a_host_registers_and_makes_a_list_and_a_weak_password_is_explained_at_its_field() {
    let Some(scene) = Scene::new().await else { return };
    let browser = &scene.browser;
    browser.visit("/").await;
    browser.shown("#sign-in-form").await;
    browser.assert_accessible("sign in").await;
    browser.click("a[href='#register']").await;
    browser.says("#heading", "Create an account").await;
    browser.fill("#register-name", "Ana").await;
    browser.fill("#register-email", EMAIL).await;
    browser.fill("#register-password", "password").await;
    browser.click("#register-form [type=submit]").await;
    browser.says("#register-password-error", "guessed").await;
    browser.assert_accessible("a weak password").await;
    let described = "const field = document.activeElement; \
        return [field.id, field.getAttribute('aria-invalid'), field.getAttribute('aria-describedby')].join(' ')";
    let expected = "register-password true register-password-hint register-password-error";
    assert_eq!(browser.run(described, Vec::new()).await, expected);

    browser.fill("#register-password", PASSWORD).await;
    browser.click("#register-form [type=submit]").await;
    browser.says("#heading", "Your lists").await;
    browser.says("#unconfirmed-text", EMAIL).await;
    browser.click("#send-again").await;
    browser.says("#sent-again", "Sent").await;
    browser.assert_accessible("no lists").await;

    browser.click("a[href='#new']").await;
    let zone = "return document.getElementById('list-time_zone').value \
        === Intl.DateTimeFormat().resolvedOptions().timeZone";
    browser.shown("#list-time_zone").await;
    assert_eq!(browser.run(zone, Vec::new()).await, true);
    browser.assert_accessible("a new list").await;
    browser.fill("#list-name", "Terrace").await;
    browser.fill("#list-hold_minutes", "500").await;
    browser.click("#new-form [type=submit]").await;
    browser.shown("#list-hold_minutes-error").await;
    browser.fill("#list-hold_minutes", "15").await;
    browser.click("#new-form [type=submit]").await;
    browser.says("#heading", "Terrace").await;
    browser.says("#empty", "No party is waiting").await;

    browser.visit("/").await;
    browser.says("#lists", "Terrace").await;
    browser.says("#lists", "Open").await;
    browser.resize(1280, 800).await;
    browser.screenshot("home").await;
    browser.click("#sign-out").await;
    browser.shown("#sign-in-form").await;
    browser.fill("#sign-in-email", EMAIL).await;
    browser.fill("#sign-in-password", "another long password").await;
    browser.click("#sign-in-form [type=submit]").await;
    browser.says("#sign-in-form .form-message", "no account").await;
    browser.click("a[href='#forgot']").await;
    browser.fill("#forgot-email", EMAIL).await;
    browser.assert_accessible("a forgotten password").await;
    browser.click("#forgot-form [type=submit]").await;
    browser.says("#said", "a link is on its way").await;
    scene.end().await;
}

#[tokio::test]
async fn an_account_is_renamed_gets_a_new_password_and_is_erased_after_a_typed_word() {
    let Some(evening) = Evening::new().await else { return };
    let browser = &evening.scene.browser;
    sign_in(browser).await;
    browser.click("a[href='#account']").await;
    browser.fill("#rename-name", "Ana and Ben").await;
    browser.click("#rename-form [type=submit]").await;
    browser.says("#said", "saved").await;
    assert_eq!(evening.send("GET", "/v1/me", Value::Null).await["name"], "Ana and Ben");

    browser.fill("#password-current", "not the password").await;
    browser.fill("#password-new", "a rather long new password").await;
    browser.click("#password-form [type=submit]").await;
    browser.says("#password-current-error", "not the account's password").await;
    browser.assert_accessible("a wrong password").await;
    browser.fill("#password-current", PASSWORD).await;
    browser.click("#password-form [type=submit]").await;
    browser.says("#said", "changed").await;

    browser.fill("#erase-password", "a rather long new password").await;
    browser.fill("#erase-typed", "yes").await;
    browser.click("#erase-form [type=submit]").await;
    browser.says("#erase-typed-error", "erase").await;
    browser.fill("#erase-typed", "erase").await;
    browser.click("#erase-form [type=submit]").await;
    browser.says("#said", "being erased").await;
    browser.fill("#sign-in-email", EMAIL).await;
    browser.fill("#sign-in-password", "a rather long new password").await;
    browser.click("#sign-in-form [type=submit]").await;
    browser.says("#sign-in-form .form-message", "no account").await;
    evening.scene.end().await;
}
