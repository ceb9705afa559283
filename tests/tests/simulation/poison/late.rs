//! Tables that answer late: a batch is answered within the function's time-out.

use std::time::Duration;

use infra::{
    Backend,
    aws::{Answer, in_process},
    function::PROJECTOR,
};
use projections::feed::Feed;
use schema::Commit;
use serde_json::json;
use waitlist_tests::stage::Stage;

use super::parked;
use crate::{
    history::visit,
    records::{self, Image},
};

/// The time that each call takes by the manual clock. Eight are made at once, so that the clock may be two seconds
/// past a time when it is looked at.
const CALL_MS: i64 = 250;
/// As many as a batch of the mapping has records.
const VISITS: usize = 100;

/// A backend whose calls to tables are all refused, late.
async fn late(stage: &Stage) -> Backend {
    let clock = stage.backend.clock.clone();
    let refuse = move |_| {
        clock.advance_millis(CALL_MS);
        let body = json!({ "__type": "com.amazonaws.dynamodb.v20120810#InternalServerError", "message": "simulated failure" });
        async move { Answer { status: 400, body: body.to_string() } } // the SDK repeats calls of status 500 after pauses
    };
    let sdk = in_process(refuse).await;
    stage.backend_over(&sdk, aws_sdk_dynamodb::Client::new(&sdk))
}

/// Delivers a batch of visits. Returns the sequence numbers of failed records, and the time that it took.
async fn deliver(stage: &Stage, backend: Backend) -> (Vec<String>, Duration) {
    let visits: Vec<Commit> = (0..VISITS).flat_map(|_| visit(1).commits(&stage.backend)).collect();
    let batch = visits.iter().enumerate();
    let batch =
        batch.map(|(place, commit)| records::insert(1 + place, commit, Image::Whole, commit)).collect();
    let begun = stage.backend.clock.moment();
    let response = Feed::new(backend).records(records::batch(batch)).await;
    (records::failed(&response), stage.backend.clock.moment().since(begun))
}

#[tokio::test]
async fn doorbells_that_a_batch_has_no_time_for_are_parked() {
    let stage = Stage::new().await;
    let backend = Backend { retries: stage.backend.retries.clone(), ..late(&stage).await };
    let (failed, took) = deliver(&stage, backend).await;
    assert_eq!(failed, Vec::<String>::new());
    assert!(took < PROJECTOR.time_out, "{took:?}");
    assert_eq!(parked(&stage.backend).await.len(), VISITS);
}

#[tokio::test]
async fn doorbells_that_a_batch_has_no_time_to_park_are_reported_as_failed() {
    let stage = Stage::new().await;
    let backend = late(&stage).await;
    let (failed, took) = deliver(&stage, backend).await;
    assert_eq!(failed.len(), VISITS);
    assert!(took < PROJECTOR.time_out, "{took:?}");
}
