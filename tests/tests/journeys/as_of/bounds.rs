//! A board as of a time shows as many parties as a present one.

use projections::feed::{self, Doorbell};
use schema::{
    Rank,
    commit::{Author, Tail},
    waitee::Event,
};
use serde_json::{Value, json};
use waitlist_tests::{
    past::{author, fresh_stream, joined, next},
    stage::{Owner, Stage},
};

use super::{LATER_MS, at};

/// One more than a board shows.
const PARTIES: i64 = 501;

async fn ids(owner: &Owner<'_>, path: &str) -> Vec<Value> {
    let (mut ids, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = owner.get(&format!("{path}{cursor}")).await;
        assert_eq!(page.status, 200, "{page:?}");
        ids.extend(page.body["items"].as_array().unwrap().iter().map(|party| party["id"].clone()));
        let Some(next) = page.body["next"].as_str() else { return ids };
        cursor = format!("&cursor={next}");
    }
}

#[tokio::test]
async fn of_more_than_five_hundred_parties_the_first_in_line_are_shown() {
    let stage = Stage::new().await;
    let owner = stage.owner();
    let list = owner.list("Main room").await;
    let then = stage.backend.clock.now();
    let author = Author { tenant: owner.id, ..author() };
    let mut past = Vec::new();
    for number in 0..PARTIES {
        let Event::Joined(mut joined) = joined() else { panic!("a party joins") };
        joined.waitlist = list.parse().unwrap();
        joined.rank = Rank::joining(then.plus_millis(PARTIES - number));
        let commit = next(fresh_stream(), &Tail::EMPTY, &author, &[Event::Joined(joined)]);
        let doorbell = Doorbell { stream: commit.stream, last: 1, commits: vec![commit.clone()] };
        feed::apply(&stage.backend, &doorbell).await.unwrap();
        past.push(commit);
    }
    stage.put_past(&past).await;
    stage.backend.clock.advance_millis(LATER_MS);
    let board = format!("/v1/waitlists/{list}/waitees?limit=200");
    let expected: Vec<Value> = past.iter().skip(1).rev().map(|commit| json!(commit.stream.id)).collect();
    assert_eq!(ids(&owner, &board).await, expected);
    assert_eq!(ids(&owner, &at(&board, then.plus_millis(1))).await, expected);
    let counted = owner.get(&at(&format!("/v1/waitlists/{list}"), then.plus_millis(1))).await;
    assert_eq!(counted.body["active"], 500);
}
