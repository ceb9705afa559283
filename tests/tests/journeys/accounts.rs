//! Registering, signing in, staying so, and what ends it.

use schema::UserId;
use serde_json::json;
use waitlist_tests::{account::PASSWORD, stage::Stage};

use crate::bad_input::assert_is_problem;

#[tokio::test]
async fn somebody_registers_and_signs_in() {
    let stage = Stage::new().await;
    let account = stage.account().await;
    let made =
        stage.with(&account.access, "POST", "/v1/waitlists", json!({ "name": "Main room", "time_zone": "UTC", "region": "US" })).await;
    assert_eq!(made.status, 201, "{made:?}");
}
