//! Requests as of a time that are refused.

use serde_json::json;
use uuid::Uuid;
use waitlist_tests::stage::{Owner, Stage};

use super::{LATER_MS, at, join, names};
use crate::bad_input::assert_is_problem;

async fn refuses(owner: &Owner<'_>, path: &str, headers: &[(&str, &str)], place: (&str, &str)) {
    let refused = owner.send("GET", path, None, headers).await;
    assert_is_problem(&refused, 400, "invalid-parameter", path);
    assert_eq!(refused.body["errors"].as_array().unwrap().len(), 1, "{path}: {refused:?}");
    assert_eq!(refused.body["errors"][0][place.0], place.1, "{path}: {refused:?}");
}

#[tokio::test]
async fn a_wrong_as_of_is_refused_by_name() {
    let stage = Stage::new().await;
    let owner = stage.owner();
    let list = owner.list("Main room").await;
    let ana = join(&stage, &owner, &list, json!({})).await;
    let then = stage.backend.clock.now();
    stage.backend.clock.advance_millis(LATER_MS);
    let board = format!("/v1/waitlists/{list}/waitees");
    let parameter = ("parameter", "as_of");
    for path in [&format!("/v1/waitlists/{list}"), &board, &format!("/v1/waitees/{ana}")] {
        for wrong in [
            "",
            "yesterday",
            "2026-11-20",
            "2026-11-20T19:42:00",
            "2026-11-20T19:42Z",
            "2026-11-20T19:42:00+01:00", // the plus sign is a space in a query
            "2026-13-20T19:42:00Z",
            "2026-11-20T25:42:00Z",
            "1795000000",
            "%ff",
            "12026-11-20T19:42:00Z",
            "-0001-11-20T19:42:00Z",
        ] {
            refuses(&owner, &format!("{path}?as_of={wrong}"), &[], parameter).await;
        }
        let latest = then.plus_millis(LATER_MS - 10_000);
        for late_ms in [1, 10_000, 365 * 24 * 3_600_000] {
            let path = at(path, latest.plus_millis(late_ms));
            refuses(&owner, &path, &[], parameter).await;
            let detail = owner.get(&path).await.body["errors"][0]["detail"].clone();
            assert!(detail.as_str().unwrap().contains(&format!("must be {latest} or earlier")), "{detail}");
        }
        refuses(&owner, &format!("{}&as_of={then}", at(path, then)), &[], parameter).await;
        refuses(&owner, &format!("{path}?As_of={then}"), &[], ("parameter", "As_of")).await;
        let token = format!("waitee-{ana}@1");
        for tokens in [token.as_str(), "garbage"] {
            refuses(&owner, &at(path, then), &[("Sync-Token", tokens)], ("header", "Sync-Token")).await;
        }
    }
    refuses(&owner, &at(&format!("{board}?day=2026-11-20"), then), &[], parameter).await;
    refuses(&owner, &at(&format!("{board}?day=today"), then), &[], ("parameter", "day")).await;
    for path in ["/v1/waitlists".to_owned(), format!("/v1/waitees/{ana}/history"), "/v1/me".to_owned()] {
        refuses(&owner, &at(&path, then), &[], parameter).await;
    }
}

#[tokio::test]
async fn a_page_of_the_past_is_continued_by_its_own_cursor_only() {
    let stage = Stage::new().await;
    let owner = stage.owner();
    let list = owner.list("Main room").await;
    for name in ["Ana", "Ben", "Cleo"] {
        join(&stage, &owner, &list, json!({ "name": name })).await;
        stage.backend.clock.advance_millis(1_000);
    }
    let then = stage.backend.clock.now();
    stage.backend.clock.advance_millis(LATER_MS);
    let board = format!("/v1/waitlists/{list}/waitees?limit=2");
    let [live, past] = [owner.get(&board).await, owner.get(&at(&board, then)).await];
    assert_eq!([names(&live), names(&past)], [["Ana", "Ben"]; 2]);
    let next = |page: &waitlist_tests::stage::Answer| page.body["next"].as_str().unwrap().to_owned();
    let rest = owner.get(&format!("{}&cursor={}", at(&board, then), next(&past))).await;
    assert_eq!(names(&rest), ["Cleo"]);
    assert_eq!(rest.body["items"][0]["position"], 3);
    let cursor = ("parameter", "cursor");
    refuses(&owner, &format!("{}&cursor={}", at(&board, then), next(&live)), &[], cursor).await;
    refuses(&owner, &format!("{board}&cursor={}", next(&past)), &[], cursor).await;
    let known = [("If-None-Match", past.header("etag"))];
    assert_eq!(owner.send("GET", &at(&board, then), None, &known).await.status, 304);
}

#[tokio::test]
async fn another_accounts_past_is_404_like_one_that_does_not_exist() {
    let stage = Stage::new().await;
    let (owner, stranger) = (stage.owner(), stage.owner());
    let list = owner.list("Main room").await;
    let ana = join(&stage, &owner, &list, json!({})).await;
    let then = stage.backend.clock.now();
    stage.backend.clock.advance_millis(LATER_MS);
    for path in [
        format!("/v1/waitlists/{list}"),
        format!("/v1/waitlists/{list}/waitees"),
        format!("/v1/waitees/{ana}"),
    ] {
        assert_eq!(owner.get(&at(&path, then)).await.status, 200, "{path}");
        let nowhere = Uuid::from_u128(7).to_string();
        let mut answers = Vec::new();
        for path in [path.clone(), path.replace(&list, &nowhere).replace(&ana, &nowhere)] {
            let mut refused = stranger.get(&at(&path, then)).await;
            assert_is_problem(&refused, 404, "not-found", &path);
            refused.body["request_id"].take();
            answers.push(refused.body);
        }
        assert_eq!(answers[0], answers[1], "{path}");
    }
}
