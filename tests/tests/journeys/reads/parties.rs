//! Reads of parties: duplicates, positions, business days and quotes.

use serde_json::{Value, json};
use waitlist_tests::stage::Stage;

use super::feed;

#[tokio::test]
async fn parties_with_one_phone_number_are_marked_and_all_have_positions() {
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
    // The mark is on the last page too, although the party that it names is not.
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
async fn parties_with_one_email_address_are_marked_as_doubles() {
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
async fn a_business_day_ends_at_four_in_the_morning_in_the_lists_time_zone() {
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
async fn a_partys_quote_follows_from_the_parties_ahead_unless_the_host_gives_one() {
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
