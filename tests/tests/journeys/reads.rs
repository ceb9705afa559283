//! What is read: never older than the reader knows, every entry once, every field there.

mod fresh;
mod pages;

use infra::Backend;
use projections::feed::{Doorbell, apply};
use schema::{StreamId, table::EVENTS};
use serde_json::{Value, json};
use waitlist_tests::stage::Stage;

use crate::{
    place::{number, text},
    raw::scan,
};

/// Lets the feed do all that there is to do: every stream rings, and the log is read.
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
async fn every_field_of_a_list_and_of_a_party_is_there_and_null_when_it_is_not_set() {
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
    assert_eq!(one["public_url"], format!("https://waitlist.example/join/{list}"));
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
async fn parties_with_one_telephone_are_marked_and_everyone_has_a_position() {
    let stage = Stage::new().await;
    let owner = stage.owner();
    let list = owner.list("Main room").await;
    let parties = format!("/v1/waitlists/{list}/waitees");
    let mut ids = Vec::new();
    for (name, phone) in [
        ("Ana", "(415) 555-2671"),
        ("Ben", "+1 415 555 2672"),
        ("Ana again", "+14155552671"),
        ("Ana once more", "415-555-2671"),
    ] {
        let joined = owner.post(&parties, json!({ "name": name, "party_size": 2, "phone": phone })).await;
        ids.push(joined.id());
        stage.backend.clock.advance_millis(1_000);
    }
    feed(&stage).await;
    let board = owner.get(&parties).await.body["items"].as_array().unwrap().clone();
    let marks: Vec<_> =
        board.iter().map(|party| (&party["id"], &party["position"], &party["duplicate_of"])).collect();
    let (one, two, three, four) = (json!(1), json!(2), json!(3), json!(4));
    let id = |at: usize| json!(ids[at]);
    let null = Value::Null;
    assert_eq!(
        marks,
        [(&id(0), &one, &null), (&id(1), &two, &null), (&id(2), &three, &id(0)), (&id(3), &four, &id(0))]
    );
    // On the last page too, although the first of them is not on it.
    let page = owner.get(&format!("{parties}?limit=3")).await;
    let rest = owner.get(&format!("{parties}?limit=3&cursor={}", page.body["next"].as_str().unwrap())).await;
    assert_eq!((&rest.body["items"][0]["position"], &rest.body["items"][0]["duplicate_of"]), (&four, &id(0)));
    for (at, position) in [(0, 1), (1, 2), (2, 3), (3, 4)] {
        assert_eq!(owner.get(&format!("/v1/waitees/{}", ids[at])).await.body["position"], position);
    }
    let gone = owner.post(&format!("/v1/waitees/{}/seat", ids[0]), json!({})).await;
    feed(&stage).await;
    assert_eq!(
        (gone.status, owner.get(&format!("/v1/waitees/{}", ids[0])).await.body["position"].clone()),
        (200, null)
    );
    assert_eq!(owner.get(&format!("/v1/waitees/{}", ids[3])).await.body["position"], 3);
}

#[tokio::test]
async fn parties_with_one_email_are_marked_as_those_with_one_telephone() {
    let stage = Stage::new().await;
    let owner = stage.owner();
    let list = owner.list("Main room").await;
    let parties = format!("/v1/waitlists/{list}/waitees");
    let mut ids = Vec::new();
    for (name, phone, email) in [
        ("Ana", None, Some("ana@example.com")),
        ("Ben", Some("(415) 555-2672"), Some("ben@example.com")),
        ("Ana again", None, Some("Ana@Example.com")),
        ("Ana with Ben's phone", Some("(415) 555-2672"), Some("ana@example.com")),
        ("Ben with Ana's address", Some("(415) 555-2672"), Some("cleo@example.com")),
        ("Cleo", None, Some("CLEO@example.com")),
        ("Dan", None, None),
        ("Eve", None, None),
    ] {
        let party = json!({ "name": name, "party_size": 2, "phone": phone, "email": email });
        ids.push(json!(owner.post(&parties, party).await.id()));
        stage.backend.clock.advance_millis(1_000);
    }
    feed(&stage).await;
    let board = owner.get(&parties).await.body["items"].as_array().unwrap().clone();
    let first_of: Vec<_> =
        board.iter().map(|party| ids.iter().position(|id| *id == party["duplicate_of"])).collect();
    assert_eq!(first_of, [None, None, Some(0), Some(0), Some(1), Some(4), None, None]);
}

#[tokio::test]
async fn a_day_ends_at_four_in_the_morning_of_the_lists_own_clock() {
    let stage = Stage::new().await;
    let owner = stage.owner();
    let list = owner.list("Main room").await;
    for (name, at) in [("Late", "2026-11-21T11:59:59.999Z"), ("Early", "2026-11-21T12:00:00.000Z")] {
        stage.backend.clock.set(at.parse().unwrap());
        owner.join(&list, name).await;
    }
    feed(&stage).await;
    for (day, names) in [("2026-11-20", vec!["Late"]), ("2026-11-21", vec!["Early"]), ("2026-11-22", vec![])]
    {
        let page = owner.get(&format!("/v1/waitlists/{list}/waitees?day={day}")).await.body;
        let shown: Vec<_> =
            page["items"].as_array().unwrap().iter().map(|party| (&party["name"], &party["day"])).collect();
        let (expected, day) = (names.into_iter().map(Value::from).collect::<Vec<_>>(), json!(day));
        assert_eq!(shown, expected.iter().map(|name| (name, &day)).collect::<Vec<_>>());
    }
}

#[tokio::test]
async fn a_party_is_quoted_by_those_ahead_of_it_unless_the_host_says_otherwise() {
    let stage = Stage::new().await;
    let owner = stage.owner();
    let body = json!({ "name": "Main room", "time_zone": "America/Los_Angeles", "region": "US", "quote_minutes": 10 });
    let parties = format!("/v1/waitlists/{}/waitees", owner.post("/v1/waitlists", body).await.id());
    for (said, minutes) in [(Value::Null, 0), (Value::Null, 10), (json!(45), 45), (Value::Null, 30)] {
        let joined =
            owner.post(&parties, json!({ "name": "Ana", "party_size": 2, "quoted_minutes": said })).await;
        let party = owner.get(&format!("/v1/waitees/{}", joined.id())).await.body;
        let joined_at: schema::Time = party["joined_at"].as_str().unwrap().parse().unwrap();
        assert_eq!(party["quoted_minutes"], minutes);
        assert_eq!(party["quoted_at"], json!(joined_at.plus_minutes(minutes)));
        feed(&stage).await;
    }
}

#[tokio::test]
async fn history_tells_every_event_opened_and_whether_the_chain_holds() {
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

    // Whoever can write to the table can alter an event. It shows, from there on, and nowhere else.
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
async fn an_unchanged_answer_is_not_sent_twice_and_a_changed_one_is() {
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
    // Ben's call changes the board, where he stands, and not the list's own number or Ana.
    let board = format!("/v1/waitlists/{list}/waitees");
    let (before, of_ana) = (owner.get(&board).await, owner.get(&format!("/v1/waitees/{ana}")).await);
    let called = owner.post(&format!("/v1/waitees/{ben}/call"), json!({})).await;
    let headers = [("If-None-Match", before.header("etag")), ("Sync-Token", called.header("sync-token"))];
    let after = owner.send("GET", &board, None, &headers).await;
    assert_eq!((after.status, after.header("etag") == before.header("etag")), (200, false));
    let headers = [("If-None-Match", of_ana.header("etag")), ("Sync-Token", called.header("sync-token"))];
    assert_eq!(owner.send("GET", &format!("/v1/waitees/{ana}"), None, &headers).await.status, 304);
    // A read's tag serves a write as well.
    let read = owner.get(&format!("/v1/waitees/{ana}")).await;
    let seated = owner
        .send("POST", &format!("/v1/waitees/{ana}/seat"), None, &[("If-Match", read.header("etag"))])
        .await;
    assert_eq!(seated.status, 200, "{seated:?}");
}
