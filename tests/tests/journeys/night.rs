//! A night of generated load: three lists, many concurrent hosts, every request sent twice.

use std::sync::atomic::AtomicUsize;

use schema::UserId;
use serde_json::{Value, json};
use tokio::sync::watch;
use waitlist_tests::process::Server;

use crate::{
    load::{Door, Exchange, Random, Request, Size, joins, lists, play, transitions},
    oracle::{Oracle, Party},
    place::Place,
};

const SEED: u64 = 20_261_120;
const LISTS: usize = 3;
/// The size of pages: small enough that a board has several.
const PAGE: usize = 37;

/// The account that owns the lists.
pub(crate) fn owner() -> UserId {
    UserId(uuid::Uuid::from_u128(7))
}

/// Creates the lists and lets the parties join. Returns their ids and the exchanges.
pub(crate) async fn arrivals(
    door: &Door,
    random: &mut Random,
    size: Size,
) -> (Vec<String>, Vec<String>, Vec<Exchange>) {
    let answered = AtomicUsize::new(0);
    let mut exchanges = play(door, lists(LISTS), 1, &answered).await;
    let lists = ids(&exchanges);
    let joined = play(door, joins(random, &lists, size.parties), size.clients, &answered).await;
    let parties = ids(&joined);
    assert_eq!((lists.len(), parties.len()), (LISTS, size.parties));
    exchanges.extend(joined);
    (lists, parties, exchanges)
}

/// Returns the created ids in an order that does not depend on the clients' speed.
fn ids(exchanges: &[Exchange]) -> Vec<String> {
    let mut made: Vec<(&str, String)> = exchanges
        .iter()
        .map(|exchange| (exchange.request.key.as_str(), exchange.answers[0].as_ref().unwrap().id()))
        .collect();
    made.sort();
    made.into_iter().map(|(_, id)| id).collect()
}

/// Returns the items on all pages of a path.
async fn pages(server: &Server, token: &str, path: &str) -> Vec<Value> {
    let mut items = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = server.send(Some(token), "GET", &format!("{path}{cursor}"), None, &[]).await.unwrap();
        assert_eq!(page.status, 200, "{page:?}");
        items.extend(page.body["items"].as_array().unwrap().clone());
        let Some(next) = page.body["next"].as_str() else { return items };
        cursor = format!("&cursor={next}");
    }
}

fn assert_shows(shown: &Value, party: &Party, position: &Value) {
    for (field, value) in &party.fields {
        assert_eq!(&shown[field], value, "{field} of {shown:#} against {party:#?}");
    }
    assert_eq!(&shown["position"], position, "{shown:#}");
}

/// Compares boards and days with the oracle, party by party, and checks every stream's chain.
pub(crate) async fn compare(server: &Server, oracle: &Oracle<'_>, lists: &[String]) {
    let token = &server.token(owner());
    for list in lists {
        let board = pages(server, token, &format!("/v1/waitlists/{list}/waitees?limit={PAGE}")).await;
        let expected = oracle.board(list);
        assert_eq!(board.len(), expected.len(), "on the board of {list}");
        for ((shown, party), position) in board.iter().zip(&expected).zip(1..) {
            assert_shows(shown, party, &json!(position));
        }
        for day in oracle.days(list) {
            let mut everyone: Vec<Party> = oracle
                .parties()
                .into_iter()
                .filter(|party| party.list() == list && party.day() == day)
                .collect();
            everyone.sort_by_key(|party| (party.fields["joined_at"].to_string(), party.id().to_owned()));
            let shown =
                pages(server, token, &format!("/v1/waitlists/{list}/waitees?day={day}&limit={PAGE}")).await;
            assert_eq!(shown.len(), everyone.len(), "on {day} of {list}");
            for (shown, party) in shown.iter().zip(&everyone) {
                assert_shows(shown, party, &Value::Null);
            }
        }
    }
    for (stream, commits) in &oracle.streams {
        let (category, id) = stream.split_once('-').unwrap();
        let history = server
            .send(Some(token), "GET", &format!("/v1/{category}s/{id}/history?limit=200"), None, &[])
            .await
            .unwrap();
        assert_eq!(history.body["verified"], json!({ "ok": true, "seq": null, "why": null }), "{stream}");
        let last = commits.last().map_or(0, |commit| commit.last);
        assert_eq!(history.body["items"].as_array().unwrap().len() as u64, last.min(200), "{stream}");
    }
}

#[tokio::test]
async fn after_a_night_of_load_the_rows_equal_the_log_and_no_request_took_effect_twice() {
    let size = Size::of_a_night();
    let mut random = Random::new(SEED);
    let place = Place::new();
    let server = place.serve(&[]).await;
    let (_url, at) = watch::channel(server.url.clone());
    let door = Door::new(at, server.token(owner()));
    let (lists, parties, mut exchanges) = arrivals(&door, &mut random, size).await;
    let night: Vec<Request> = transitions(&mut random, &parties, size.transitions);
    exchanges.extend(play(&door, night, size.clients, &AtomicUsize::new(0)).await);
    assert!(
        exchanges.iter().flat_map(|exchange| &exchange.answers).all(Option::is_some),
        "the connection broke:\n{}",
        server.logs()
    );

    place.settled(&server).await;
    let oracle = Oracle::read(&place.dynamodb().await, &place.prefix, &exchanges).await;
    oracle.judge(&exchanges);
    compare(&server, &oracle, &lists).await;
    assert_eq!(server.interrupt().await, Some(0));
}
