//! Reads: fields, histories and ETags.

mod caches;
mod fresh;
mod pages;
mod parties;

use infra::Backend;
use projections::feed::{Doorbell, apply};
use schema::{StreamId, table::EVENTS};
use serde_json::{Value, json};
use waitlist_tests::stage::Stage;

use crate::{
    place::{number, text},
    raw::scan,
};

/// Projects every stream from the log, as if every doorbell had been rung.
pub(crate) async fn feed(stage: &Stage) {
    let mut rung: std::collections::BTreeMap<StreamId, u64> = std::collections::BTreeMap::new();
    for item in scan(&stage.dynamodb, &EVENTS, &stage.prefix).await {
        let last = rung.entry(text(&item, "stream").parse().unwrap()).or_default();
        *last = number(&item, "last").max(*last);
    }
    for (stream, last) in rung {
        ring(&stage.backend, stream, last).await;
    }
}

pub(crate) async fn ring(backend: &Backend, stream: StreamId, last: u64) {
    apply(backend, &Doorbell { stream, last, commits: Vec::new() }).await.unwrap();
}

fn fields(value: &Value) -> Vec<&str> {
    let mut fields: Vec<&str> = value.as_object().unwrap().keys().map(String::as_str).collect();
    fields.sort_unstable();
    fields
}

fn sorted(names: &'static str) -> Vec<&'static str> {
    let mut names: Vec<&str> = names.split_whitespace().collect();
    names.sort_unstable();
    names
}

#[tokio::test]
async fn lists_and_parties_show_every_field_and_null_for_unset_ones() {
    let stage = Stage::new().await;
    let owner = stage.owner();
    let list = owner.list("Main room").await;
    let ana = owner.join(&list, "Ana").await;
    feed(&stage).await;

    let of_list = sorted(
        "name time_zone region capacity hold_minutes remind_minutes quote_minutes language day_starts \
         id open active created_at public_url seq",
    );
    let one = owner.get(&format!("/v1/waitlists/{list}")).await.body;
    let many = owner.get("/v1/waitlists").await.body;
    assert_eq!((fields(&one), fields(&many["items"][0])), (of_list.clone(), of_list));
    assert_eq!((&one["active"], &many["items"][0]["active"]), (&json!(1), &Value::Null));
    assert_eq!([&one["remind_minutes"], &one["quote_minutes"]], [&Value::Null; 2]);
    assert_eq!(one["public_url"], format!("https://waitlist.example/join#{list}"));
    for (field, default) in [
        ("capacity", json!(200)),
        ("hold_minutes", json!(10)),
        ("language", json!("en")),
        ("day_starts", json!("04:00")),
    ] {
        assert_eq!(one[field], default, "{field}");
    }

    let of_party = sorted(
        "name party_size phone email note quoted_minutes language \
         id waitlist_id state position duplicate_of day joined_at quoted_at called_at calls hold_until confirmed_at finished_at \
         joined_by erased notifications seq",
    );
    for path in [
        format!("/v1/waitees/{ana}"),
        format!("/v1/waitlists/{list}/waitees"),
        format!("/v1/waitlists/{list}/waitees?day=2026-11-20"),
    ] {
        let body = owner.get(&path).await.body;
        let party = if body["items"].is_array() { &body["items"][0] } else { &body };
        assert_eq!(fields(party), of_party, "{path}");
        for unset in ["phone", "email", "note", "quoted_minutes", "language", "duplicate_of", "quoted_at"] {
            assert_eq!(party[unset], Value::Null, "{unset} of {path}");
        }
        for unset in ["called_at", "hold_until", "confirmed_at", "finished_at"] {
            assert_eq!(party[unset], Value::Null, "{unset} of {path}");
        }
        for (field, value) in [
            ("joined_by", json!("host")),
            ("erased", json!(false)),
            ("notifications", json!([])),
            ("calls", json!(0)),
        ] {
            assert_eq!(party[field], value, "{field} of {path}");
        }
    }
}

#[tokio::test]
async fn a_history_shows_every_event_and_finds_altered_ones() {
    let stage = Stage::new().await;
    let owner = stage.owner();
    let list = owner.list("Main room").await;
    let ana = owner.join(&list, "Ana").await;
    let history = format!("/v1/waitees/{ana}/history");
    owner.post(&format!("/v1/waitees/{ana}/call"), json!({})).await;
    owner.post(&format!("/v1/waitees/{ana}/leave"), json!({ "reason": "too long a wait" })).await;
    let told = owner.get(&history).await.body;
    let kinds: Vec<_> = told["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|event| (event["seq"].as_u64().unwrap(), &event["type"]))
        .collect();
    assert_eq!(
        kinds,
        [(1, &json!("waitee.joined")), (2, &json!("waitee.called")), (3, &json!("waitee.left"))]
    );
    assert_eq!(
        (&told["items"][0]["data"]["name"], &told["items"][2]["data"]["reason"]),
        (&json!("Ana"), &json!("too long a wait"))
    );
    assert_eq!(told["items"][0]["actor"], format!("user:{}", owner.id));
    assert_eq!(
        fields(&told["items"][0]),
        sorted("stream seq type v at actor commit correlation causation data")
    );
    assert_eq!(told["verified"], json!({ "ok": true, "seq": null, "why": null }));

    // A writer with access to the table can alter an event. The history shows it from that event on.
    for (attribute, value) in [
        ("events", text_of_a_seating()),
        ("actor", format!("guest:{ana}")),
        ("at", "2026-11-21T03:00:05.000Z".into()),
    ] {
        let items = scan(&stage.dynamodb, &EVENTS, &stage.prefix).await;
        let called = items
            .into_iter()
            .find(|item| text(item, "stream") == format!("waitee-{ana}") && number(item, "seq") == 2)
            .unwrap();
        let mut altered = called.clone();
        altered.insert(attribute.into(), aws_sdk_dynamodb::types::AttributeValue::S(value));
        let put = |item| {
            stage.dynamodb.put_item().table_name(EVENTS.name(&stage.prefix)).set_item(Some(item)).send()
        };
        put(altered).await.unwrap();
        let told = owner.get(&history).await;
        assert_eq!(
            (told.status, &told.body["verified"]["ok"], &told.body["verified"]["seq"]),
            (200, &json!(false), &json!(2)),
            "{attribute}"
        );
        assert!(told.body["verified"]["why"].as_str().is_some_and(|why| !why.is_empty()), "{attribute}");
        assert_eq!(told.body["items"].as_array().unwrap().len(), 3, "{attribute}");
        put(called).await.unwrap();
        assert_eq!(owner.get(&history).await.body["verified"]["ok"], true, "{attribute}");
    }
    assert_eq!(owner.get(&format!("/v1/waitlists/{list}/history")).await.body["verified"]["ok"], true);
}

fn text_of_a_seating() -> String {
    json!([{ "type": "waitee.seated", "v": 1, "data": {} }]).to_string()
}

#[tokio::test]
async fn an_unchanged_answer_is_304_and_a_changed_one_is_sent() {
    let stage = Stage::new().await;
    let owner = stage.owner();
    let list = owner.list("Main room").await;
    let (ana, ben) = (owner.join(&list, "Ana").await, owner.join(&list, "Ben").await);
    feed(&stage).await;
    for path in [
        format!("/v1/waitees/{ana}"),
        format!("/v1/waitlists/{list}"),
        format!("/v1/waitlists/{list}/waitees"),
        format!("/v1/waitlists/{list}/waitees?day=2026-11-20"),
        format!("/v1/waitees/{ana}/history"),
        "/v1/waitlists".into(),
    ] {
        let first = owner.get(&path).await;
        let etag = first.header("etag").to_owned();
        assert!(etag.starts_with('"') && etag.ends_with('"') && etag.contains('.'), "{path}: {etag}");
        for known in [etag.clone(), format!("W/{etag}"), "*".into(), format!("\"other\", {etag}")] {
            let same = owner.send("GET", &path, None, &[("If-None-Match", &known)]).await;
            assert_eq!(
                (same.status, &same.body, same.header("etag")),
                (304, &Value::Null, etag.as_str()),
                "{path} {known}"
            );
        }
        for unknown in ["\"1\"", "\"other\"", "", "W/*"] {
            assert_eq!(
                owner.send("GET", &path, None, &[("If-None-Match", unknown)]).await.status,
                200,
                "{path} {unknown}"
            );
        }
    }
    // Ben's call changes the board but not Ana's page.
    let board = format!("/v1/waitlists/{list}/waitees");
    let (before, of_ana) = (owner.get(&board).await, owner.get(&format!("/v1/waitees/{ana}")).await);
    let called = owner.post(&format!("/v1/waitees/{ben}/call"), json!({})).await;
    let headers = [("If-None-Match", before.header("etag")), ("Sync-Token", called.header("sync-token"))];
    let after = owner.send("GET", &board, None, &headers).await;
    assert_eq!((after.status, after.header("etag") == before.header("etag")), (200, false));
    let headers = [("If-None-Match", of_ana.header("etag")), ("Sync-Token", called.header("sync-token"))];
    assert_eq!(owner.send("GET", &format!("/v1/waitees/{ana}"), None, &headers).await.status, 304);
    // The ETag of a read is valid in If-Match.
    let read = owner.get(&format!("/v1/waitees/{ana}")).await;
    let seated = owner
        .send("POST", &format!("/v1/waitees/{ana}/seat"), None, &[("If-Match", read.header("etag"))])
        .await;
    assert_eq!(seated.status, 200, "{seated:?}");
}
