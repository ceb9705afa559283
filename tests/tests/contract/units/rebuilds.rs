//! The units of operators' routes.

use aws_lambda_events::sqs::{SqsEvent, SqsMessage};
use infra::work::{Step, Work};
use projections::rebuild::{
    Command, PREVIOUS_KEPT_MS, Worker, operate,
    repair::{Repair, repair},
};
use schema::projection::Name;
use serde_json::json;
use waitlist_tests::{
    costs::documented,
    stage::{Owner, Stage},
};

use super::{typical_join, visit};

const REBUILDS: &str = "/v1/projections/waitees/rebuilds";

/// Sends a request that succeeds, and compares its units with the documentation.
async fn measured(stage: &Stage, operator: &Owner<'_>, method: &str, path: &str, operation: &str) -> String {
    let _before = stage.meter.take();
    let answer = operator.send(method, path, None, &[]).await;
    let used = stage.meter.take();
    assert!(answer.status < 300, "{answer:?}");
    documented(stage, operation, &used);
    answer.body["id"].as_str().unwrap_or_default().to_owned()
}

#[tokio::test]
async fn an_operator_reads_and_writes_the_last_commit_of_a_projection() {
    let stage = Stage::new().await;
    let operator = stage.operator();
    let ask = async |method: &str, path: &str, operation: &str| {
        measured(&stage, &operator, method, path, operation).await
    };
    let _before = stage.meter.take();
    let dry = operator.post(REBUILDS, json!({ "dry_run": true })).await;
    assert_eq!(dry.status, 200, "{dry:?}");
    documented(&stage, "estimating a rebuild, of an empty log", &stage.meter.take());
    let id = ask("POST", REBUILDS, "starting a rebuild").await;
    let rebuild = format!("{REBUILDS}/{id}");
    ask("GET", "/v1/projections", "the projections, after one rebuild").await;
    ask("GET", REBUILDS, "the rebuilds of a projection, after one").await;
    ask("GET", &rebuild, "a rebuild's progress").await;
    stage.make_ready(Name::Waitees, id.parse().unwrap()).await;
    ask("POST", &format!("{rebuild}/promote"), "promoting a rebuild, the queue in a table").await;
    ask("POST", "/v1/projections/waitees/rollback", "rolling back").await;
    ask("POST", "/v1/projections/waitees/retire", "retiring the former generation").await;
    let id = operator.post(REBUILDS, json!({})).await.id();
    ask("POST", &format!("{REBUILDS}/{id}/cancel"), "cancelling a rebuild").await;
    let letter = stage.dead(&stage.backend.retries, "{}").await;
    ask("GET", "/v1/dead-letters", "the dead letters, the queues in a table").await;
    let redrive = format!("/v1/dead-letters/{letter}/redrive");
    ask("POST", &redrive, "redriving a dead letter, the queues in a table").await;
}

#[tokio::test]
async fn repairing_a_row_reads_the_stream_and_writes_each_generation() {
    let stage = Stage::new().await;
    let owner = stage.owner();
    let list = owner.list("Main room").await;
    let stream = visit(&typical_join(&owner, &list).await);
    stage.project(stream).await;
    let _before = stage.meter.take();
    let repaired = repair(&stage.backend, stream).await.unwrap();
    assert_eq!(repaired.iter().map(|of| of.repair).collect::<Vec<_>>(), [Repair::Written]);
    documented(&stage, "repairing the row of a visit, in one generation", &stage.meter.take());
}

#[tokio::test]
async fn retiring_by_the_worker_reads_the_state_twice() {
    let stage = Stage::new().await;
    let operator = stage.operator();
    let rebuild = operator.post(REBUILDS, json!({})).await.id().parse().unwrap();
    stage.make_ready(Name::Waitees, rebuild).await;
    stage.step(Name::Waitees, Command::Promote { rebuild, by: None }).await;
    stage.backend.clock.advance_millis(PREVIOUS_KEPT_MS + 1_000);
    let mut message = SqsMessage::default();
    let retire = Work { projection: Name::Waitees, step: Step::Retire { generation: 0 } };
    (message.message_id, message.body) = (Some("1".to_owned()), Some(retire.body().unwrap()));
    let mut event = SqsEvent::default();
    event.records = vec![message];
    let _before = stage.meter.take();
    let failed = Worker::new(stage.backend.clone(), 1).messages(event).await.batch_item_failures;
    assert!(failed.is_empty(), "{failed:?}");
    documented(&stage, "retiring a former generation after a day", &stage.meter.take());
    let state = operate::read(&stage.backend, Name::Waitees).await.unwrap().state;
    assert_eq!((state.previous, state.retired.len()), (None, 1));
}
