//! Streams that are removed while all streams are verified.

use aws_sdk_dynamodb::types::AttributeValue;
use projections::verify;
use schema::{Commit, body::Bad, table::EVENTS};
use waitlist_tests::stage::Stage;

use crate::{
    history::{append, visit},
    proxy::{Proxy, Trouble},
};

#[tokio::test]
async fn a_stream_that_fails_by_the_scan_and_is_gone_at_its_second_reading_is_reported() {
    let stage = Stage::new().await;
    let commits = visit(3).commits(&stage.backend);
    for commit in &commits {
        append(&stage.backend, commit).await;
    }
    remove(&stage, &commits[0]).await;
    // The second reading begins after the scan.
    let proxy = Proxy::new(&stage, "Query", EVENTS.name(&stage.prefix), Trouble::Held, 1);
    let backend = proxy.backend(&stage).await;
    let removal = async {
        proxy.until_called().await;
        remove(&stage, &commits[1]).await;
        remove(&stage, &commits[2]).await;
        proxy.release();
    };
    let (report, ()) = tokio::join!(verify::all(&backend, 1, |_| ()), removal);
    let report = report.unwrap();
    let why = "was removed during the verification, and all others of its stream with it".to_owned();
    assert_eq!(report.bad, [Bad { stream: commits[0].stream.to_string(), seq: commits[2].seq, why }]);
    assert_eq!((report.progress.streams, report.progress.bad), (1, 1));
}

async fn remove(stage: &Stage, commit: &Commit) {
    let delete = stage.dynamodb.delete_item().table_name(EVENTS.name(&stage.prefix));
    let delete = delete
        .key("stream", AttributeValue::S(commit.stream.to_string()))
        .key("seq", AttributeValue::N(commit.seq.to_string()));
    delete.send().await.unwrap();
}
