//! Moves of parties: all readers see one order, and a moved party lands where it was asked to.

use std::collections::BTreeSet;

use infra::http::Principal;
use schema::{Rank, WaiteeId, table::WAITEES};
use serde_json::{Value, json};
use waitlist_tests::stage::{Owner, Stage, send};

use crate::{
    load::{Random, is_full},
    place::text,
    raw::rows,
    reads::{feed, ring},
};

const SEED: u64 = 4;
const PARTIES: usize = 20;
const PAGE: usize = 7;

async fn line(owner: &Owner<'_>, list: &str, count: usize) -> Vec<String> {
    let mut ids = Vec::new();
    for number in 0..count {
        ids.push(owner.join(list, &format!("Party {number}")).await);
    }
    ids
}

fn ids_of(items: &Value) -> Vec<String> {
    items.as_array().unwrap().iter().map(|party| party["id"].as_str().unwrap().to_owned()).collect()
}

/// Returns the board's ids in one page.
async fn board(owner: &Owner<'_>, list: &str, sync: &str) -> Vec<String> {
    let headers: Vec<_> = [("Sync-Token", sync)].into_iter().filter(|_| !sync.is_empty()).collect();
    let page = owner.send("GET", &format!("/v1/waitlists/{list}/waitees?limit=200"), None, &headers).await;
    let positions: Vec<_> = page.body["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|party| party["position"].as_u64().unwrap())
        .collect();
    assert!(positions.iter().copied().eq(1..=positions.len() as u64), "{positions:?}");
    ids_of(&page.body["items"])
}

/// Returns the board's ids page by page.
async fn board_in_pages(owner: &Owner<'_>, list: &str) -> Vec<String> {
    let (mut ids, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = owner.get(&format!("/v1/waitlists/{list}/waitees?limit={PAGE}{cursor}")).await;
        ids.extend(ids_of(&page.body["items"]));
        let Some(next) = page.body["next"].as_str() else { return ids };
        cursor = format!("&cursor={next}");
    }
}

/// Returns the order of the rows: by rank, then by id.
async fn by_rank_and_id(stage: &Stage, list: &str) -> Vec<String> {
    let mut places: Vec<(String, String)> = rows(&stage.dynamodb, WAITEES, &stage.prefix)
        .await
        .iter()
        .filter(|row| row.get("board").is_some_and(|board| board.as_s().unwrap() == list))
        .map(|row| (text(row, "rank").to_owned(), text(row, "id").to_owned()))
        .collect();
    places.sort();
    places.into_iter().map(|(_, id)| id).collect()
}

/// Moves a party. Returns the Sync-Token, or `None` if there was no rank between or every attempt lost its
/// race.
async fn moved(stage: &Stage, owner: &Owner<'_>, party: &str, side: &str, other: &str) -> Option<String> {
    let exp = stage.backend.clock.now().millis() / 1000 + 900;
    let principal = Principal::account(owner.id, exp);
    let path = format!("/v1/waitees/{party}/move");
    let answer =
        send(&stage.backend, Some(principal), "POST", &path, Some(&json!({ side: other })), &[]).await;
    if answer.status == 409 {
        let kind = answer.body["type"].as_str().unwrap();
        assert!(kind.ends_with("/rank-exhausted") || kind.ends_with("/conflict"), "{answer:?}");
        return None;
    }
    assert_eq!(answer.status, 200, "{answer:?}");
    Some(answer.header("sync-token").to_owned())
}

#[tokio::test]
async fn many_concurrent_moves_by_two_hosts_leave_one_order_on_all_pages() {
    let stage = Stage::new().await;
    let owner = stage.owner();
    let list = owner.list("Main room").await;
    let parties = line(&owner, &list, PARTIES).await;
    feed(&stage).await;
    let mut random = Random::new(SEED);
    let moves = if is_full() { 1_000 } else { 120 };
    for round in 0..moves / 2 {
        let other = random.pick(&parties).clone();
        let movers: Vec<String> = parties.iter().filter(|party| **party != other).cloned().collect();
        let (one, two) = (random.pick(&movers).clone(), random.pick(&movers).clone());
        let (here, there) = (*random.pick(&["before", "after"]), *random.pick(&["before", "after"]));
        let tokens = futures::join!(
            moved(&stage, &owner, &one, here, &other),
            moved(&stage, &owner, &two, there, &other)
        );
        // The feed projects some of the moves, and not always both.
        for token in [tokens.0, tokens.1].into_iter().flatten().filter(|_| random.below(3) > 0) {
            let (stream, seq) = token.split_once('@').unwrap();
            ring(&stage.backend, stream.parse().unwrap(), seq.parse().unwrap()).await;
        }
        if round % 20 == 19 {
            feed(&stage).await;
            let whole = board(&owner, &list, "").await;
            assert_eq!(
                whole.iter().collect::<BTreeSet<_>>(),
                parties.iter().collect::<BTreeSet<_>>(),
                "no party is lost or doubled"
            );
            assert_eq!(board_in_pages(&owner, &list).await, whole);
            assert_eq!(by_rank_and_id(&stage, &list).await, whole);
        }
    }
}

#[tokio::test]
async fn two_parties_moved_concurrently_to_one_place_both_land_there() {
    let stage = Stage::new().await;
    let owner = stage.owner();
    let list = owner.list("Main room").await;
    let parties = line(&owner, &list, 6).await;
    feed(&stage).await;
    let [_, second, .., fifth, sixth] = &parties[..] else { panic!("six parties") };
    let tokens = futures::join!(
        moved(&stage, &owner, fifth, "after", second),
        moved(&stage, &owner, sixth, "after", second)
    );
    let sync = [tokens.0.unwrap(), tokens.1.unwrap()].join(",");
    let order = board(&owner, &list, &sync).await;
    assert_eq!(order[..2], parties[..2]);
    assert_eq!(order[4..], parties[2..4]);
    assert_eq!(order[2..4].iter().collect::<BTreeSet<_>>(), BTreeSet::from([fifth, sixth]));
    feed(&stage).await;
    assert_eq!(board(&owner, &list, "").await, order, "the order stays");
    // There is no rank between two equal ones, so a party moved there lands before or behind both.
    let next = moved(&stage, &owner, &parties[0], "after", &order[2]).await.unwrap();
    let after = board(&owner, &list, &next).await;
    let at = |id: &String| after.iter().position(|other| other == id).unwrap();
    assert!(at(&parties[0]) > at(&order[2]) && at(&parties[0]) < at(&parties[2]), "{after:?}");
}

/// With the feed stopped the rows show the old order. The neighbour's rank is then read from the log.
#[tokio::test]
async fn successive_moves_land_in_place_while_the_feed_is_stopped() {
    let stage = Stage::new().await;
    let owner = stage.owner();
    let list = owner.list("Main room").await;
    let parties = line(&owner, &list, 8).await;
    feed(&stage).await;
    let mut expected = parties.clone();
    let mut sync: Vec<String> = Vec::new();
    // Each party goes next to the one moved before it, at the head of the line and then at its end.
    for (party, side, other) in [
        (6, "before", 0),
        (5, "before", 6),
        (4, "before", 5),
        (3, "before", 4),
        (0, "after", 7),
        (1, "after", 0),
        (2, "after", 1),
        (6, "after", 2),
        (7, "before", 3),
    ] {
        let (id, beside) = (&parties[party], &parties[other]);
        let token = moved(&stage, &owner, id, side, beside).await.unwrap();
        expected.retain(|other| other != id);
        let place = expected.iter().position(|other| other == beside).unwrap() + usize::from(side == "after");
        expected.insert(place, id.clone());
        let stream = token.split('@').next().unwrap().to_owned();
        sync.retain(|known| !known.starts_with(&stream));
        sync.push(token);
        assert_eq!(board(&owner, &list, &sync.join(",")).await, expected, "{party} {side} {other}");
    }
    feed(&stage).await;
    assert_eq!(board(&owner, &list, "").await, expected);
}

#[tokio::test]
async fn a_move_to_the_same_place_is_no_event_and_a_gap_too_small_is_refused() {
    let stage = Stage::new().await;
    let owner = stage.owner();
    let list = owner.list("Main room").await;
    let parties = line(&owner, &list, 4).await;
    feed(&stage).await;
    let still = moved(&stage, &owner, &parties[1], "after", &parties[0]).await.unwrap();
    assert!(still.ends_with("@1"), "{still}");
    // Puts a rank into the row as hundreds of moves would leave it.
    let (low, mut high) = (rank(&stage, &parties[0]).await, rank(&stage, &parties[1]).await);
    while let Some(between) = Rank::between(Some(&low), Some(&high)) {
        high = between;
    }
    let row = stage.dynamodb.update_item().table_name(stage.live(WAITEES).await);
    let id: WaiteeId = parties[1].parse().unwrap();
    let string = |text: String| aws_sdk_dynamodb::types::AttributeValue::S(text);
    row.key("id", string(id.to_string()))
        .update_expression("SET #rank = :rank, #place = :place")
        .expression_attribute_names("#rank", "rank")
        .expression_attribute_names("#place", "place")
        .expression_attribute_values(":rank", string(high.as_str().to_owned()))
        .expression_attribute_values(":place", string(format!("{}#{id}", high.as_str())))
        .send()
        .await
        .unwrap();
    let exp = stage.backend.clock.now().millis() / 1000 + 900;
    let principal = Principal::account(owner.id, exp);
    let path = format!("/v1/waitees/{}/move", parties[3]);
    let refused =
        send(&stage.backend, Some(principal), "POST", &path, Some(&json!({ "after": parties[0] })), &[])
            .await;
    assert_eq!(
        (refused.status, refused.body["type"].as_str().unwrap().ends_with("/rank-exhausted")),
        (409, true),
        "{refused:?}"
    );
}

async fn rank(stage: &Stage, id: &str) -> Rank {
    let rows = rows(&stage.dynamodb, WAITEES, &stage.prefix).await;
    let row = rows.iter().find(|row| text(row, "id") == id).unwrap();
    serde_json::from_value(json!(text(row, "rank"))).unwrap()
}
