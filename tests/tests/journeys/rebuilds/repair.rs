//! The repair of one row on the command line.

use aws_sdk_dynamodb::types::AttributeValue;
use schema::{StreamId, WaiteeId, projection::Name};
use serde_json::{Value, json};
use uuid::Uuid;
use waitlist_tests::{generations, process::run_on_aws, rows, stage::Stage};

#[tokio::test]
async fn a_damaged_row_is_repaired_in_every_generation_unless_newer_code_wrote_it() {
    let stage = Stage::new().await;
    let owner = stage.owner();
    let list = owner.list("Main room").await;
    let party = owner.join(&list, "Ana").await;
    let stream = StreamId::from(party.parse::<WaiteeId>().unwrap());
    stage.project(stream).await;
    let roles = generations::prepare(&stage, Name::Waitees, Uuid::from_u128(7)).await;
    let candidate = roles.candidate.unwrap();
    let table = rows::live(&stage.dynamodb, &stage.prefix, Name::Waitees.table()).await.name(&stage.prefix);
    let read = async || {
        let get = stage.dynamodb.get_item().table_name(&table).consistent_read(true);
        get.key("id", AttributeValue::S(party.clone())).send().await.unwrap().item.unwrap()
    };
    let sound = read().await;
    let put = async |name: &str, value: AttributeValue| {
        let mut row = sound.clone();
        row.insert(name.to_owned(), value);
        stage.dynamodb.put_item().table_name(&table).set_item(Some(row)).send().await.unwrap();
    };
    let stream = stream.to_string();
    let repaired = async || -> (Option<i32>, Value) {
        let args = ["rebuild", "start", "waitees", "--stream", &stream, "--json"];
        let ran = run_on_aws(&stage, &args, &[("WAITLIST_RETRIES_URL", "table")]).await;
        (ran.code, serde_json::from_str::<Value>(&ran.out).unwrap()["items"].clone())
    };
    let item = |generation: u64, repair: &str, row: Value| json!({ "generation": generation, "repair": repair, "row": row });
    put("list", AttributeValue::S("damaged".into())).await;
    let both = json!([item(0, "written", Value::Null), item(candidate, "written", Value::Null)]);
    assert_eq!(repaired().await, (Some(0), both));
    assert_eq!(read().await, sound);
    for (name, value, repair) in [("v", 99, "row-is-newer"), ("seq", 99, "row-is-ahead")] {
        put(name, AttributeValue::N(value.to_string())).await;
        let (code, items) = repaired().await;
        assert_eq!((code, &items[0]), (Some(1), &item(0, repair, json!(value))));
        assert_eq!(items[1]["repair"], "written", "the other generation");
    }
    let args = ["rebuild", "start", "users", "--stream", &stream];
    let misuse = run_on_aws(&stage, &args, &[("WAITLIST_RETRIES_URL", "table")]).await;
    assert_eq!(misuse.code, Some(2), "{misuse:?}");
}
