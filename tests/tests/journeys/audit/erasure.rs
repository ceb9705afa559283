//! Erased guests and accounts in the history of an account.

use std::sync::atomic::{AtomicBool, Ordering};

use futures::future::join_all;
use reactors::erasure::forget;
use schema::WaiteeId;
use serde_json::{Value, json};
use waitlist_tests::{
    account::PASSWORD,
    stage::{Owner, Stage},
};

use super::page;
use crate::reads::feed;

const ROUNDS: usize = 12;
const PAGES: usize = 8;

/// A guest whose visit has a name, a note and a reason.
async fn visit(owner: &Owner<'_>, list: &str) -> String {
    let body = json!({ "name": "Ana Anonyma", "party_size": 2, "note": "by the window" });
    let ana = owner.post(&format!("/v1/waitlists/{list}/waitees"), body).await.id();
    let left = owner.post(&format!("/v1/waitees/{ana}/leave"), json!({ "reason": "a long wait" })).await;
    assert_eq!(left.status, 200, "{left:?}");
    ana
}

/// The values of the guest that the page shows.
fn values(page: &Value) -> usize {
    let text = page.to_string();
    ["Ana Anonyma", "by the window", "a long wait"].iter().filter(|value| text.contains(*value)).count()
}

#[tokio::test]
async fn an_erased_guests_values_are_gone_before_rows_and_keys_follow() {
    let stage = Stage::new().await;
    let owner = stage.registered().await;
    let list = owner.list("Main room").await;
    for has_row in [false, true] {
        let ana = visit(&owner, &list).await;
        if has_row {
            feed(&stage).await;
        }
        let target = format!("target=waitee-{ana}");
        assert_eq!(values(&page(&owner, &target).await), 3, "all are shown, and the key is cached");
        let erased = owner.post(&format!("/v1/waitees/{ana}/erase"), json!({})).await;
        assert_eq!(erased.status, 202, "{erased:?}");
        assert_eq!(values(&page(&owner, &target).await), 0, "the row does not show the erasure yet");
        feed(&stage).await;
        assert_eq!(values(&page(&owner, &target).await), 0, "the key still exists");
        forget(&stage.another(), ana.parse::<WaiteeId>().unwrap().into()).await.unwrap();
        let page = page(&owner, &target).await;
        assert_eq!(values(&page), 0);
        let kinds: Vec<&Value> =
            page["items"].as_array().unwrap().iter().map(|event| &event["type"]).collect();
        assert_eq!(kinds, ["waitee.forgotten", "waitee.erased", "waitee.left", "waitee.joined"]);
        assert_eq!(page["items"][3]["data"]["party_size"], 2, "what is not personal stays");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_page_that_is_asked_for_after_an_erasure_shows_a_value() {
    let stage = Stage::new().await;
    let owner = stage.registered().await;
    let list = owner.list("Main room").await;
    for round in 0..ROUNDS {
        let ana = visit(&owner, &list).await;
        if round % 2 == 0 {
            feed(&stage).await;
        }
        let (erased, target) = (AtomicBool::new(false), format!("target=waitee-{ana}"));
        let erase = async {
            let answer = owner.post(&format!("/v1/waitees/{ana}/erase"), json!({})).await;
            erased.store(answer.status == 202, Ordering::SeqCst);
            forget(&stage.another(), ana.parse::<WaiteeId>().unwrap().into()).await.unwrap();
        };
        let read = async |_: usize| {
            for _ in 0..PAGES {
                let is_erased = erased.load(Ordering::SeqCst);
                let shown = values(&page(&owner, &target).await);
                assert!(!is_erased || shown == 0, "{shown} values of an erased guest are shown");
            }
        };
        tokio::join!(erase, join_all((0..3).map(read)));
        assert!(erased.load(Ordering::SeqCst));
        assert_eq!(values(&page(&owner, &target).await), 0);
    }
}

#[tokio::test]
async fn an_erased_accounts_history_shows_no_value_at_once() {
    let stage = Stage::new().await;
    let owner = stage.registered().await;
    let list = owner.list("Main room").await;
    visit(&owner, &list).await;
    feed(&stage).await;
    assert_eq!(values(&page(&owner, "limit=200").await), 3);
    assert_eq!(owner.post("/v1/me/erase", json!({ "current_password": PASSWORD })).await.status, 202);
    let shown = page(&owner, "limit=200").await;
    assert_eq!(values(&shown), 0);
    let mut events = shown["items"].as_array().unwrap().iter();
    let registered = events.find(|event| event["type"] == "user.registered").unwrap();
    assert_eq!(registered["data"]["email"], Value::Null);
}
