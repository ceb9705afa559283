use std::{
    fs,
    io::{Seek as _, SeekFrom, Write as _},
    os::unix::fs::PermissionsExt as _,
};

use aws_sdk_dynamodb::{error::ProvideErrorMetadata as _, types::AttributeValue};
use infra::Failure;
use schema::table::{EVENTS, LIMITS};

use super::*;
use crate::testing::{Backend, TABLES, temporary};

#[tokio::test]
async fn data_are_kept_after_reopening() {
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
async fn a_start_waits_for_a_process_that_is_ending() {
    let dir = temporary();
    let ending = file::lock(dir.path()).unwrap();
    let starting = Engine::start_when_free(dir.path(), TABLES, "test", Duration::from_secs(60));
    tokio::pin!(starting);
    tokio::select! {
        biased;
        started = &mut starting => panic!("started while another process had the directory: {started:?}"),
        () = tokio::task::yield_now() => drop(ending),
    }
    starting.await.unwrap();
}

#[tokio::test]
async fn a_file_that_is_not_a_database_is_reported_as_damaged() {
    let dir = temporary();
    fs::write(file::database_file(dir.path()), [7; 4096]).unwrap();
    let error = Engine::start(dir.path(), TABLES, "test").unwrap_err();
    assert!(matches!(error, EngineError::Open { trouble: Trouble::Damaged, .. }), "{error:?}");
    assert!(error.to_string().contains("engine.db: it is damaged"), "{error}");
}

#[tokio::test]
async fn a_write_ahead_log_without_its_database_is_kept() {
    let dir = temporary();
    let wal = dir.path().join("engine.db-wal");
    fs::write(&wal, "acknowledged writes").unwrap();
    let error = Engine::start(dir.path(), TABLES, "test").unwrap_err();
    assert!(error.to_string().contains("engine.db is missing, but"), "{error}");
    assert!(!file::database_file(dir.path()).exists());
    assert_eq!(fs::read_to_string(wal).unwrap(), "acknowledged writes");
}

#[tokio::test]
async fn the_files_of_an_engine_are_readable_by_their_owner_alone() {
    let dir = temporary();
    let data = dir.path().join("data");
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    for _ in 0..2 {
        let backend = Backend::start(&data).await;
        backend.put(1).await;
        assert_eq!(mode(&data), 0o700);
        for file in fs::read_dir(&data).unwrap() {
            let file = file.unwrap().path();
            assert_eq!(mode(&file), 0o600, "{}", file.display());
            fs::set_permissions(file, fs::Permissions::from_mode(0o644)).unwrap(); // the mode of an older version
        }
        backend.engine.stop().await;
    }
}

#[tokio::test]
async fn an_error_from_a_damaged_page_is_not_retried() {
    let dir = temporary();
    let backend = Backend::start(dir.path()).await;
    backend.put(1).await;
    backend.engine.stop().await;
    drop(backend);
    let file = file::database_file(dir.path());
    let database = Connection::open(&file).unwrap();
    database.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
    let root: u64 = database
        .query_row("SELECT rootpage FROM sqlite_master WHERE name = 'test-events'", [], |row| row.get(0))
        .unwrap();
    let page: u64 = database.query_row("PRAGMA page_size", [], |row| row.get(0)).unwrap();
    drop(database);
    let mut damaging = fs::OpenOptions::new().write(true).open(&file).unwrap();
    damaging.seek(SeekFrom::Start((root - 1) * page)).unwrap();
    damaging.write_all(&vec![7; usize::try_from(page).unwrap()]).unwrap();
    drop(damaging);

    let engine = Engine::start(dir.path(), TABLES, "test").unwrap();
    let dynamodb = aws_sdk_dynamodb::Client::new(&engine.sdk().await);
    let get = dynamodb.get_item().table_name("test-events");
    let get = get.key("stream", AttributeValue::S("waitee-1".to_owned()));
    let error = get.key("seq", AttributeValue::N("1".to_owned())).send().await.unwrap_err();
    assert_eq!(error.code(), Some("EngineDamaged"), "{error:?}");
    assert!(!Failure::aws("read a commit", error).is_passing());
}

#[tokio::test]
async fn the_port_accepts_only_requests_with_the_access_key_and_none_from_a_web_page() {
    let dir = temporary();
    let backend = Backend::start(dir.path()).await;
    let url = backend.engine.url().to_owned();
    let client = async |key: &str| aws_sdk_dynamodb::Client::new(&infra::aws::local(&url, key).await);
    let tables = client(backend.engine.access_key()).await.list_tables().send().await.unwrap();
    assert!(tables.table_names().contains(&"test-events".to_owned()));
    for key in ["local", "", &backend.engine.access_key().to_lowercase()] {
        let refused = client(key).await.delete_table().table_name("test-events").send().await.unwrap_err();
        assert_eq!(refused.code(), Some("UnrecognizedClientException"), "{key}: {refused:?}");
    }
    let known = format!(
        "AWS4-HMAC-SHA256 Credential={}/20261120/local/dynamodb/aws4_request, SignedHeaders=host, Signature=0",
        backend.engine.access_key()
    );
    let list =
        reqwest::Client::new().post(&url).header("x-amz-target", "DynamoDB_20120810.ListTables").body("{}");
    let asked = async |request: reqwest::RequestBuilder| request.send().await.unwrap();
    let signed = list.try_clone().unwrap().header("authorization", &known);
    assert_eq!(asked(signed.try_clone().unwrap()).await.status(), 200);
    assert_eq!(asked(signed.header("origin", "https://evil.example")).await.status(), 403);
    assert_eq!(asked(list).await.status(), 403);
    let preflight = reqwest::Client::new().request(reqwest::Method::OPTIONS, &url);
    let preflight = asked(preflight.header("origin", "https://evil.example")).await;
    assert_eq!(preflight.status(), 403);
    assert!(!preflight.headers().contains_key("access-control-allow-origin"));
}

#[tokio::test]
async fn pruning_deletes_consumed_records_but_never_the_newest() {
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
async fn the_engine_uses_the_indexes() {
    let dir = temporary();
    let backend = Backend::start(dir.path()).await;
    backend.engine.index_scans(&[]).await.unwrap();
    backend.engine.index_scans(&[]).await.unwrap();
    let plan = |sql: &str| {
        let database = file::connect(&backend.engine.file).unwrap();
        let plan: String =
            database.query_row(&format!("EXPLAIN QUERY PLAN {sql}"), [], |row| row.get(3)).unwrap();
        plan
    };
    let newest =
        "SELECT MAX(CAST(sequence_number AS INTEGER)) FROM _stream_records WHERE table_name = 'test-events'";
    assert!(plan(newest).contains("waitlist_stream_order"), "{}", plan(newest));
    let page = "SELECT pk, sk, item_json FROM \"test-events\"
        WHERE substr(hash_prefix, 1, 3) >= '010' AND substr(hash_prefix, 1, 3) <= '01f'
        ORDER BY hash_prefix ASC, pk ASC, sk ASC LIMIT 10";
    assert!(plan(page).contains("waitlist_segments_test-events"), "{}", plan(page));
}

#[tokio::test]
async fn a_table_that_is_created_while_the_engine_runs_is_indexed_at_once() {
    let dir = temporary();
    let backend = Backend::start(dir.path()).await;
    let candidate = schema::table::WAITEES.generation(7);
    infra::tables::create(&backend.dynamodb, &backend.prefix, std::slice::from_ref(&candidate))
        .await
        .unwrap();
    let indexed = "SELECT count(*) FROM sqlite_master WHERE type = 'index' AND name = ?1";
    let index = format!("waitlist_segments_{}", candidate.name(&backend.prefix));
    let database = file::connect(&backend.engine.file).unwrap();
    let count: u32 = database.query_row(indexed, [index], |row| row.get(0)).unwrap();
    assert_eq!(count, 1);
}

/// Each entry of `steps` takes from a table as much as a crash after some steps of its creation or deletion would leave out.
#[tokio::test]
async fn a_table_whose_creation_or_deletion_was_cut_off_is_deleted_at_the_next_start() {
    let candidate = schema::table::WAITEES.generation(7);
    for steps in [
        "",
        r#"DROP TABLE "NAME::gsi::due";"#,
        r#"DROP TABLE "NAME::gsi::due"; DROP TABLE "NAME::gsi::active"; DROP TABLE "NAME";"#,
        r#"DROP TABLE "NAME::gsi::due"; DROP TABLE "NAME::gsi::active"; DROP TABLE "NAME::gsi::day";
           DROP TABLE "NAME"; DELETE FROM _tables WHERE table_name = 'NAME';"#,
    ] {
        let dir = temporary();
        let backend = Backend::start(dir.path()).await;
        backend.put(1).await;
        let create = std::slice::from_ref(&candidate);
        infra::tables::create(&backend.dynamodb, &backend.prefix, create).await.unwrap();
        let name = candidate.name(&backend.prefix);
        let cut = file::connect(&backend.engine.file).unwrap();
        drop(backend);
        cut.execute_batch(&steps.replace("NAME", &name)).unwrap();
        drop(cut);
        fs::write(dir.path().join("engine.unfinished"), &name).unwrap();

        let backend = Backend::start(dir.path()).await;
        let names = backend.dynamodb.list_tables().send().await.unwrap().table_names.unwrap();
        assert!(!names.contains(&name), "{steps}: {names:?}");
        infra::tables::create(&backend.dynamodb, &backend.prefix, create).await.unwrap();
        backend.engine.index_scan(&name).await.unwrap();
        let rows = backend.dynamodb.scan().table_name(&name).index_name("due").send().await.unwrap();
        assert_eq!(rows.count, 0);
        backend.put(2).await;
        assert_eq!(backend.sequences().await.len(), 2, "other tables are kept");
    }
}

#[tokio::test]
async fn creating_and_deleting_tables_leaves_nothing_unfinished() {
    let dir = temporary();
    let backend = Backend::start(dir.path()).await;
    backend.put(1).await;
    infra::tables::create(&backend.dynamodb, &backend.prefix, TABLES).await.unwrap(); // they exist
    let broken = backend.dynamodb.create_table().table_name("broken").send().await;
    assert!(broken.is_err());
    let missing = backend.dynamodb.delete_table().table_name("missing").send().await;
    assert!(missing.unwrap_err().into_service_error().is_resource_not_found_exception());
    assert!(!dir.path().join("engine.unfinished").exists());
    drop(backend);
    assert_eq!(Backend::start(dir.path()).await.sequences().await.len(), 1);
}

#[tokio::test]
async fn only_expired_items_are_deleted() {
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

#[tokio::test]
async fn tables_that_the_file_has_already_are_not_described() {
    let dir = temporary();
    let backend = Backend::start(dir.path()).await;
    let create = async |client, tables| backend.engine.create_tables(client, &backend.prefix, tables).await;
    create(&backend.dynamodb, TABLES).await.unwrap();
    let refuse = |_| async { infra::aws::Answer { status: 400, body: "{}".to_owned() } };
    let refused = aws_sdk_dynamodb::Client::new(&infra::aws::in_process(refuse).await);
    create(&refused, TABLES).await.unwrap();
    assert!(create(&refused, &TABLES[1..]).await.is_err(), "other layouts");
    backend.dynamodb.delete_table().table_name(EVENTS.name(&backend.prefix)).send().await.unwrap();
    assert!(create(&refused, TABLES).await.is_err(), "a table is missing");
    create(&backend.dynamodb, TABLES).await.unwrap();
    backend.put(1).await;
}
