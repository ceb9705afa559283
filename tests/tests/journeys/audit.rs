//! The history of an account.

mod erasure;
mod export;
mod generated;
mod operator;
mod oracle;
mod world;

use serde_json::{Value, json};
use waitlist_tests::stage::{Answer, Owner, Stage};

use crate::bad_input::assert_is_problem;

/// Returns a page of the history.
async fn page(owner: &Owner<'_>, query: &str) -> Value {
    let page = owner.get(&format!("/v1/audit?{query}")).await;
    assert_eq!(page.status, 200, "{query}: {page:?}");
    page.body
}

/// Returns type and stream of the events on a page.
fn events(page: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    page["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|event| (text(&event["type"]), text(&event["stream"])))
        .collect()
}

fn removed(answer: &Answer) {
    assert_eq!((answer.status, &answer.body["state"]), (200, &json!("removed")), "{answer:?}");
}

/// "Who removed this party last Friday?"
#[tokio::test]
async fn the_history_of_an_account_tells_who_did_what_and_when() {
    let stage = Stage::new().await;
    let owner = stage.registered().await;
    let list = owner.list("Main room").await;
    let (ana, ben) = (owner.join(&list, "Ana").await, owner.join(&list, "Ben").await);
    let remove = json!({ "reason": "left without a word" });
    removed(&owner.post(&format!("/v1/waitees/{ana}/remove"), remove).await);
    stage.backend.clock.advance_millis(30 * 24 * 60 * 60 * 1_000); // it is December
    owner.post(&format!("/v1/waitees/{ben}/call"), json!({})).await;

    let friday = "from=2026-11-20T08:00:00Z&to=2026-11-21T08:00:00Z"; // in California
    let found = page(&owner, &format!("{friday}&action=waitee.removed&waitlist={list}")).await;
    assert_eq!(events(&found), [("waitee.removed".to_owned(), format!("waitee-{ana}"))]);
    let event = &found["items"][0];
    assert_eq!(event["actor"], format!("user:{}", owner.id));
    assert_eq!(event["data"], json!({ "reason": "left without a word" }));
    assert_eq!(
        event.as_object().unwrap().keys().collect::<Vec<_>>(),
        ["actor", "at", "causation", "commit", "correlation", "data", "seq", "stream", "type", "v"]
    );
    assert_eq!(
        (&found["next"], &found["complete_until"]),
        (&Value::Null, &json!("2026-12-21T02:59:52.000Z"))
    );

    let all = page(&owner, "limit=200").await;
    let mut newest_first = events(&all);
    assert_eq!(newest_first[0], ("waitee.called".to_owned(), format!("waitee-{ben}")));
    assert!(newest_first.contains(&("user.registered".to_owned(), format!("user-{}", owner.id))));
    stage.backend.clock.advance_millis(11_000);
    newest_first.reverse();
    assert_eq!(events(&page(&owner, "order=asc&limit=200").await), newest_first);
    let request = event["correlation"].as_str().unwrap();
    assert_eq!(events(&page(&owner, &format!("correlation={request}")).await).len(), 1);
    assert_eq!(
        events(&page(&owner, &format!("actor=user:{}&target=waitee-{ana}", owner.id)).await),
        ["waitee.removed", "waitee.joined"].map(|kind| (kind.to_owned(), format!("waitee-{ana}")))
    );
}

#[tokio::test]
async fn values_are_opened_and_a_password_is_not_shown() {
    let stage = Stage::new().await;
    let owner = stage.registered().await;
    let list = owner.list("Main room").await;
    let body = json!({ "name": "Ana", "party_size": 2, "phone": "(415) 555-2671", "note": "high chair" });
    owner.post(&format!("/v1/waitlists/{list}/waitees"), body).await;
    let joined = &page(&owner, "action=waitee.*").await["items"][0]["data"];
    assert_eq!(
        (&joined["name"], &joined["phone"], &joined["note"]),
        (&json!("Ana"), &json!("+14155552671"), &json!("high chair"))
    );
    let registered = &page(&owner, "action=user.registered").await["items"][0]["data"];
    assert_eq!((&registered["name"], &registered["password"]), (&json!("Ana"), &Value::Null));
    assert!(registered["email"].as_str().is_some_and(|email| email.ends_with("@example.com")));
}

#[tokio::test]
async fn another_accounts_events_are_not_found_by_any_filter() {
    let stage = Stage::new().await;
    let (owner, stranger) = (stage.registered().await, stage.registered().await);
    let list = owner.list("Main room").await;
    let ana = owner.join(&list, "Ana").await;
    let own = page(&owner, &format!("target=waitee-{ana}")).await;
    let (request, nowhere) = (own["items"][0]["correlation"].as_str().unwrap(), uuid::Uuid::from_u128(7));
    for order in ["asc", "desc"] {
        for [theirs, unknown] in [
            [format!("target=waitee-{ana}"), format!("target=waitee-{nowhere}")],
            [format!("target=user-{}", owner.id), format!("target=user-{nowhere}")],
            [format!("waitlist={list}"), format!("waitlist={nowhere}")],
            [format!("actor=user:{}", owner.id), format!("actor=user:{nowhere}")],
            [format!("correlation={request}"), format!("correlation={nowhere}")],
        ] {
            let found = page(&stranger, &format!("order={order}&{theirs}")).await;
            assert_eq!(events(&found), [], "{theirs}");
            assert_eq!(found, page(&stranger, &format!("order={order}&{unknown}")).await, "{theirs}");
        }
    }
    // A cursor holds a position and no account.
    let next = page(&owner, "limit=1").await["next"].as_str().unwrap().to_owned();
    for (_, stream) in events(&page(&stranger, &format!("limit=200&cursor={next}")).await) {
        assert!(!events(&page(&owner, "limit=200").await).iter().any(|(_, own)| *own == stream), "{stream}");
    }
    let token = [("Sync-Token", format!("waitee-{ana}@1")), ("Sync-Token", format!("waitee-{nowhere}@1"))];
    for (name, token) in &token {
        let refused = stranger.send("GET", "/v1/audit", None, &[(name, token)]).await;
        assert_is_problem(&refused, 400, "invalid-parameter", token);
    }
}

#[tokio::test]
async fn a_wrong_parameter_is_refused_by_name() {
    let stage = Stage::new().await;
    let owner = stage.owner();
    let nowhere = uuid::Uuid::from_u128(7);
    let of_history = data_encoding::BASE64URL_NOPAD.encode(b"h1");
    for (name, values) in [
        ("from", vec!["", "yesterday", "2026-11-20", "2026-11-20T19:42:00", "2026-11-20T19:42:00+01:00"]),
        ("to", vec!["", "1795203720", "2026-13-01T00:00:00Z"]),
        ("actor", vec!["", "ana", "user:7", "guest:", "system:root", "user"]),
        (
            "action",
            vec![
                "",
                "*",
                "joined",
                "waitee",
                "waitee.",
                "waitee.vanished",
                "waitee.j*",
                "table.*",
                "Waitee.joined",
            ],
        ),
        (
            "target",
            vec![
                "",
                "waitee",
                "waitee-7",
                &nowhere.to_string()[..8],
                "table-00000000-0000-0000-0000-000000000007",
            ],
        ),
        ("waitlist", vec!["", "7", "waitlist-00000000-0000-0000-0000-000000000007"]),
        ("correlation", vec!["", "a%20b", "%C3%A9", &"r".repeat(129)]),
        ("order", vec!["", "up", "ASC", "desc,asc"]),
        ("limit", vec!["", "0", "201", "ten", "1.5"]),
        ("cursor", vec!["", "garbage", "YQ", &of_history]),
        ("account", vec![&nowhere.to_string()]),
    ] {
        for value in values {
            let refused = owner.get(&format!("/v1/audit?{name}={value}")).await;
            assert_is_problem(&refused, 400, "invalid-parameter", &format!("{name}={value}"));
            assert_eq!(refused.body["errors"][0]["parameter"], name, "{name}={value}: {refused:?}");
        }
    }
    for (query, name) in [
        ("from=2026-11-20T19:42:00Z&to=2026-11-20T19:42:00Z", "to"),
        ("from=2026-11-20T19:42:00Z&to=2026-11-20T19:41:00Z", "to"),
        ("limit=5&limit=5", "limit"),
    ] {
        let refused = owner.get(&format!("/v1/audit?{query}")).await;
        assert_is_problem(&refused, 400, "invalid-parameter", query);
        assert_eq!(refused.body["errors"][0]["parameter"], name, "{query}: {refused:?}");
    }
    // A + that is not written as %2B is a space.
    assert_eq!(owner.get("/v1/audit?from=2026-11-20T19:42:00%2B01:00").await.status, 200);
}

/// The actions of one event in a thousand are found by pages that examine a bounded number of commits each.
#[tokio::test]
async fn a_page_examines_500_commits_and_24_empty_months_at_most() {
    const COMMITS: usize = 1_234;
    let stage = Stage::new().await;
    let mut world = world::World::begin(&stage).await;
    let write = |stream, events, wait_ms| world::Write {
        wait_ms,
        stream,
        events,
        choice: 0,
        actor: 0,
        request: 0,
        lag_ms: 0,
    };
    for _ in 0..COMMITS {
        world.write(write(3, 1, 1)).await;
    }
    let owner = stage.owner_with(world.owner, None);
    let (mut cursor, mut pages) = (String::new(), 0);
    loop {
        let found = page(&owner, &format!("action=user.registered{cursor}")).await;
        pages += 1;
        match found["next"].as_str() {
            Some(next) => {
                assert_eq!(events(&found), [], "page {pages}");
                cursor = format!("&cursor={next}");
            }
            None => {
                assert_eq!(events(&found).len(), 1, "page {pages}");
                break;
            }
        }
    }
    assert_eq!(pages, COMMITS.div_ceil(499), "each page examines the last commit of the one before again");

    world.pass(60 * 365 * 24 * 60 * 60 * 1_000 / 12).await; // five years
    for (order, empty) in [("desc", 2), ("asc", 0)] {
        let (mut cursor, mut passed) = (String::new(), 0);
        loop {
            let found = page(&owner, &format!("order={order}&action=waitee.joined{cursor}")).await;
            if !events(&found).is_empty() {
                break;
            }
            passed += 1;
            cursor = format!("&cursor={}", found["next"].as_str().unwrap());
        }
        assert_eq!(passed, empty + if order == "desc" { 2 } else { 0 }, "{order}");
    }
}
