//! The units of checkpoints.

use aws_sdk_dynamodb::types::AttributeValue;
use projections::{
    checkpoint::{check, take},
    verify::SEGMENTS_PER_SCAN,
};
use schema::{
    Checkpoint, StreamId, WaiteeId,
    checkpoint::{Head, Note},
    table::EVENTS,
};
use uuid::Uuid;
use waitlist_tests::{costs::documented, past, stage::Stage};

use super::verify::VISITS;

#[tokio::test]
async fn a_checkpoint_and_its_check_read_the_log_once() {
    let stage = Stage::new().await;
    // Fixed ids, because the segments that they fall into decide how units are rounded up.
    let visits: Vec<StreamId> = (0..VISITS as u128).map(|n| WaiteeId(Uuid::from_u128(n)).into()).collect();
    for visit in &visits {
        stage.put_past(&past::visit(*visit, 3)).await;
    }
    let _before = stage.meter.take();
    let taken = take(&stage.backend, None, 1, |_| ()).await.unwrap();
    let used = stage.meter.take();
    assert_eq!(
        (taken.leaves.len(), taken.commits, used.calls),
        (VISITS, 3 * VISITS as u64, SEGMENTS_PER_SCAN)
    );
    documented(&stage, "a checkpoint of 90 commits in 30 streams", &used);

    let head = Head::over("waitlist/test", stage.backend.clock.now(), None, &taken.leaves);
    let note = Note { text: head.to_string(), signatures: Vec::new() };
    let checkpoint = Checkpoint { note, head, leaves: taken.leaves };
    let checked = check(&stage.backend, &checkpoint, 1, |_| ()).await.unwrap();
    let used = stage.meter.take();
    assert_eq!((checked.bad.len(), used.calls), (0, SEGMENTS_PER_SCAN));
    documented(&stage, "checking 90 commits in 30 streams", &used);
    let taken = take(&stage.backend, Some(&checkpoint), 1, |_| ()).await.unwrap();
    assert_eq!(
        (taken.differing.len(), stage.meter.take().calls),
        (0, SEGMENTS_PER_SCAN),
        "the previous checkpoint costs nothing"
    );

    let delete = stage.dynamodb.delete_item().table_name(EVENTS.name(&stage.prefix));
    let delete = delete.key("stream", AttributeValue::S(visits[0].to_string()));
    delete.key("seq", AttributeValue::N("3".into())).send().await.unwrap();
    let checked = check(&stage.backend, &checkpoint, 1, |_| ()).await.unwrap();
    let used = stage.meter.take();
    assert_eq!(
        (checked.bad.len(), used.calls),
        (1, SEGMENTS_PER_SCAN + 1),
        "a stream that differs is read again"
    );
    documented(&stage, "checking the same when one stream differs", &used);
}
