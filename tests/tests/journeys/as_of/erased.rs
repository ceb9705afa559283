//! Erased guests are shown without their data at every time.

use reactors::erasure::forget;
use schema::{Time, WaiteeId};
use serde_json::{Value, json};
use waitlist_tests::stage::{Owner, Stage};

use super::{LATER_MS, at, join};
use crate::reads::feed;

const PHONE: &str = "+14155552671";

/// Asserts that Ana is shown without her data, on the board and alone, and Ben with his.
async fn assert_is_nameless(owner: &Owner<'_>, (list, ana): (&str, &str), times: &[Time]) {
    for time in times {
        let board = owner.get(&at(&format!("/v1/waitlists/{list}/waitees"), *time)).await;
        let one = owner.get(&at(&format!("/v1/waitees/{ana}"), *time)).await;
        assert_eq!((board.status, one.status), (200, 200), "{time}");
        assert!(!format!("{} {}", board.body, one.body).contains("ana"), "{time}: {board:?} {one:?}");
        let on_board = board.body["items"].as_array().unwrap();
        let of_ana = on_board.iter().filter(|party| party["id"] == ana).chain([&one.body]);
        for party in of_ana {
            for field in ["name", "phone", "email", "note"] {
                assert_eq!(party[field], Value::Null, "{time}: {party}");
            }
            assert_eq!(party["erased"], true, "{time}: {party}");
        }
        let ben = on_board.last().unwrap();
        assert_eq!(
            (&ben["name"], &ben["phone"], &ben["duplicate_of"]),
            (&json!("Ben"), &json!(PHONE), &Value::Null),
            "{time}: the shared phone number would tell the erased one"
        );
    }
}

#[tokio::test]
async fn an_erased_guest_has_no_name_at_any_time_from_the_request_on() {
    let stage = Stage::new().await;
    let owner = stage.owner();
    let clock = &stage.backend.clock;
    let list = owner.list("Main room").await;
    let details =
        json!({ "name": "ana-name", "phone": PHONE, "email": "ana@example.com", "note": "ana-note" });
    let ana = join(&stage, &owner, &list, details).await;
    clock.advance_millis(1_000);
    join(&stage, &owner, &list, json!({ "name": "Ben", "phone": PHONE })).await;
    let waiting = clock.now();
    clock.advance_millis(LATER_MS);
    let board = at(&format!("/v1/waitlists/{list}/waitees"), waiting);
    let before = owner.get(&board).await.body;
    assert_eq!(before["items"][0]["name"], "ana-name");
    assert_eq!(before["items"][1]["duplicate_of"], json!(ana));

    assert_eq!(owner.post(&format!("/v1/waitees/{ana}/erase"), json!({})).await.status, 202);
    let erased = clock.now();
    // The feed has not seen the erasure, the key still exists, and it is cached.
    assert_is_nameless(&owner, (&list, &ana), &[waiting]).await;
    feed(&stage).await;
    clock.advance_millis(LATER_MS);
    let times = [waiting, waiting.plus_millis(5_000), erased.plus_millis(-1), erased];
    assert_is_nameless(&owner, (&list, &ana), &times).await;
    let state = async |time| owner.get(&at(&format!("/v1/waitees/{ana}"), time)).await.body["state"].clone();
    assert_eq!([state(erased.plus_millis(-1)).await, state(erased).await], ["waiting", "removed"]);
    forget(&stage.another(), ana.parse::<WaiteeId>().unwrap().into()).await.unwrap();
    feed(&stage).await;
    clock.advance_millis(LATER_MS);
    assert_is_nameless(&owner, (&list, &ana), &times).await;
    clock.advance_millis(60_000); // no key is cached any longer
    assert_is_nameless(&owner, (&list, &ana), &times).await;
}
