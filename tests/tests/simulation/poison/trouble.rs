//! Tables that fail: calls are repeated, and a doorbell whose table keeps failing is parked.

use futures::future::join_all;
use projections::feed::Feed;
use schema::{
    StreamId,
    id::Category,
    table::{EVENTS, WAITEES},
};
use waitlist_tests::stage::Stage;

use super::{grown, parked, retry_failures};
use crate::{
    oracle::Tables,
    proxy::{Proxy, Trouble},
    records::{self, Image},
};

/// The most calls of one doorbell to a failing table: three attempts of the feed, each with three attempts of
/// the SDK.
const CALLS_MAX: usize = 9;

/// More calls than any doorbell makes.
const ALL_CALLS: usize = usize::MAX;

#[tokio::test]
async fn calls_to_a_table_that_fails_briefly_are_repeated() {
    use Trouble::{AnswerLost, Broken, Throttled, Unanswered};
    let stage = Stage::new().await;
    let troubles = [
        ("GetItem", Throttled),
        ("Query", Throttled),
        ("PutItem", Throttled),
        ("Query", Broken),
        ("PutItem", Broken),
    ];
    let lost =
        [("GetItem", Unanswered), ("Query", AnswerLost), ("PutItem", Unanswered), ("PutItem", AnswerLost)];
    let tried = troubles.map(|trouble| (trouble, 2)).into_iter().chain(lost.map(|trouble| (trouble, 1)));
    join_all(tried.map(|((operation, trouble), calls)| {
        let stage = &stage;
        async move {
            let (stream, called) = ring_through(stage, operation, trouble, calls).await;
            let tables = Tables::of(stage);
            assert_eq!(tables.row(stream).await, tables.expected(stream).await, "{operation} {trouble:?}");
            assert!(called > calls && called <= CALLS_MAX, "{operation} {trouble:?}: {called} calls");
        }
    }))
    .await;
    assert_eq!(parked(&stage.backend).await, []);
}

#[tokio::test]
async fn a_doorbell_whose_table_keeps_failing_is_parked_and_can_be_applied_later() {
    let stage = Stage::new().await;
    let tables = Tables::of(&stage);
    let troubles = [
        ("GetItem", Trouble::Throttled),
        ("Query", Trouble::Broken),
        ("PutItem", Trouble::Broken),
        ("GetItem", Trouble::Unanswered),
    ];
    let streams = join_all(troubles.map(|(operation, trouble)| {
        let stage = &stage;
        async move {
            let (stream, called) = ring_through(stage, operation, trouble, ALL_CALLS).await;
            assert!(called > 1 && called <= CALLS_MAX, "{operation} {trouble:?}: {called} calls");
            stream
        }
    }))
    .await;

    let parked = parked(&stage.backend).await;
    assert_eq!(parked.iter().map(|parked| parked.stream).collect::<Vec<_>>(), sorted(&streams));
    for stream in &streams {
        assert_eq!(tables.row(*stream).await, None);
    }
    assert_eq!(retry_failures(&Feed::new(stage.backend.clone()), &parked).await, 0);
    for stream in &streams {
        assert_eq!(tables.row(*stream).await, tables.expected(*stream).await);
    }
}

/// Rings for a new visit through a proxy that fails this many calls. Returns the stream and the number of
/// calls. The doorbell contains no commit, so the feed reads the row and the log, and writes the row.
async fn ring_through(
    stage: &Stage,
    operation: &'static str,
    trouble: Trouble,
    calls: usize,
) -> (StreamId, usize) {
    let commits = grown(&stage.backend, 2).await;
    assert_eq!(commits[0].stream.category, Category::Waitee);
    let table = if operation == "Query" { EVENTS.name(&stage.prefix) } else { stage.live(WAITEES).await };
    let proxy = Proxy::new(stage, operation, table, trouble, calls);
    let feed = Feed::new(proxy.backend(stage).await);
    let response = feed
        .records(records::batch(vec![records::insert(1, &commits[1], Image::Missing, &commits[1])]))
        .await;
    assert_eq!(records::failed(&response), Vec::<String>::new());
    (commits[0].stream, proxy.calls())
}

fn sorted(streams: &[StreamId]) -> Vec<StreamId> {
    let mut streams = streams.to_vec();
    streams.sort_unstable();
    streams
}
