//! Appending and loading commits, within the bounds.

use infra::{
    Failure,
    log::{Appended, CommitPage, ITEM_BYTES_MAX, size},
};
use schema::{
    Commit, StreamId,
    commit::{Author, Tail},
};
use waitlist_tests::{
    meter::Used,
    past::{author, called, fresh_stream, joined, next, seated, visit, walk},
    stage::Stage,
};

/// Commits of about 600 bytes that fill more than one page of 1 MB.
const LONG: usize = 5_000;

#[tokio::test]
async fn a_stream_of_several_pages_is_loaded_whole_and_accepts_the_next_commit() {
    let stage = Stage::new().await;
    let log = &stage.backend.log;
    let stream = fresh_stream();
    let past = visit(stream, LONG);

    stage.put_past(&past[..10]).await;
    let latest_of_ten =
        reads(&stage, async { assert_eq!(log.latest(stream).await.unwrap().as_ref(), past[..10].last()) })
            .await;
    stage.put_past(&past[10..3_000]).await;
    let latest_of_many =
        reads(&stage, async { assert_eq!(log.latest(stream).await.unwrap().as_ref(), past[..3_000].last()) })
            .await;
    if stage.counts_reads() {
        assert_eq!(
            latest_of_ten, latest_of_many,
            "the cost of reading the latest commit does not depend on the length of the stream"
        );
        assert_eq!(latest_of_many, 1.0);
    }
    stage.put_past(&past[3_000..]).await;

    let bytes: usize = past.iter().map(|commit| commit.events.len()).sum();
    let loaded = log.load(stream).await.unwrap();
    assert_eq!(loaded.len(), LONG);
    assert!(loaded == past, "all commits, in order");
    assert!(bytes + 400 * LONG > 1024 * 1024, "more than one page of a Query");

    let tail = walk(&loaded).unwrap();
    let last = next(stream, &tail, &author(), &[called()]);
    assert_eq!(log.append(std::slice::from_ref(&last), vec![]).await.unwrap(), Appended::Landed);
    assert_eq!(log.load_after(stream, LONG as u64 - 1).await.unwrap(), [past[LONG - 1].clone(), last]);
}

#[tokio::test]
async fn load_after_returns_the_commits_after_a_number() {
    let stage = Stage::new().await;
    let log = &stage.backend.log;
    let stream = fresh_stream();
    let first = next(stream, &Tail::EMPTY, &author(), &[joined(), called()]);
    let second = next(stream, &first.tail(), &author(), &[called()]);
    stage.put_past(&[first.clone(), second.clone()]).await;

    assert_eq!(log.load_after(stream, 0).await.unwrap(), [first, second.clone()]);
    assert_eq!(log.load_after(stream, 2).await.unwrap(), [second]);
    assert_eq!(log.load_after(stream, 3).await.unwrap(), []);
    assert!(log.load_after(stream, 1).await.is_err(), "event 1 does not end a commit");
    assert_eq!(log.load(fresh_stream()).await.unwrap(), []);
    assert_eq!(log.latest(fresh_stream()).await.unwrap(), None);
}

#[tokio::test]
async fn two_commits_with_the_same_number_conflict() {
    let stage = Stage::new().await;
    let log = &stage.backend.log;
    let stream = fresh_stream();
    let [first, rival] = [(); 2].map(|()| next(stream, &Tail::EMPTY, &author(), &[joined()]));
    assert_eq!(log.append(std::slice::from_ref(&first), vec![]).await.unwrap(), Appended::Landed);
    assert_eq!(log.append(std::slice::from_ref(&rival), vec![]).await.unwrap(), Appended::Conflict);
    assert_eq!(
        log.append(std::slice::from_ref(&first), vec![]).await.unwrap(),
        Appended::Landed,
        "appending the same commit again succeeds"
    );
    assert_eq!(stage.commits(stream).await, [first]);
}

#[tokio::test]
async fn appends_out_of_bounds_are_refused_before_the_call() {
    let stage = Stage::new().await;
    let first_in =
        |stream: StreamId, author: &Author, bytes| next(stream, &Tail::EMPTY, author, &[seated(bytes)]);
    let too_large = vec![first_in(fresh_stream(), &author(), 400 * 1024)];
    let too_many: Vec<Commit> = (0..101).map(|_| first_in(fresh_stream(), &author(), 10)).collect();

    for (commits, why) in
        [(too_large, "409600 are allowed"), (too_many, "1 to 100 can be appended"), (vec![], "0 commits")]
    {
        let Err(refused) = stage.backend.log.append(&commits, vec![]).await else { panic!("{why}") };
        assert!(matches!(refused, Failure::Broken { retry: false, .. }), "{refused:?}");
        assert!(refused.chain().contains(why), "{}", refused.chain());
        assert_eq!(stage.meter.take(), Used::default(), "nothing was sent");
    }
}

#[tokio::test]
async fn appends_at_the_bounds_are_accepted() {
    let stage = Stage::new().await;
    let log = &stage.backend.log;
    let large = |reason_bytes| next(fresh_stream(), &Tail::EMPTY, &author(), &[seated(reason_bytes)]);
    let sample = large(1);
    assert_eq!(log.append(std::slice::from_ref(&sample), vec![]).await.unwrap(), Appended::Landed);
    let fits = ITEM_BYTES_MAX - size(&stage.item(sample.stream, 1).await) + 1;
    let largest = large(fits);
    assert_eq!(log.append(std::slice::from_ref(&largest), vec![]).await.unwrap(), Appended::Landed);
    assert_eq!(size(&stage.item(largest.stream, 1).await), ITEM_BYTES_MAX);

    let _before = stage.meter.take();
    let refused = log.append(&[large(fits + 1)], vec![]).await.unwrap_err();
    assert!(refused.chain().contains("409601 bytes; 409600 are allowed"), "{}", refused.chain());
    assert_eq!(stage.meter.take(), Used::default(), "nothing was sent");

    let many: Vec<Commit> =
        (0..100).map(|_| next(fresh_stream(), &Tail::EMPTY, &author(), &[joined()])).collect();
    assert_eq!(log.append(&many, vec![]).await.unwrap(), Appended::Landed);
    for commit in many {
        assert_eq!(stage.commits(commit.stream).await, [commit]);
    }
}

/// Returns the read units of the events table that `reading` uses.
async fn reads(stage: &Stage, reading: impl Future<Output = ()>) -> f64 {
    let _before = stage.meter.take();
    reading.await;
    stage.meter.take().reads.get("events").copied().unwrap_or_default()
}

#[tokio::test]
async fn a_page_of_a_stream_is_read_in_one_call_and_says_whether_more_commits_follow() {
    let stage = Stage::new().await;
    let stream = fresh_stream();
    let commits = visit(stream, 5);
    stage.put_past(&commits).await;
    for (seq, limit, found, has_more) in [
        (0, 5, 0..5, false),
        (0, 6, 0..5, false),
        (0, 4, 0..4, true),
        (3, 1, 3..4, true),
        (4, 1, 4..5, false),
        (5, 1, 5..5, false),
    ] {
        let _before = stage.meter.take();
        let read = stage.backend.log.page_after(stream, seq, limit).await.unwrap();
        assert_eq!(read, CommitPage { commits: commits[found].to_vec(), has_more }, "{limit} after {seq}");
        assert_eq!(stage.meter.take().calls, 1);
    }
}
