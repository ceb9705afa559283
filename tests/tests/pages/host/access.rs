//! The host's pages by keyboard alone, and on a small screen in the dark.

use serde_json::{Value, json};
use waitlist_tests::browser::Browser;

use super::evening::{Evening, more, shows, sign_in};
use crate::scene::{EMAIL, PASSWORD};

/// The most stops of the Tab key from one control to the next one that is wanted.
const STOPS_MAX: usize = 40;

#[tokio::test]
async fn a_host_works_by_keyboard_alone() {
    let Some(evening) = Evening::new().await else { return };
    evening.add(json!({ "name": "Ana", "party_size": 2 })).await;
    let browser = &evening.scene.browser;
    browser.visit("/").await;
    browser.shown("#sign-in-form").await;
    tab_to(browser, "#sign-in-email").await;
    write(browser, EMAIL).await;
    tab_to(browser, "#sign-in-password").await;
    write(browser, PASSWORD).await;
    press(browser, "Enter").await;
    browser.shown("#lists a").await;
    tab_to(browser, "#lists a").await;
    press(browser, "Enter").await;
    shows(browser, &["Ana"]).await;

    tab_to(browser, "#add").await;
    press(browser, "Enter").await;
    browser.shown("#party-name:focus").await;
    write(browser, "Ben").await;
    tab_to(browser, "#party-size").await;
    write(browser, "3").await;
    press(browser, "Enter").await;
    shows(browser, &["Ana", "Ben"]).await;
    browser.shown("#add:focus").await;

    tab_to(browser, ".party:nth-child(2) [data-do='call']").await;
    press(browser, "Enter").await;
    browser.shown(".party:nth-child(2)[data-state='called']").await;
    // The button is gone; the focus stays in the row.
    browser.shown(".party:nth-child(2) [aria-controls]:focus").await;
    press(browser, "Enter").await;
    tab_to(browser, ".party:nth-child(2) [data-do='edit']").await;
    press(browser, "Enter").await;
    browser.shown("dialog").await;
    press(browser, "Escape").await;
    browser.hidden("dialog").await;
    browser.shown(".party:nth-child(2) [data-do='edit']:focus").await;
    evening.scene.end().await;
}

#[tokio::test]
async fn the_board_fits_a_small_phone_in_the_dark() {
    let Some(evening) = Evening::new().await else { return };
    let long = "Wolfeschlegelsteinhausenbergerdorff".repeat(2);
    evening
        .add(json!({ "name": long, "party_size": 12, "phone": "(415) 555-2671", "note": long.repeat(2) }))
        .await;
    evening
        .add(json!({ "name": "Ben", "party_size": 2, "phone": "(415) 555-2671", "email": "ben@example.com" }))
        .await;
    let browser = &evening.scene.browser;
    browser.resize(320, 640).await;
    let dark = json!({ "features": [{ "name": "prefers-color-scheme", "value": "dark" }] });
    browser.command("Emulation.setEmulatedMedia", dark).await;
    sign_in(browser).await;
    browser.assert_accessible("the lists in the dark").await;
    browser.visit(&format!("/board#{}", evening.list)).await;
    shows(browser, &[&long, "Ben"]).await;
    more(browser, 1).await;
    browser.assert_accessible("the board in the dark").await;
    for (opens, state) in [
        ("#add", "adding a party"),
        ("#day-button", "the day"),
        ("#link-button", "the QR code"),
        ("#settings-button", "the settings"),
    ] {
        browser.run("document.querySelector(arguments[0]).click()", vec![json!(opens)]).await;
        browser.shown("dialog").await;
        browser.assert_accessible(state).await;
        press(browser, "Escape").await;
        browser.hidden("dialog").await;
    }
    evening.scene.end().await;
}

/// Presses Tab until an element has the focus. Each stop on the way must be seen.
async fn tab_to(browser: &Browser, css: &str) {
    for _ in 0..STOPS_MAX {
        press(browser, "Tab").await;
        let script = "const focused = document.activeElement; const style = getComputedStyle(focused); \
            const box = focused.getBoundingClientRect(); \
            const top = document.elementFromPoint(box.left + box.width / 2, box.top + box.height / 2); \
            return { there: focused.matches(arguments[0]), outlined: style.outlineStyle !== 'none', \
                uncovered: focused.contains(top) || top?.contains(focused), what: focused.outerHTML.slice(0, 200) }";
        let stop = browser.run(script, vec![json!(css)]).await;
        if stop["what"].as_str().unwrap().starts_with("<body") {
            continue; // between the end of the page and its beginning
        }
        assert_eq!((&stop["outlined"], &stop["uncovered"]), (&json!(true), &json!(true)), "{stop}");
        if stop["there"] == true {
            return;
        }
    }
    panic!("Tab does not reach {css}:\n{}", browser.body().await);
}

/// Presses a key and releases it.
async fn press(browser: &Browser, key: &str) {
    let (code, text) = match key {
        "Tab" => (9, Value::Null),
        "Enter" => (13, json!("\r")),
        "Escape" => (27, Value::Null),
        other => panic!("no such key here: {other}"),
    };
    for kind in ["keyDown", "keyUp"] {
        let mut event = json!({ "type": kind, "key": key, "code": key, "windowsVirtualKeyCode": code });
        if kind == "keyDown" && !text.is_null() {
            event["text"] = text.clone();
        }
        browser.command("Input.dispatchKeyEvent", event).await;
    }
}

/// Types into what has the focus.
async fn write(browser: &Browser, text: &str) {
    browser.command("Input.insertText", json!({ "text": text })).await;
}
