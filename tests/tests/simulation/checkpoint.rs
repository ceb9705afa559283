//! Streams that change while a checkpoint is made, or while the log is compared with one.

use aws_sdk_dynamodb::types::AttributeValue;
use projections::{
    checkpoint::{check, take},
    verify::SEGMENTS_PER_SCAN,
};
use schema::{
    Checkpoint, Commit,
    checkpoint::{Head, Note},
    table::EVENTS,
};
use waitlist_tests::stage::Stage;

use crate::{
    history::{append, visit},
    proxy::{Proxy, Trouble},
};

#[tokio::test]
async fn a_stream_that_fails_by_the_scan_and_is_gone_at_its_second_reading_bars_the_checkpoint() {
    let stage = Stage::new().await;
    let commits = visit(3).commits(&stage.backend);
    for commit in &commits {
        append(&stage.backend, commit).await;
    }
    remove(&stage, &commits[0]).await;
    let proxy = Proxy::new(&stage, "Query", EVENTS.name(&stage.prefix), Trouble::Held, 1);
    let backend = proxy.backend(&stage).await;
    let removal = async {
        proxy.until_called().await;
        remove(&stage, &commits[1]).await;
        remove(&stage, &commits[2]).await;
        proxy.release();
    };
    let (taken, ()) = tokio::join!(take(&backend, None, 1, |_| ()), removal);
    let taken = taken.unwrap();
    assert_eq!((taken.leaves.len(), taken.damaged), (0, 1));
    let why = "was removed while the log was read, and all others of its stream with it";
    assert_eq!((taken.bad[0].seq, taken.bad[0].why.as_str()), (commits[2].seq, why));
}

#[tokio::test]
async fn pages_that_fail_for_longer_than_the_sdk_tries_are_read_again() {
    const CALLS: usize = 5; // the SDK tries a call three times
    let stage = Stage::new().await;
    let commits = visit(3).commits(&stage.backend);
    for commit in &commits {
        append(&stage.backend, commit).await;
    }
    let proxied = async |trouble, calls| {
        let proxy = Proxy::new(&stage, "Scan", EVENTS.name(&stage.prefix), trouble, calls);
        let taken = take(&proxy.backend(&stage).await, None, 1, |_| ()).await;
        (taken, proxy.calls())
    };
    for trouble in [Trouble::Throttled, Trouble::Broken] {
        let (taken, called) = proxied(trouble, CALLS).await;
        assert_eq!(
            (taken.unwrap().leaves.len(), called),
            (1, CALLS + SEGMENTS_PER_SCAN as usize),
            "{trouble:?}"
        );
    }
    let (failed, _) = proxied(Trouble::Throttled, usize::MAX).await;
    assert!(failed.unwrap_err().is_passing(), "an end of the attempts");
}

#[tokio::test]
async fn a_scan_without_the_end_of_a_stream_does_not_alarm_because_a_reading_by_its_key_decides() {
    let stage = Stage::new().await;
    let commits = visit(3).commits(&stage.backend);
    for commit in &commits {
        append(&stage.backend, commit).await;
    }
    let taken = take(&stage.backend, None, 1, |_| ()).await.unwrap();
    let head = Head::over("waitlist/test", stage.backend.clock.now(), None, &taken.leaves);
    let note = Note { text: head.to_string(), signatures: Vec::new() };
    let checkpoint = Checkpoint { note, head, leaves: taken.leaves };

    remove(&stage, &commits[2]).await;
    let proxy = Proxy::new(&stage, "Query", EVENTS.name(&stage.prefix), Trouble::Held, 1);
    let backend = proxy.backend(&stage).await;
    let lag_ends = async {
        proxy.until_called().await;
        append(&stage.backend, &commits[2]).await;
        proxy.release();
    };
    let (checked, ()) = tokio::join!(check(&backend, &checkpoint, 1, |_| ()), lag_ends);
    let checked = checked.unwrap();
    assert_eq!((checked.commits, checked.bad), (2, Vec::new()));
}

async fn remove(stage: &Stage, commit: &Commit) {
    let delete = stage.dynamodb.delete_item().table_name(EVENTS.name(&stage.prefix));
    let delete = delete
        .key("stream", AttributeValue::S(commit.stream.to_string()))
        .key("seq", AttributeValue::N(commit.seq.to_string()));
    delete.send().await.unwrap();
}
