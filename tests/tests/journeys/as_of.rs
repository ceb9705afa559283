//! Reads as of an earlier time.

mod bounds;
mod edges;
mod erased;
mod night;
mod refused;

use schema::Time;
use serde_json::{Value, json};
use waitlist_tests::stage::{Answer, Owner, Stage};

use crate::reads::ring;

/// Longer than the time after which reads of the past are complete.
const LATER_MS: i64 = 10_001;

/// Adds `as_of` to a path.
fn at(path: &str, time: Time) -> String {
    let glue = if path.contains('?') { '&' } else { '?' };
    format!("{path}{glue}as_of={time}")
}

/// Projects the stream that an answer to a write names.
async fn project(stage: &Stage, written: &Answer) {
    if let Some((stream, seq)) = written.header("sync-token").split_once('@') {
        ring(&stage.backend, stream.parse().unwrap(), seq.parse().unwrap()).await;
    }
}

/// A party joins with these fields. Its row is written.
async fn join(stage: &Stage, owner: &Owner<'_>, list: &str, fields: Value) -> String {
    let mut body = json!({ "name": "Ana", "party_size": 2 });
    body.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    let joined = owner.post(&format!("/v1/waitlists/{list}/waitees"), body).await;
    assert_eq!(joined.status, 201, "{joined:?}");
    project(stage, &joined).await;
    joined.id()
}

/// Sends a command to a visit, and writes its row.
async fn does(stage: &Stage, owner: &Owner<'_>, party: &str, what: &str) {
    let done = owner.post(&format!("/v1/waitees/{party}/{what}"), json!({})).await;
    assert!(done.status < 300, "{what}: {done:?}");
    project(stage, &done).await;
}

fn names(board: &Answer) -> Vec<&Value> {
    assert_eq!(board.status, 200, "{board:?}");
    board.body["items"].as_array().unwrap().iter().map(|party| &party["name"]).collect()
}
