//! Verification of an account, a list and a stream by HTTP, and of the whole table by the command line. What it
//! finds is tested with `tampering`.

use data_encoding::BASE64URL_NOPAD;
use schema::{StreamId, UserId, commit::Tail, table::EVENTS};
use serde_json::{Value, json};
use uuid::Uuid;
use waitlist_tests::{
    past::{author, called, next},
    stage::{Owner, Stage},
};

use crate::{
    bad_input::assert_is_problem,
    place::{Place, is_external},
};

const PAGES_MAX: usize = 30;

/// Returns all pages of a verification.
async fn pages(owner: &Owner<'_>, query: &str) -> Vec<Value> {
    let path = format!("/v1/audit/verify?{query}");
    let mut pages = vec![page(owner, &path).await];
    while let Some(next) = pages[pages.len() - 1]["next"].as_str().map(str::to_owned) {
        assert!(pages.len() < PAGES_MAX);
        pages.push(page(owner, &format!("{path}&cursor={next}")).await);
    }
    pages
}

async fn page(owner: &Owner<'_>, path: &str) -> Value {
    let answer = owner.get(path).await;
    assert_eq!(answer.status, 200, "{path}: {answer:?}");
    answer.body
}

fn sum(pages: &[Value], field: &str) -> u64 {
    pages.iter().map(|page| page[field].as_u64().unwrap()).sum()
}

/// Appends calls to a visit, so that it has `commits` commits.
async fn lengthen(stage: &Stage, owner: &Owner<'_>, visit: StreamId, commits: usize) {
    let author = schema::commit::Author { tenant: owner.id, ..author() };
    let mut all = stage.commits(visit).await;
    let known = all.len();
    while all.len() < commits {
        let tail = all.last().map_or(Tail::EMPTY, schema::Commit::tail);
        all.push(next(visit, &tail, &author, &[called()]));
    }
    stage.put_past(&all[known..]).await;
}

#[tokio::test]
async fn every_stream_of_an_account_and_of_a_list_is_verified_once_over_several_pages() {
    const VISITS: usize = 115;
    let stage = Stage::new().await;
    let owner = stage.owner();
    owner.registered("Ana", "ana@example.com").await;
    let (list, other) = (owner.list("Main room").await, owner.list("Bar").await);
    let mut visits = Vec::new();
    for visit in 0..VISITS {
        let id = owner.join(if visit % 5 == 0 { &other } else { &list }, "Ben").await;
        visits.push(format!("waitee-{id}").parse::<StreamId>().unwrap());
        stage.project(visits[visit]).await;
        if visit == 60 {
            stage.backend.clock.advance_millis(40 * 24 * 3_600_000); // into another month
        }
    }
    lengthen(&stage, &owner, visits[7], 130).await; // longer than what is read of several streams at once
    let commits = VISITS as u64 + 129;
    for (query, streams, commits) in [
        (String::new(), VISITS as u64 + 4, commits + 4), // two lists, the account, its welcome mail
        (format!("waitlist={list}"), 92 + 1, 92 + 129 + 1),
        (format!("waitlist={other}"), 23 + 1, 23 + 1),
    ] {
        let pages = pages(&owner, &query).await;
        assert_eq!(
            (sum(&pages, "streams"), sum(&pages, "commits")),
            (streams, commits),
            "{query}: {pages:?}"
        );
        assert!(pages.iter().all(|page| page["ok"] == true && page["first_bad"].is_null()), "{pages:?}");
        assert_eq!(pages.len() > 1, streams > 24, "{query}: {pages:?}");
    }
    let stranger = stage.owner();
    assert_eq!(
        pages(&stranger, "").await,
        [json!({ "ok": true, "streams": 0, "commits": 0, "first_bad": null, "next": null })]
    );
}

#[tokio::test]
async fn a_visit_whose_business_day_began_two_days_before_in_utc_is_verified_with_its_list() {
    let stage = Stage::new().await; // 2026-11-21T03:00:00Z is 15:00 of the 20th in this zone: the business day of the 19th
    let owner = stage.owner();
    let list = owner.list_with(json!({ "time_zone": "Etc/GMT+12", "day_starts": "23:59" })).await;
    let visit = owner.join(&list, "Ana").await;
    stage.project(format!("waitee-{visit}").parse::<StreamId>().unwrap()).await;
    assert_eq!(owner.get(&format!("/v1/waitees/{visit}")).await.body["day"], "2026-11-19");
    assert_eq!(sum(&pages(&owner, &format!("waitlist={list}")).await, "streams"), 2);
}

#[tokio::test]
async fn a_stream_longer_than_a_page_is_verified_over_several_and_a_break_is_repeated_on_later_pages() {
    let stage = Stage::new().await;
    let owner = stage.owner();
    let list = owner.list("Main room").await;
    let visit: StreamId = format!("waitee-{}", owner.join(&list, "Ana").await).parse().unwrap();
    lengthen(&stage, &owner, visit, 1_200).await;
    let query = format!("stream={visit}");
    let intact = pages(&owner, &query).await;
    assert_eq!((intact.len(), sum(&intact, "streams"), sum(&intact, "commits")), (3, 1, 1_200), "{intact:?}");
    assert!(intact.iter().all(|page| page["ok"] == true), "{intact:?}");
    stage.overwrite(visit, 700, "correlation", "altered").await;
    let altered = pages(&owner, &query).await;
    let bad =
        json!({ "stream": visit.to_string(), "seq": 700, "why": "its content does not match its hash" });
    let found: Vec<&Value> = altered.iter().map(|page| &page["first_bad"]).collect();
    assert_eq!(found, [&Value::Null, &bad, &bad]);
}

#[tokio::test]
async fn another_accounts_streams_lists_and_cursors_are_answered_like_unknown_ones() {
    let stage = Stage::new().await;
    let (owner, stranger) = (stage.owner(), stage.owner());
    let (list, elsewhere) = (owner.list("Main room").await, stranger.list("Elsewhere").await);
    let visit = owner.join(&list, "Ana").await;
    let (own, nowhere) = (stranger.join(&elsewhere, "Ben").await, Uuid::from_u128(7).to_string());
    for (foreign, unknown) in [
        (format!("stream=waitee-{visit}"), format!("stream=waitee-{nowhere}")),
        (format!("stream=waitlist-{list}"), format!("stream=waitlist-{nowhere}")),
        (format!("waitlist={list}"), format!("waitlist={nowhere}")),
    ] {
        let mut details = Vec::new();
        for query in [foreign, unknown] {
            let refused = stranger.get(&format!("/v1/audit/verify?{query}")).await;
            assert_is_problem(&refused, 404, "not-found", &query);
            details.push(refused.body["detail"].clone());
        }
        assert_eq!(details[0], details[1]);
    }
    // A cursor that was made up to continue inside another account's stream.
    let zeros = BASE64URL_NOPAD.encode(&[0; 32]);
    for (query, place, id) in [
        (String::new(), "m2026-11/", &visit),
        (String::new(), "m2026-11/", &nowhere),
        (format!("waitlist={elsewhere}&"), "d2026-11-20/", &visit),
        (format!("stream=waitee-{visit}&"), "e", &visit),
        (format!("stream=waitee-{own}&"), "e", &visit),
    ] {
        let cursor = BASE64URL_NOPAD.encode(format!("v{place}|waitee-{id}|0.0..{zeros}.").as_bytes());
        let refused = stranger.get(&format!("/v1/audit/verify?{query}cursor={cursor}")).await;
        assert_is_problem(&refused, 400, "invalid-parameter", &query);
        assert_eq!(refused.body["errors"][0]["parameter"], "cursor", "{refused:?}");
    }
}

#[tokio::test]
async fn a_bad_parameter_is_named() {
    let stage = Stage::new().await;
    let owner = stage.owner();
    let list = owner.list("Main room").await;
    let history = BASE64URL_NOPAD.encode(b"h1");
    for (query, parameter) in [
        ("stream=waitee-7".to_owned(), "stream"),
        ("stream=".to_owned(), "stream"),
        ("waitlist=7".to_owned(), "waitlist"),
        (format!("waitlist={list}&stream=waitlist-{list}"), "waitlist"),
        (format!("waitlist={list}&waitlist={list}"), "waitlist"),
        ("cursor=garbage".to_owned(), "cursor"),
        (format!("cursor={history}"), "cursor"),
        (format!("cursor={}", BASE64URL_NOPAD.encode(b"vs|")), "cursor"),
        ("limit=5".to_owned(), "limit"),
    ] {
        let refused = owner.get(&format!("/v1/audit/verify?{query}")).await;
        assert_is_problem(&refused, 400, "invalid-parameter", &query);
        assert_eq!(refused.body["errors"][0]["parameter"], parameter, "{refused:?}");
    }
    let token = [("Sync-Token", "waitlist-01920000-0000-7000-8000-000000000000@1")];
    let refused = owner.send("GET", "/v1/audit/verify", None, &token).await;
    assert_is_problem(&refused, 400, "invalid-parameter", "Sync-Token");
}

#[tokio::test]
async fn the_command_line_verifies_one_stream_and_all_with_and_without_a_server() {
    let place = Place::new();
    let server = place.serve(&[]).await;
    let token = server.token(UserId(Uuid::from_u128(7)));
    let list = json!({ "name": "Main room", "time_zone": "America/Los_Angeles", "region": "US" });
    let id = server.send(Some(&token), "POST", "/v1/waitlists", Some(&list), &[]).await.unwrap().id();
    place.settled(&server).await;
    let stream = format!("waitlist-{id}");
    let said = async |args: &[&str]| {
        let ran = place.run(&[&["verify", "--json"], args].concat()).await;
        (ran.code, serde_json::from_str::<Value>(&ran.out).unwrap_or(Value::from(ran.err)))
    };
    let (code, all) = said(&["--all"]).await;
    assert_eq!((code, &all["ok"], &all["streams"]), (Some(0), &json!(true), &json!(1)), "{all}");
    let (code, one) = said(&["--stream", &stream]).await;
    assert_eq!((code, &one["commits"], &one["first_bad"]), (Some(0), &json!(1), &Value::Null), "{one}");

    let dynamodb = place.dynamodb().await;
    let delete = dynamodb.delete_item().table_name(EVENTS.name(&place.prefix));
    let delete = delete.key("stream", aws_sdk_dynamodb::types::AttributeValue::S(stream.clone()));
    delete.key("seq", aws_sdk_dynamodb::types::AttributeValue::N("1".into())).send().await.unwrap();
    let bad =
        json!({ "stream": stream, "seq": 1, "why": "is missing, although a read model shows its events" });
    let (code, one) = said(&["--stream", &stream]).await;
    assert_eq!((code, &one["ok"], &one["first_bad"]), (Some(1), &json!(false), &bad), "{one}");
    assert_eq!(server.interrupt().await, Some(0));
    if !is_external() {
        let ran = place.run(&["verify", "--stream", &stream]).await;
        assert_eq!(ran.code, Some(1));
        assert!(ran.out.starts_with(&format!("{stream}@1: the commit is missing")), "{}", ran.out);
    }
    let (code, unknown) = said(&["--stream", "waitee-01920000-0000-7000-8000-000000000000"]).await;
    assert_eq!(code, Some(1), "{unknown}");
    for misuse in
        [&[][..], &["--all", "--stream", &stream], &["--stream", "7"], &["--all", "--segments", "0"]]
    {
        assert_eq!(said(misuse).await.0, Some(2), "{misuse:?}");
    }
}
