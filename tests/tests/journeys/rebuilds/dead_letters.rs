//! Dead letters by routes of operators.

use std::time::Duration;

use serde_json::{Value, json};
use waitlist_tests::stage::{Owner, Stage};

use crate::bad_input::assert_is_problem;

const DEAD_LETTERS: &str = "/v1/dead-letters";

/// Reads all pages of this size.
async fn all(operator: &Owner<'_>, limit: usize) -> Vec<Value> {
    let (mut found, mut path) = (Vec::new(), format!("{DEAD_LETTERS}?limit={limit}"));
    loop {
        let page = operator.get(&path).await.body;
        let items = page["items"].as_array().unwrap();
        assert!(items.len() <= limit, "{page}");
        found.extend(items.clone());
        let Some(next) = page["next"].as_str() else { return found };
        path = format!("{DEAD_LETTERS}?limit={limit}&cursor={next}");
    }
}

#[tokio::test]
async fn dead_letters_of_all_queues_are_listed_by_the_page_and_redriven() {
    let stage = Stage::new().await;
    let operator = stage.operator();
    assert_eq!(operator.get(DEAD_LETTERS).await.body, json!({ "items": [], "next": null }));
    let stream = "waitee-01920000-0000-7000-8000-000000000000";
    let parked = json!({ "consumer": "projector", "generation": 3, "stream": stream, "seq": 1, "cause": "the log ends" });
    let first = stage.dead(&stage.backend.retries, &parked.to_string()).await;
    let unnamed = stage.dead(&stage.backend.retries, "no message of ours").await;
    let unsent = json!({ "intent": "attend", "stream": stream }).to_string();
    let unsent = stage.dead(&stage.backend.deliveries, &unsent).await;
    let erasure = stage.dead(&stage.backend.erasures, "{}").await;

    let whole = all(&operator, 200).await;
    let ids = |items: &[Value]| -> Vec<String> {
        items.iter().map(|item| item["id"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(ids(&whole), [first.clone(), unnamed, unsent, erasure.clone()]);
    for limit in [1, 2, 3, 4] {
        assert_eq!(all(&operator, limit).await, whole, "pages of {limit}");
    }
    assert_eq!((&whole[0]["stream"], &whole[0]["generation"]), (&json!(stream), &json!("waitees-g3")));
    assert_eq!((&whole[0]["cause"], &whole[0]["attempts"]), (&json!("the log ends"), &json!(5)));
    assert!(whole[0]["first_at"].as_str() < whole[0]["last_at"].as_str(), "{}", whole[0]);
    for field in ["stream", "generation", "cause"] {
        assert_eq!(whole[1][field], Value::Null, "{field} is not known");
    }
    assert_eq!((&whole[2]["queue"], &whole[2]["generation"]), (&json!("deliveries"), &Value::Null));

    for id in [first, erasure] {
        let redrive = format!("{DEAD_LETTERS}/{id}/redrive");
        assert_eq!(operator.post(&redrive, json!({})).await.status, 202);
        assert_is_problem(&operator.post(&redrive, json!({})).await, 404, "not-found", "redriven twice");
    }
    assert_eq!(all(&operator, 50).await.len(), 2);
    assert_eq!(stage.backend.retries.receive(10).await.unwrap()[0].body, parked.to_string());
    for cursor in ["x", "cXg", &data_encoding::BASE64URL_NOPAD.encode(b"qnothing:x")] {
        let refused = operator.get(&format!("{DEAD_LETTERS}?cursor={cursor}")).await;
        assert_is_problem(&refused, 400, "invalid-parameter", cursor);
    }
    let waiting = stage.backend.retries.send("{}", Duration::ZERO).await.unwrap();
    let alive = operator.post(&format!("{DEAD_LETTERS}/{waiting}/redrive"), json!({})).await;
    assert_is_problem(&alive, 404, "not-found", "a message that is not dead");
}
