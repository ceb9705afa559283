//! Times on the board go by the server's clock.

use serde_json::json;

use super::evening::{Evening, button, sign_in};

#[tokio::test]
async fn timers_are_right_in_a_browser_whose_clock_is_10_minutes_off() {
    let Some(evening) = Evening::new().await else { return };
    let browser = &evening.scene.browser;
    let off = "{ const now = Date.now; Date.now = () => now() + 600000; }";
    browser.command("Page.addScriptToEvaluateOnNewDocument", json!({ "source": off })).await;
    sign_in(browser).await;
    evening.add(json!({ "name": "Ana", "party_size": 2 })).await;
    evening.add(json!({ "name": "Ben", "party_size": 2, "quoted_minutes": 30 })).await;
    browser.visit(&format!("/board#{}", evening.list)).await;
    browser.says(".party:nth-child(1) .about", "Waiting 0 min").await;
    browser.says(".party:nth-child(2) .title", "29 min left").await;
    browser.click(&button(1, "call")).await;
    browser.says(".party:nth-child(1) .title", "held for 9:").await;

    evening.advance("6m").await;
    browser.says(".party:nth-child(1) .title", "held for 3:").await;
    browser.says(".party:nth-child(2) .title", "23 min left").await;
    evening.advance("25m").await;
    browser.says(".party:last-child .title", "late").await;
    evening.scene.end().await;
}
