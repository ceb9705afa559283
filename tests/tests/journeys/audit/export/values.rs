//! Values in exports: texts that break simple readers or begin formulas, and values of erased guests.

use reactors::erasure::forget;
use schema::WaiteeId;
use serde_json::{Value, json};
use waitlist_tests::stage::Stage;

use super::{joined, page, settled};

const FORMATS: [&str; 2] = ["ndjson", "csv"];

#[tokio::test]
async fn texts_that_look_like_formulas_or_line_ends_arrive_unchanged() {
    let stage = Stage::new().await;
    let owner = settled(&stage).await;
    let list = owner.list("=SUM(1;2)").await;
    let notes = [
        "=HYPERLINK(\"x\";\"y\")",
        "a \"quoted\" word, and a comma",
        "first\r\nsecond\nthird",
        "one\u{2028}two\u{2029}three",
        ";=1+1;+1;-1;@SUM(A1)",
        "'=1\t=1",
        "＝1＋1",
        "Größe 🍜 \\u0041 \\ ,,\"\"",
    ];
    for (name, note) in ["=HYPERLINK(A1)", "@SUM(A1)", "+1", "-1", "\"", ",", "a;=b", "Ana"].iter().zip(notes)
    {
        let body = json!({ "name": name, "party_size": 2, "note": note });
        let joined = owner.post(&format!("/v1/waitlists/{list}/waitees"), body).await;
        assert_eq!(joined.status, 201, "{joined:?}");
        let party = joined.id();
        let reason = json!({ "reason": note.replace('\r', "") });
        let left = owner.post(&format!("/v1/waitees/{party}/leave"), reason).await;
        assert_eq!(left.status, 200, "{left:?}");
    }
    stage.backend.clock.advance_millis(11_000);
    let shown = page(&owner, "order=asc&limit=200").await["items"].clone();
    let names: Vec<&Value> = shown.as_array().unwrap().iter().map(|event| &event["data"]["name"]).collect();
    assert!(names.contains(&&json!("=HYPERLINK(A1)")) && names.contains(&&json!("@SUM(A1)")), "{names:?}");
    for format in FORMATS {
        assert_eq!(Value::from(joined(&owner, format, "to=2026-12-01T00:00:00Z").await), shown, "{format}");
    }
}

#[tokio::test]
async fn an_erased_guests_values_are_in_no_later_export() {
    let stage = Stage::new().await;
    let owner = settled(&stage).await;
    let list = owner.list("Main room").await;
    let body = json!({ "name": "Ana Anonyma", "party_size": 2, "note": "by the window" });
    let ana = owner.post(&format!("/v1/waitlists/{list}/waitees"), body).await.id();
    owner.post(&format!("/v1/waitees/{ana}/leave"), json!({ "reason": "a long wait" })).await;
    stage.backend.clock.advance_millis(11_000);
    let values = async |format: &str| {
        let events = joined(&owner, format, "from=2026-11-01T00:00:00Z").await;
        let text = Value::from(events).to_string();
        ["Ana Anonyma", "by the window", "a long wait"].iter().filter(|value| text.contains(*value)).count()
    };
    for format in FORMATS {
        assert_eq!(values(format).await, 3, "{format}");
    }
    assert_eq!(owner.post(&format!("/v1/waitees/{ana}/erase"), json!({})).await.status, 202);
    for format in FORMATS {
        assert_eq!(values(format).await, 0, "{format}: neither row nor key show the erasure yet");
    }
    forget(&stage.another(), ana.parse::<WaiteeId>().unwrap().into()).await.unwrap();
    for format in FORMATS {
        assert_eq!(values(format).await, 0, "{format}");
    }
}
