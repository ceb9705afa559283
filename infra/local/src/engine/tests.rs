use super::*;
use crate::testing::{Backend, TABLES, temporary};
use aws_sdk_dynamodb::types::AttributeValue;
use schema::table::{EVENTS, LIMITS};

#[tokio::test]
async fn what_was_written_is_there_after_reopening() {
    let dir = temporary();
    let first = Backend::start(dir.path()).await;
    first.put(1).await;
    let before = first.sequences().await;
    first.engine.stop().await;
    drop(first);

    let second = Backend::start(dir.path()).await;
    assert_eq!(second.sequences().await, before);
    second.put(2).await;
    assert_eq!(second.sequences().await.len(), 2);
}

#[tokio::test]
async fn a_directory_has_one_engine_at_a_time() {
    let dir = temporary();
    let first = Engine::start(dir.path(), TABLES, "test").unwrap();
    let second = Engine::start(dir.path(), TABLES, "test");
    assert!(matches!(second, Err(EngineError::InUse { .. })), "{second:?}");
    drop(first);
    Engine::start(dir.path(), TABLES, "test").unwrap();
}

#[tokio::test]
async fn a_file_that_is_no_database_is_named() {
    let dir = temporary();
    std::fs::write(
        dir.path().join(DATABASE_FILE),
        "no database, but long enough to be taken for one by its size alone",
    )
    .unwrap();
    let error = Engine::start(dir.path(), TABLES, "test").unwrap_err();
    assert!(error.to_string().contains("engine.db"), "{error}");
}

#[tokio::test]
async fn pruning_forgets_what_was_consumed_but_never_the_newest() {
    let dir = temporary();
    let backend = Backend::start(dir.path()).await;
    for seq in 1..=4 {
        backend.put(seq).await;
    }
    let all = backend.sequences().await;
    let table = EVENTS.name(&backend.prefix);
    assert_eq!(backend.engine.prune(&table, &all[1]).await.unwrap(), 2);
    assert_eq!(backend.sequences().await, all[2..]);
    assert_eq!(backend.engine.prune(&table, &all[3]).await.unwrap(), 1);
    assert_eq!(backend.sequences().await, all[3..]);
    backend.put(5).await;
    assert!(backend.sequences().await[1] > all[3]);
    assert!(matches!(backend.engine.prune(&table, "12").await, Err(EngineError::Sequence(_))));
}

#[tokio::test]
async fn the_indexes_are_the_ones_the_engine_reads_by() {
    let dir = temporary();
    let backend = Backend::start(dir.path()).await;
    backend.engine.index_scans().await.unwrap();
    backend.engine.index_scans().await.unwrap();
    let plan = |sql: &str| {
        let database = connect(&backend.engine.file).unwrap();
        let plan: String =
            database.query_row(&format!("EXPLAIN QUERY PLAN {sql}"), [], |row| row.get(3)).unwrap();
        plan
    };
    let newest =
        "SELECT MAX(CAST(sequence_number AS INTEGER)) FROM _stream_records WHERE table_name = 'test-events'";
    assert!(plan(newest).contains("waitlist_stream_order"), "{}", plan(newest));
    let page =
        "SELECT pk, sk, item_json FROM \"test-events\" ORDER BY hash_prefix ASC, pk ASC, sk ASC LIMIT 10";
    assert!(plan(page).contains("waitlist_scan_test-events"), "{}", plan(page));
}

#[tokio::test]
async fn what_has_expired_is_dropped_and_nothing_else() {
    let dir = temporary();
    let backend = Backend::start(dir.path()).await;
    infra::tables::create(&backend.dynamodb, &backend.prefix, &[LIMITS]).await.unwrap();
    let table = LIMITS.name(&backend.prefix);
    for (subject, expires_at) in
        [("long ago", Some(1)), ("in 2100", Some(4_102_444_800_u64)), ("never", None)]
    {
        let put = backend
            .dynamodb
            .put_item()
            .table_name(&table)
            .item("subject", AttributeValue::S(subject.to_owned()));
        let expiry = expires_at.map(|at| AttributeValue::N(at.to_string()));
        let put = expiry.into_iter().fold(put, |put, at| put.item("expires_at", at));
        put.send().await.unwrap();
    }
    assert_eq!(backend.engine.expire().await.unwrap(), 1);
    assert_eq!(backend.engine.expire().await.unwrap(), 0);
    let left = backend.dynamodb.scan().table_name(&table).send().await.unwrap().items.unwrap_or_default();
    let mut left: Vec<&str> = left.iter().map(|item| item["subject"].as_s().unwrap().as_str()).collect();
    left.sort_unstable();
    assert_eq!(left, ["in 2100", "never"]);
}
