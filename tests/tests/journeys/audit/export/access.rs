//! Exports in the history of the account: each part is recorded, and accounts are apart.

use infra::http::Principal;
use schema::reading::stream_of;
use serde_json::{Value, json};
use waitlist_tests::stage::Stage;

use super::{EXPORT, joined, next, page, settled};

#[tokio::test]
async fn each_part_is_recorded_before_it_is_read_and_the_owner_sees_it() {
    let stage = Stage::new().await;
    let owner = settled(&stage).await;
    let to = "2026-11-21T03:00:00.500Z";
    let first = owner.get(&format!("{EXPORT}?format=csv&from=2026-11-21T03:00:00Z&to={to}")).await;
    assert_eq!((first.status, next(&first)), (200, None));
    let cursor = page(&owner, "order=asc&limit=1").await["next"].as_str().unwrap().to_owned();
    let invented = format!("{EXPORT}?cursor={cursor}");
    assert_eq!(owner.get(&invented).await.status, 200);
    assert_eq!(owner.send("HEAD", &invented, None, &[]).await.status, 200);
    stage.backend.clock.advance_millis(11_000);

    let seen = page(&owner, "order=asc&action=access.*").await["items"].clone();
    let seen = seen.as_array().unwrap();
    assert_eq!(seen.len(), 3, "{seen:?}");
    for event in seen {
        assert_eq!(event["type"], "access.history-exported");
        assert_eq!(event["actor"], format!("user:{}", owner.id));
        assert_eq!(event["stream"], format!("access-{}", owner.id));
    }
    assert_eq!(seen[0]["data"], json!({ "format": "csv", "from": "2026-11-21T03:00:00.000Z", "to": to }));
    assert_eq!(seen[0]["correlation"], first.header("x-request-id"));
    assert_eq!(seen[1]["data"], seen[2]["data"]);
    assert_eq!(seen[1]["data"]["format"], "ndjson");
    let own = joined(&owner, "csv", "from=2026-11-21T03:00:00Z").await;
    assert_eq!(own.iter().filter(|event| event["type"] == "access.history-exported").count(), 3);
}

/// A record that cannot be read would bar the records of all later parts.
#[tokio::test]
async fn an_export_of_any_time_is_recorded_and_leaves_the_next_one_possible() {
    let stage = Stage::new().await;
    let owner = settled(&stage).await;
    let extremes = [
        "from=9999-12-31T23:59:59-01:00",
        "from=2099-01-01T00:00:00Z",
        "from=0000-01-01T00:00:00%2B01:00",
        "to=0000-01-01T00:00:00%2B01:00",
        "to=9999-12-31T23:59:59-23:59",
        "cursor=YWZmZmZmZmZmLWZmZmYtZmZmZi1mZmZmLWZmZmZmZmZmZmZmZi4w",
    ];
    for query in extremes {
        assert_eq!(owner.get(&format!("{EXPORT}?{query}")).await.status, 200, "{query}");
    }
    assert_eq!(owner.get(EXPORT).await.status, 200);
    stage.backend.clock.advance_millis(11_000);
    let seen = page(&owner, "action=access.*").await["items"].clone();
    let seen = seen.as_array().unwrap();
    assert_eq!(seen.len(), extremes.len() + 1);
    for event in seen {
        assert!(event["data"]["from"].as_str() <= event["data"]["to"].as_str(), "{event}");
    }
}

#[tokio::test]
async fn another_accounts_events_are_in_no_export() {
    let stage = Stage::new().await;
    let (owner, stranger) = (settled(&stage).await, settled(&stage).await);
    let list = owner.list("Main room").await;
    owner.join(&list, "Ana").await;
    stage.backend.clock.advance_millis(11_000);
    let cursor = page(&owner, "order=asc&limit=1").await["next"].as_str().unwrap().to_owned();
    for query in ["from=2026-01-01T00:00:00Z".to_owned(), format!("cursor={cursor}")] {
        let all = joined(&stranger, "csv", &query).await;
        let own = page(&stranger, "limit=200").await["items"].as_array().unwrap().clone();
        assert!(!all.is_empty() && all.iter().all(|event| own.contains(event)), "{query}: {all:?}");
    }
    let seen = page(&owner, "action=access.*").await["items"].clone();
    assert_eq!(seen, json!([]), "the exports of the other account");
}

#[tokio::test]
async fn seven_exports_leave_the_owner_signed_in_and_the_authorizer_reads_no_more() {
    let stage = Stage::new().await;
    let account = stage.account().await;
    let owner = stage.owner_with(account.id, None);
    let authorizer = async || {
        let _before = stage.meter.take();
        assert!(matches!(stage.principal(&account.access).await, Principal::User { .. }));
        stage.meter.take().reads
    };
    let before = authorizer().await;
    for _ in 0..7 {
        assert_eq!(owner.get(&format!("{EXPORT}?format=csv")).await.status, 200);
    }
    assert_eq!(stage.commits(stream_of(account.id)).await.len(), 7);
    assert_eq!(authorizer().await, before);
    assert_eq!(stage.refresh(&account.refresh).await.status, 200);
}

/// Exports of one account that are recorded at once may collide; none is answered without its record.
#[tokio::test(flavor = "multi_thread")]
async fn no_part_is_answered_without_its_record() {
    let stage = Stage::new().await;
    let owner = settled(&stage).await;
    let path = format!("{EXPORT}?format=csv");
    let answers = futures::future::join_all((0..8).map(|_| owner.get(&path))).await;
    let served = answers.iter().filter(|answer| answer.status == 200).count();
    assert!(answers.iter().all(|answer| matches!(answer.status, 200 | 409)), "{answers:?}");
    let recorded: Vec<Value> =
        stage.commits(stream_of(owner.id)).await.iter().map(|commit| json!(commit.seq)).collect();
    assert!(served > 0 && recorded.len() == served, "{served} served, {recorded:?} recorded");
}

#[tokio::test]
async fn a_wrong_or_foreign_sync_token_is_refused_and_nothing_is_recorded() {
    let stage = Stage::new().await;
    let (owner, stranger) = (settled(&stage).await, settled(&stage).await);
    let list = owner.list("Main room").await;
    for path in ["/v1/audit", EXPORT] {
        for (reader, token) in [
            (&owner, "nonsense".to_owned()),
            (&owner, format!("waitlist-{list}@2")),
            (&stranger, format!("waitlist-{list}@1")),
        ] {
            let refused = reader.send("GET", path, None, &[("Sync-Token", &token)]).await;
            assert_eq!(refused.status, 400, "{path} {token}: {refused:?}");
        }
    }
    assert_eq!(stage.commits(stream_of(owner.id)).await, []);
    let own = owner.send("GET", EXPORT, None, &[("Sync-Token", &format!("waitlist-{list}@1"))]).await;
    assert_eq!(own.status, 200, "{own:?}");
}
