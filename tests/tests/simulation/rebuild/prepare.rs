//! The creation of a candidate's table that takes longer than a message is worked on.

use std::time::Duration;

use aws_lambda_events::sqs::{SqsEvent, SqsMessage};
use infra::work::{Step, Work};
use projections::rebuild::{Bounds, Worker, operate};
use schema::projection::{Name, Promote, Stage as RebuildStage};
use uuid::Uuid;
use waitlist_tests::{
    generations::{change, request},
    stage::Stage,
};

use crate::proxy::{Proxy, Trouble};

const REBUILD: Uuid = Uuid::from_u128(7);
/// The longest that a message waits for the table in this test.
const CREATE_MAX: Duration = Duration::from_millis(500);
/// More messages than a busy machine needs.
const MESSAGES_MAX: usize = 20;

fn event(body: &str) -> SqsEvent {
    let mut record = SqsMessage::default();
    (record.message_id, record.body) = (Some("1".to_owned()), Some(body.to_owned()));
    let mut event = SqsEvent::default();
    event.records = vec![record];
    event
}

#[tokio::test]
async fn another_message_goes_on_waiting_for_the_table_and_the_log_is_sampled_once() {
    let (stage, name) = (Stage::new().await, Name::Waitees);
    let state = change(&stage.backend, name, &request(REBUILD, Promote::Auto)).await;
    let table = name.table_name(&stage.prefix, state.rebuild(REBUILD).unwrap().generation);
    let proxy = Proxy::new(&stage, "DescribeTable", table.clone(), Trouble::Unanswered, 2);
    let bounds = Bounds { create_max: CREATE_MAX, ..Bounds::default() };
    let worker = Worker::new(proxy.backend(&stage).await, 1).with(bounds);
    let rebuilds = &stage.backend.rebuilds;
    let first = Work { projection: name, step: Step::Prepare { rebuild: REBUILD } };
    let first = serde_json::to_string(&first).unwrap();
    rebuilds.send(&first, Duration::ZERO).await.unwrap();
    for messages in 1..=MESSAGES_MAX {
        let message = rebuilds.receive(1).await.unwrap().remove(0);
        assert_eq!(message.body, first, "the same step again");
        assert!(worker.messages(event(&message.body)).await.batch_item_failures.is_empty());
        rebuilds.delete(&message.receipt).await.unwrap();
        let stage_now = operate::read(&stage.backend, name).await.unwrap().state.rebuilds[0].stage;
        let calls = proxy.take_calls();
        let scans = calls.iter().filter(|(operation, _)| operation == "Scan").count();
        if stage_now == RebuildStage::Prepared {
            assert!(messages > 2, "two messages were too short");
            assert!(scans > 0, "{calls:?}");
            assert_eq!(rebuilds.waiting(10).await.unwrap(), 0);
            return;
        }
        assert_eq!(scans, 0, "no sample before the table is active");
        stage.backend.clock.advance_millis(2_000);
    }
    panic!("the table never became active");
}
