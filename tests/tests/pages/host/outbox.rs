//! The outbox of taps: bad networks lose none and apply none twice.

use std::process::Command;

use serde_json::json;
use waitlist_tests::browser::Browser;

use super::evening::{Evening, button, keep_answers, lose_answers, lost, shows};
use crate::scene::{EMAIL, PASSWORD};

/// Taps a button of the first party, again and again until the page says that these commands wait to be sent. The browser must
/// be offline. The page ignores a tap within 0.7 seconds of another one on the same party.
async fn tap_again(browser: &Browser, command: &str, waiting: &str) {
    let tapped = browser.until(async || {
        browser.click(&button(1, command)).await;
        let pending = browser.all(".party:nth-child(1) .pending").await.first()?.text().await.ok()?;
        pending.starts_with(&format!("Waiting to send: {waiting}\n")).then_some(())
    });
    tapped.await.unwrap_or_else(|| panic!("a tap on {command} is not kept"));
}

#[tokio::test]
async fn taps_made_offline_are_each_applied_once_after_a_reload() {
    let Some(evening) = Evening::new().await else { return };
    let ana = evening.add(json!({ "name": "Ana", "party_size": 2 })).await;
    let ben = evening.add(json!({ "name": "Ben", "party_size": 2 })).await;
    let browser = &evening.scene.browser;
    evening.board(browser).await;
    shows(browser, &["Ana", "Ben"]).await;
    browser.offline(true).await;
    browser.click(&button(1, "call")).await;
    browser.says(".party:nth-child(1) .pending", "Waiting to send: call").await;
    tap_again(browser, "seat", "call, seat").await;
    browser.click(&button(2, "call")).await;
    browser.says("#waiting-taps", "3 taps").await;
    browser.assert_accessible("taps that wait").await;
    browser.screenshot("board-offline").await;

    browser.offline(false).await;
    browser.reload().await;
    shows(browser, &["Ben"]).await;
    browser.shown(".party:nth-child(1)[data-state='called']").await;
    evening.has(&ana, "waitee.seated").await;
    browser.hidden("#waiting-taps").await;
    for (party, kind) in [(&ana, "waitee.called"), (&ana, "waitee.seated"), (&ben, "waitee.called")] {
        assert_eq!(evening.count(party, kind).await, 1, "{kind}");
    }
    evening.scene.end().await;
}

#[tokio::test]
async fn a_tap_that_waits_for_the_network_can_be_taken_back() {
    let Some(evening) = Evening::new().await else { return };
    let ana = evening.add(json!({ "name": "Ana", "party_size": 2 })).await;
    let browser = &evening.scene.browser;
    evening.board(browser).await;
    browser.shown(&button(1, "seat")).await;
    browser.offline(true).await;
    browser.click(&button(1, "seat")).await;
    browser.click(".party .pending [aria-label^='Do not send']").await;
    browser.hidden(".party .pending").await;
    browser.offline(false).await;
    browser.click(&button(1, "call")).await;
    browser.shown(".party[data-state='called']").await;
    assert_eq!(evening.count(&ana, "waitee.seated").await, 0);
    evening.scene.end().await;
}

#[tokio::test]
async fn a_tap_is_sent_although_the_browser_has_closed_the_database_of_taps() {
    let Some(evening) = Evening::new().await else { return };
    let ana = evening.add(json!({ "name": "Ana", "party_size": 2 })).await;
    let browser = &evening.scene.browser;
    evening.board(browser).await;
    browser.shown(&button(1, "seat")).await;
    let origin = &evening.scene.server.url;
    let cleared = json!({ "origin": origin, "storageTypes": "indexeddb" });
    browser.command("Storage.clearDataForOrigin", cleared).await;
    browser.click(&button(1, "seat")).await;
    evening.has(&ana, "waitee.seated").await;
    browser.hidden(".party").await;
    evening.scene.end().await;
}

#[tokio::test]
async fn a_tap_is_not_applied_twice_when_its_answer_is_lost() {
    let Some(evening) = Evening::new().await else { return };
    let ana = evening.add(json!({ "name": "Ana", "party_size": 2 })).await;
    let browser = &evening.scene.browser;
    evening.board(browser).await;
    browser.shown(&button(1, "call")).await;
    lose_answers(browser, "/call").await;
    browser.click(&button(1, "call")).await;
    lost(browser).await;
    browser.says("#waiting-taps", "1 tap").await;
    keep_answers(browser).await;
    browser.hidden(".party .pending").await;
    browser.hidden("#waiting-taps").await;
    browser.shown(".party[data-state='called']").await;
    assert_eq!(evening.count(&ana, "waitee.called").await, 1);
    evening.scene.end().await;
}

#[tokio::test]
async fn a_tap_on_what_somebody_else_changed_meanwhile_shows_the_change() {
    let Some(evening) = Evening::new().await else { return };
    let ana = evening.add(json!({ "name": "Ana", "party_size": 2 })).await;
    let browser = &evening.scene.browser;
    evening.board(browser).await;
    browser.shown(&button(1, "seat")).await;
    browser.offline(true).await;
    browser.click(&button(1, "seat")).await;
    browser.says(".party .pending", "Waiting to send: seat").await;
    evening.send("PATCH", &format!("/v1/waitees/{ana}"), json!({ "party_size": 6 })).await;
    browser.offline(false).await;
    browser.says("#messages", "This party has changed meanwhile: it is now waiting, no. 1, party of 6").await;
    browser.hidden(".party .pending").await;
    browser.says(".party .size", "6").await;
    browser.assert_accessible("a refused tap").await;
    assert_eq!(evening.count(&ana, "waitee.seated").await, 0);

    // And one that the state does not allow says why.
    browser.offline(true).await;
    tap_again(browser, "call", "call").await;
    evening.send("POST", &format!("/v1/waitees/{ana}/seat"), json!({})).await;
    browser.offline(false).await;
    browser.says("#messages .message:last-child", "The call was not done").await;
    evening.scene.end().await;
}

#[tokio::test]
async fn a_call_that_waited_long_is_asked_again_before_it_is_sent() {
    let Some(evening) = Evening::new().await else { return };
    let ana = evening.add(json!({ "name": "Ana", "party_size": 2 })).await;
    let ben = evening.add(json!({ "name": "Ben", "party_size": 2 })).await;
    let browser = &evening.scene.browser;
    evening.board(browser).await;
    browser.offline(true).await;
    browser.click(&button(1, "call")).await;
    browser.click(&button(2, "call")).await;
    browser.says("#waiting-taps", "2 taps").await;
    let later = "const now = Date.now; Date.now = () => now() + 3 * 60000";
    browser.run(later, Vec::new()).await;
    browser.offline(false).await;
    browser.says(".party:nth-child(1) .pending", "“Call” for Ana was tapped 3 min ago").await;
    browser.assert_accessible("a question before an old call").await;
    browser.click(".party:nth-child(1) .pending [aria-label^='Send']").await;
    browser.shown(".party:nth-child(1)[data-state='called']").await;
    browser.click(".party:nth-child(2) .pending [aria-label^='Do not send']").await;
    browser.hidden(".party .pending").await;
    assert_eq!(evening.count(&ana, "waitee.called").await, 1);
    assert_eq!(evening.count(&ben, "waitee.called").await, 0);
    evening.scene.end().await;
}

#[tokio::test]
async fn an_old_call_is_asked_again_when_its_party_has_left_the_board() {
    let Some(evening) = Evening::new().await else { return };
    let ana = evening.add(json!({ "name": "Ana", "party_size": 2 })).await;
    let browser = &evening.scene.browser;
    evening.board(browser).await;
    browser.offline(true).await;
    browser.click(&button(1, "call")).await;
    browser.says("#waiting-taps", "1 tap").await;
    evening.send("POST", &format!("/v1/waitees/{ana}/seat"), json!({})).await;
    browser.run("const now = Date.now; Date.now = () => now() + 3 * 60000", Vec::new()).await;
    browser.offline(false).await;
    browser.says("#old-taps", "for Ana was tapped 3 min ago").await;
    shows(browser, &[]).await;
    browser.assert_accessible("a question about a party that is gone").await;
    browser.click("#old-taps [aria-label^='Do not send']").await;
    browser.hidden("#old-taps p").await;
    assert_eq!(evening.count(&ana, "waitee.called").await, 0);
    evening.scene.end().await;
}

#[tokio::test]
async fn a_tap_waits_until_the_host_has_signed_in_again() {
    let Some(evening) = Evening::new().await else { return };
    let ana = evening.add(json!({ "name": "Ana", "party_size": 2 })).await;
    let browser = &evening.scene.browser;
    evening.board(browser).await;
    browser.offline(true).await;
    browser.click(&button(1, "seat")).await;
    browser.says("#waiting-taps", "1 tap").await;
    // A new password ends all sessions.
    let password = "a rather long new password";
    let change = json!({ "current_password": PASSWORD, "new_password": password });
    let changed = evening.scene.send(Some(&evening.token), "PUT", "/v1/me/password", change).await;
    assert_eq!(changed.status, 204, "{}", changed.body);
    evening.advance("2m").await; // an access token may be accepted for another minute
    browser.offline(false).await;
    browser.says("#notice", "You are signed out").await;
    browser.assert_accessible("signed out").await;
    browser.click("#notice a").await;
    browser.fill("#sign-in-email", EMAIL).await;
    browser.fill("#sign-in-password", password).await;
    browser.click("#sign-in-form [type=submit]").await;
    browser.says("#heading", "Main room").await;
    shows(browser, &[]).await;
    let tokens = json!({ "email": EMAIL, "password": password });
    let tokens = evening.scene.send(None, "POST", "/v1/sessions", tokens).await;
    let token = tokens.body["access_token"].as_str().unwrap();
    let party = evening.scene.send(Some(token), "GET", &format!("/v1/waitees/{ana}"), json!(null)).await;
    assert_eq!(party.body["state"], "seated");
    evening.scene.end().await;
}

#[tokio::test]
async fn a_banner_tells_the_age_of_the_board_while_the_server_is_gone() {
    let Some(evening) = Evening::with(&["Ana"]).await else { return };
    let browser = &evening.scene.browser;
    shows(browser, &["Ana"]).await;
    browser.hidden("#banner").await;
    let signal = |name: &str| {
        let server = evening.scene.server.id().to_string();
        assert!(Command::new("kill").args([name, &server]).status().unwrap().success());
    };
    signal("-STOP"); // it takes requests and answers none
    browser.says("#banner", "seconds old").await;
    browser.assert_accessible("the server is gone").await;
    signal("-CONT");
    browser.hidden("#banner").await;
    evening.scene.end().await;
}
