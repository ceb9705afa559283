//! Limits on the number of tries in a window, counted by several processes.

use std::net::IpAddr;

use aws_sdk_dynamodb::types::{AttributeValue, TimeToLiveStatus};
use futures::future::join_all;
use infra::{
    Backend, Failure,
    limits::{Bounds, Tries},
    tables,
};
use schema::{
    Slug,
    table::{LIMITS, QUEUE, Table, USERS},
};
use serde_json::json;
use waitlist_tests::stage::{Stage, send};

// Ten tries in a window of 15 minutes; the clock stands in its sixth minute.
const TRIES: Tries = Tries::SignInAccount;
const AT: &str = "2026-11-21T03:05:30.500Z";
const WINDOW_LEFT_S: u32 = 570;

async fn stage() -> Stage {
    let stage = Stage::new().await;
    stage.backend.clock.set(AT.parse().unwrap());
    stage
}

/// Returns the number of seconds after which to try again if the try was refused.
fn outcome(counted: Result<(), Failure>) -> Result<(), u32> {
    counted.map_err(|failure| match failure {
        Failure::Refused(problem) if problem.slug == Slug::TooManyRequests => problem.retry_after_s.unwrap(),
        other => panic!("{}", other.chain()),
    })
}

#[tokio::test]
async fn of_many_concurrent_tries_exactly_as_many_pass_as_the_window_allows() {
    let stage = stage().await;
    let most = Bounds::default().of(TRIES).tries as usize;
    let processes = [stage.backend.clone(), stage.another(), stage.another()];
    let tries = |subject: &'static str| {
        join_all(
            (0..most * 3)
                .map(|n| (&processes[n % 3], subject))
                .map(async |(process, subject)| outcome(process.limits.count(TRIES, subject).await)),
        )
    };
    let (ana, ben) = futures::join!(tries("ana@example.com"), tries("ben@example.com"));
    for outcomes in [ana, ben] {
        assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), most);
        assert!(
            outcomes.iter().all(|outcome| matches!(outcome, Ok(()) | Err(WINDOW_LEFT_S))),
            "{outcomes:?}"
        );
    }
    let again = async |process: &Backend| outcome(process.limits.count(TRIES, "ana@example.com").await);
    stage.backend.clock.advance_millis(i64::from(WINDOW_LEFT_S) * 1_000 - 501);
    assert_eq!(again(&stage.another()).await, Err(1), "the last millisecond of the window");
    stage.backend.clock.advance_millis(1);
    for _ in 0..most {
        assert_eq!(again(&stage.another()).await, Ok(()), "the next window");
    }
    assert_eq!(again(&stage.backend).await, Err(900));
}

#[tokio::test]
async fn too_many_tries_are_answered_with_the_time_of_the_next_window() {
    let stage = stage().await;
    for _ in 0..Bounds::default().of(Tries::TokenAddress).tries {
        stage.backend.limits.count_from(Tries::TokenAddress, None).await.unwrap();
    }
    let answer =
        send(&stage.backend, None, "POST", "/v1/users/confirm", Some(&json!({ "token": "a-token" })), &[])
            .await;
    assert_eq!((answer.status, answer.header("retry-after")), (429, "3270"), "{answer:?}"); // the window ends at 04:00
}

#[tokio::test]
async fn a_try_costs_one_write_unit_and_a_refused_try_changes_nothing() {
    let stage = stage().await;
    let _before = stage.meter.take();
    for _ in 0..10 {
        stage.backend.limits.count(TRIES, "ana@example.com").await.unwrap();
    }
    let used = stage.meter.take();
    assert_eq!((used.writes, used.reads.len(), used.calls), ([("limits".to_owned(), 10.0)].into(), 0, 10));
    let before = items(&stage).await;
    assert_eq!(outcome(stage.backend.limits.count(TRIES, "ana@example.com").await), Err(WINDOW_LEFT_S));
    assert_eq!(items(&stage).await, before);
}

#[tokio::test]
async fn an_ipv6_address_counts_as_its_64_bit_network_and_an_ipv4_address_as_itself() {
    let stage = stage().await;
    let from = async |address: &str| {
        let address: IpAddr = address.parse().unwrap();
        stage.backend.limits.count_from(Tries::SignInAddress, Some(address)).await.unwrap();
        items(&stage).await.len()
    };
    assert_eq!(from("2001:db8:1:2::1").await, 1);
    assert_eq!(from("2001:db8:1:2:ffff:ffff:ffff:ffff").await, 1, "the same /64");
    assert_eq!(from("2001:db8:1:3::1").await, 2, "the next /64");
    assert_eq!(from("203.0.113.7").await, 3);
    assert_eq!(from("::ffff:203.0.113.7").await, 3, "the same address, mapped to IPv6");
    assert_eq!(from("203.0.113.8").await, 4);
}

#[tokio::test]
async fn stored_counts_contain_no_address() {
    let stage = stage().await;
    let limits = &stage.backend.limits;
    limits.count(TRIES, "ana@example.com").await.unwrap();
    limits.count_from(Tries::SignInAddress, Some("203.0.113.7".parse().unwrap())).await.unwrap();
    limits.count_from(Tries::SignInAddress, Some("2001:db8:1:2::1".parse().unwrap())).await.unwrap();
    let items = items(&stage).await;
    assert_eq!(items.len(), 3);
    for item in items {
        for clear in ["ana", "example", "203.0", "2001", "db8", "20010db8"] {
            assert!(!item.contains(clear), "{clear:?} is in {item}");
        }
    }
}

#[tokio::test]
async fn a_count_expires_after_its_window() {
    let stage = stage().await;
    stage.backend.limits.count(TRIES, "ana@example.com").await.unwrap();
    let found = stage
        .dynamodb
        .scan()
        .table_name(LIMITS.name(&stage.prefix))
        .consistent_read(true)
        .send()
        .await
        .unwrap();
    let expires_at: i64 = found.items()[0][LIMITS.expiry.unwrap()].as_n().unwrap().parse().unwrap();
    let window_ends_s = stage.backend.clock.now().millis() / 1_000 + i64::from(WINDOW_LEFT_S);
    assert!(
        (window_ends_s + 60..window_ends_s + 3_600).contains(&expires_at),
        "{expires_at}, {window_ends_s}"
    );
}

#[tokio::test]
async fn creating_a_table_enables_the_expiry_of_its_items() {
    let stage = Stage::new().await;
    let prefix = format!("{}-made", stage.prefix);
    let described = async || {
        let described =
            stage.dynamodb.describe_time_to_live().table_name(LIMITS.name(&prefix)).send().await.unwrap();
        let described = described.time_to_live_description.unwrap();
        (described.time_to_live_status, described.attribute_name)
    };
    tables::create(&stage.dynamodb, &prefix, &[Table { expiry: None, ..LIMITS }]).await.unwrap();
    assert_eq!(
        described().await.0,
        Some(TimeToLiveStatus::Disabled),
        "the creating process ended before enabling it"
    );
    for _ in 0..2 {
        tables::create(&stage.dynamodb, &prefix, &[LIMITS]).await.unwrap();
        assert_eq!(described().await, (Some(TimeToLiveStatus::Enabled), Some("expires_at".to_owned())));
    }
}

/// Returns the items of the table as text.
async fn items(stage: &Stage) -> Vec<String> {
    let found = stage
        .dynamodb
        .scan()
        .table_name(LIMITS.name(&stage.prefix))
        .consistent_read(true)
        .send()
        .await
        .unwrap();
    let mut items: Vec<String> = found
        .items()
        .iter()
        .map(|item| format!("{:?}", std::collections::BTreeMap::from_iter(item)))
        .collect();
    items.sort_unstable();
    items
}

#[tokio::test]
async fn a_table_of_older_code_gets_the_indexes_that_it_lacks() {
    let stage = Stage::new().await;
    let prefix = format!("{}-older", stage.prefix);
    let older = Table { indexes: &[], ..QUEUE };
    tables::create(&stage.dynamodb, &prefix, &[older]).await.unwrap();
    let text = |text: &str| AttributeValue::S(text.to_owned());
    let put = stage.dynamodb.put_item().table_name(QUEUE.name(&prefix)).item("queue", text("retries"));
    let put = put.item("id", text("ana")).item("waiting", text("retries"));
    put.item("visible_at", AttributeValue::N("3".to_owned())).send().await.unwrap();
    for _ in 0..2 {
        tables::create(&stage.dynamodb, &prefix, &[QUEUE]).await.unwrap();
    }
    let query = stage
        .dynamodb
        .query()
        .table_name(QUEUE.name(&prefix))
        .index_name("visible")
        .key_condition_expression("waiting = :in");
    let found = query.expression_attribute_values(":in", text("retries")).send().await.unwrap();
    assert_eq!(
        found.items().iter().map(|item| item["id"].as_s().unwrap().as_str()).collect::<Vec<_>>(),
        ["ana"]
    );
    stage.dynamodb.delete_table().table_name(QUEUE.name(&prefix)).send().await.unwrap();
}

/// Filling an index of a live table takes long and competes with its readers. A rebuild makes a table that has it.
#[tokio::test]
async fn only_tables_of_later_generations_get_a_new_index_of_rows() {
    let stage = Stage::new().await;
    let prefix = format!("{}-older", stage.prefix);
    let older = Table { indexes: &[], ..USERS.generation(0) };
    tables::create(&stage.dynamodb, &prefix, &[older]).await.unwrap();
    let both = [0, 1].map(|generation| USERS.generation(generation));
    tables::create(&stage.dynamodb, &prefix, &both).await.unwrap();
    for (table, indexes) in both.iter().zip([0, USERS.indexes.len()]) {
        let described = stage.dynamodb.describe_table().table_name(table.name(&prefix)).send().await.unwrap();
        assert_eq!(described.table.unwrap().global_secondary_indexes().len(), indexes, "{}", table.suffix);
        stage.dynamodb.delete_table().table_name(table.name(&prefix)).send().await.unwrap();
    }
}
