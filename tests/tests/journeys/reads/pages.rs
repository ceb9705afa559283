//! Pages of lists, boards and days: every item once, in one order.

use serde_json::{Value, json};
use waitlist_tests::stage::{Owner, Stage};

use super::feed;

const DAY_PARTIES: usize = 250;
const BOARD_PARTIES: usize = 60;
const LISTS: usize = 120;

/// Returns the ids on all pages of a path. Each request carries the Sync-Tokens.
async fn ids(owner: &Owner<'_>, path: &str, limit: usize, tokens: &str) -> Vec<String> {
    let glue = if path.contains('?') { '&' } else { '?' };
    let headers: Vec<_> =
        Some(("Sync-Token", tokens)).into_iter().filter(|(_, tokens)| !tokens.is_empty()).collect();
    let (mut ids, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = owner.send("GET", &format!("{path}{glue}limit={limit}{cursor}"), None, &headers).await;
        assert_eq!(page.status, 200, "{page:?}");
        let items = page.body["items"].as_array().unwrap();
        assert!(items.len() <= limit, "{} on a page of {limit}", items.len());
        ids.extend(items.iter().map(|item| item["id"].as_str().unwrap().to_owned()));
        match &page.body["next"] {
            Value::String(next) => cursor = format!("&cursor={next}"),
            next => {
                assert_eq!(next, &Value::Null);
                return ids;
            }
        }
        assert!(!items.is_empty() && ids.len() < 1_000, "the pages do not end");
    }
}

/// Adds as many parties as a request can have Sync-Tokens. The rows do not show them yet.
async fn unseen(owner: &Owner<'_>, list: &str, known: &mut Vec<String>) -> String {
    let mut tokens = Vec::new();
    for number in 0..schema::sync::SYNC_TOKENS_MAX {
        let id = owner.join(list, &format!("Unseen {number}")).await;
        tokens.push(format!("waitee-{id}@1"));
        known.push(id);
    }
    tokens.join(",")
}

#[tokio::test]
async fn a_day_of_many_parties_is_paged_without_loss_or_repetition() {
    let stage = Stage::new().await;
    let owner = stage.owner();
    let large =
        json!({ "name": "Main room", "time_zone": "America/Los_Angeles", "region": "US", "capacity": 400 });
    let list = owner.post("/v1/waitlists", large).await.id();
    let mut known = Vec::new();
    for number in 0..DAY_PARTIES - schema::sync::SYNC_TOKENS_MAX {
        known.push(owner.join(&list, &format!("Party {number}")).await);
    }
    feed(&stage).await;
    let day = format!("/v1/waitlists/{list}/waitees?day=2026-11-20");
    let tokens = unseen(&owner, &list, &mut known).await;
    for limit in [50, 117, 200] {
        assert_eq!(ids(&owner, &day, limit, &tokens).await, known, "by {limit}");
    }
    feed(&stage).await;
    assert_eq!(ids(&owner, &day, 125, "").await, known, "with an exactly full last page");
}

#[tokio::test]
async fn a_board_is_paged_in_its_own_order() {
    let stage = Stage::new().await;
    let owner = stage.owner();
    let list = owner.list("Main room").await;
    let board = format!("/v1/waitlists/{list}/waitees");
    let mut known = Vec::new();
    for number in 0..BOARD_PARTIES - schema::sync::SYNC_TOKENS_MAX {
        known.push(owner.join(&list, &format!("Party {number}")).await);
    }
    feed(&stage).await;
    let tokens = unseen(&owner, &list, &mut known).await;
    for limit in [7, 20, 60] {
        assert_eq!(ids(&owner, &board, limit, &tokens).await, known, "by {limit}");
    }
    feed(&stage).await;
    let moved = owner.post(&format!("/v1/waitees/{}/move", known[59]), json!({ "before": known[10] })).await;
    let last = known.pop().unwrap();
    known.insert(10, last);
    for limit in [11, 60] {
        assert_eq!(ids(&owner, &board, limit, moved.header("sync-token")).await, known, "by {limit}");
    }
}

#[tokio::test]
async fn an_accounts_lists_are_paged_by_creation_time() {
    let stage = Stage::new().await;
    let owner = stage.owner();
    let mut known = Vec::new();
    for number in 0..LISTS {
        stage.backend.clock.advance_millis(1);
        known.push(owner.list(&format!("List {number}")).await);
        if number == LISTS - 10 {
            feed(&stage).await;
        }
    }
    let tokens: Vec<String> = known[LISTS - 12..].iter().map(|id| format!("waitlist-{id}@1")).collect();
    for limit in [7, 60, 120] {
        assert_eq!(ids(&owner, "/v1/waitlists", limit, &tokens.join(",")).await, known, "by {limit}");
    }
    // Deleted lists leave no gap in a page and add no page.
    let mut tokens = Vec::new();
    for id in known.drain(3..9).collect::<Vec<_>>() {
        owner.post(&format!("/v1/waitlists/{id}/close"), json!({})).await;
        let deleted = owner.send("DELETE", &format!("/v1/waitlists/{id}"), None, &[]).await;
        assert_eq!(deleted.status, 204);
        tokens.push(deleted.header("sync-token").to_owned());
    }
    tokens.extend(known[LISTS - 6 - 9..].iter().map(|id| format!("waitlist-{id}@1")));
    for limit in [19, 57, 114] {
        assert_eq!(ids(&owner, "/v1/waitlists", limit, &tokens.join(",")).await, known, "by {limit}");
    }
    feed(&stage).await;
    assert_eq!(ids(&owner, "/v1/waitlists", 5, "").await, known);
}
