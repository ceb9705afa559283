//! The session outlives its access tokens.

use serde_json::json;

use super::evening::{Evening, button, keep_answers, lose_answers, lost, shows};

/// Longer than an access token is valid.
const TOKEN_OVER: &str = "16m";

#[tokio::test]
async fn two_tabs_stay_signed_in_when_the_access_token_expires() {
    let Some(mut evening) = Evening::with(&["Ana"]).await else { return };
    let tabs = evening.scene.browser.new_tab().await;
    evening.scene.browser.visit(&format!("/board#{}", evening.list)).await;
    shows(&evening.scene.browser, &["Ana"]).await;
    let mut expected = vec!["Ana".to_owned()];
    for name in ["Ben", "Chloe", "Dan"] {
        evening.advance(TOKEN_OVER).await;
        evening.sign_in_again().await;
        evening.add(json!({ "name": name, "party_size": 2 })).await;
        expected.push(name.to_owned());
        let expected: Vec<&str> = expected.iter().map(String::as_str).collect();
        for tab in &tabs {
            evening.scene.browser.switch_to(tab).await;
            shows(&evening.scene.browser, &expected).await;
        }
    }
    // Both tabs also write with the session, which a refresh token used twice would have ended.
    evening.scene.browser.click(&button(1, "seat")).await;
    shows(&evening.scene.browser, &["Ben", "Chloe", "Dan"]).await;
    evening.scene.end().await;
}

#[tokio::test]
async fn a_host_stays_signed_in_when_the_answer_to_a_refresh_is_lost_and_the_device_is_offline_for_a_minute()
{
    let Some(mut evening) = Evening::with(&["Ana"]).await else { return };
    lose_answers(&evening.scene.browser, "sessions/refresh").await;
    evening.advance(TOKEN_OVER).await;
    lost(&evening.scene.browser).await;
    evening.scene.browser.offline(true).await;
    keep_answers(&evening.scene.browser).await;
    evening.advance("60s").await;
    evening.sign_in_again().await;
    evening.add(json!({ "name": "Ben", "party_size": 2 })).await;
    evening.scene.browser.offline(false).await;
    shows(&evening.scene.browser, &["Ana", "Ben"]).await;
    // The session is as good as before.
    evening.advance(TOKEN_OVER).await;
    evening.sign_in_again().await;
    evening.add(json!({ "name": "Chloe", "party_size": 2 })).await;
    shows(&evening.scene.browser, &["Ana", "Ben", "Chloe"]).await;
    evening.scene.end().await;
}
