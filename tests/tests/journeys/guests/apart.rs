//! A guest learns of other guests only how many there are.

use serde_json::json;
use waitlist_tests::stage::{Answer, Stage};

use super::{Door, Guest, ana};
use crate::reads::feed;

/// Returns an answer's headers and body as one text.
fn text(answer: &Answer) -> String {
    let headers: Vec<String> =
        answer.headers.iter().map(|(name, value)| format!("{name}: {}", value.to_str().unwrap())).collect();
    format!("{}\n{}", headers.join("\n"), answer.body)
}

#[tokio::test]
async fn answers_to_a_guest_show_of_other_guests_only_how_many_there_are() {
    let stage = Stage::new().await;
    let door = Door::new(&stage).await;
    let secret = json!({
        "name": "Qxvbnwzkjh", "party_size": 7, "phone": "(202) 555-0143", "email": "wvqxkzj@example.com", "note": "Jqzxkwvbhn",
    });
    let first = door.join(&secret).await;
    let of_host = door.owner.post(&format!("/v1/waitlists/{}/waitees", door.list), secret.clone()).await.id();
    stage.backend.clock.advance_millis(1_000);
    let ana = door.join(&ana()).await;
    for action in ["call", "confirm"] {
        door.owner.post(&format!("/v1/waitees/{}/{action}", first.id), json!({})).await;
    }
    door.owner.post(&format!("/v1/waitees/{}/call", ana.id), json!({})).await;
    feed(&stage).await;

    let mut answers = vec![ana.answer.clone(), door.get(&door.list()).await, door.get(&ana.visit("")).await];
    assert_eq!(
        (&answers[1].body["waiting"], &answers[2].body["ahead"]),
        (&json!(3), &json!(2)),
        "only the counts are shown"
    );
    for (method, path) in
        [("POST", ana.visit("/confirm")), ("POST", ana.visit("/leave")), ("POST", ana.visit("/confirm"))]
    {
        answers.push(door.send(method, &path, None, &[]).await);
    }
    // A join with the phone number of a party on the board is answered like any other join.
    let same_phone = json!({ "name": "Ana", "party_size": 2, "phone": "(202) 555-0143" });
    answers.push(door.send("POST", &door.parties(), Some(&same_phone), &[]).await);
    assert_eq!(answers.last().unwrap().status, 201);
    answers
        .push(door.send("POST", &door.parties(), Some(&json!({ "name": "" , "party_size": 2 })), &[]).await);
    let owner = door.owner.id.to_string();
    for answer in &answers {
        for told in [
            "Qxvbnwzkjh",
            "5550143",
            "wvqxkzj",
            "Jqzxkwvbhn",
            &first.id,
            &first.token,
            &of_host,
            &owner,
            "confirmed_at",
        ] {
            assert!(!text(answer).contains(told), "{told} is in {answer:?}");
        }
    }
}

#[tokio::test]
async fn a_visit_token_opens_its_visit_and_nothing_else() {
    let stage = Stage::new().await;
    let door = Door::new(&stage).await;
    let (ana, ben) = (door.join(&ana()).await, door.join(&super::party("Ben")).await);
    assert_eq!(door.get(&ana.visit("")).await.body["party_size"], 4);
    assert_eq!(door.get(&ben.visit("")).await.body["party_size"], 2);

    // Without a principal, owners' routes answer 401 whatever the path holds.
    for path in [
        "/v1/waitees/{}",
        "/v1/waitees/{}/history",
        "/v1/waitlists/{}",
        "/v1/waitlists/{}/waitees",
        "/v1/me",
        "/v1/waitlists",
    ] {
        let bearer = format!("Bearer {}", ana.token);
        for at in [&ana.token, &ana.id, &door.list] {
            let answer = door.send("GET", &path.replace("{}", at), None, &[("Authorization", &bearer)]).await;
            assert_eq!(answer.status, 401, "{path}: {answer:?}");
        }
    }
    for (method, path) in [
        ("POST", "call"),
        ("POST", "seat"),
        ("POST", "history"),
        ("GET", "confirm"),
        ("DELETE", ""),
        ("PATCH", ""),
    ] {
        let answer = door.send(method, &format!("/v1/public/visits/{}/{path}", ana.token), None, &[]).await;
        assert!([404, 405].contains(&answer.status), "{method} {path}: {answer:?}");
    }
    // An id is not a visit token, and a visit's id does not open the public page of a list.
    for id in [&ana.id, &ben.id, &door.list] {
        assert_eq!(door.get(&format!("/v1/public/visits/{id}")).await.status, 404);
        assert_eq!(door.get(&format!("/v1/public/waitlists/{id}")).await.status == 200, *id == door.list);
    }
}

#[tokio::test]
async fn a_sync_token_of_another_visit_does_not_reveal_whether_the_visit_exists() {
    let stage = Stage::new().await;
    let door = Door::new(&stage).await;
    let ana = door.join(&ana()).await;
    let Guest { id: ben, .. } = door.join(&super::party("Ben")).await;
    let unknown = uuid::Uuid::from_u128(7).to_string();
    for path in [ana.visit(""), door.list()] {
        let mut answers = Vec::new();
        for other in [&ben, &unknown] {
            for seq in [1, 9] {
                let mut answer =
                    door.send("GET", &path, None, &[("Sync-Token", &format!("waitee-{other}@{seq}"))]).await;
                answer.body.as_object_mut().unwrap().remove("request_id");
                answers.push((answer.status, answer.body));
            }
        }
        assert!(answers.windows(2).all(|pair| pair[0] == pair[1]), "{path}: {answers:?}");
        assert_eq!(answers[0].0, 400, "{path}: {answers:?}");
    }
}
