//! Doorbells that cannot be applied are parked, do not block other streams, and are not lost.

mod late;
mod trouble;

use aws_lambda_events::sqs::{SqsEvent, SqsMessage};
use infra::{Backend, tables};
use projections::feed::{CONSUMER, Feed, Parked};
use schema::{
    Commit,
    table::{EVENTS, QUEUE},
};
use serde_json::{Value, json};
use waitlist_tests::stage::Stage;

use crate::{
    history::{append, visit},
    oracle::Tables,
    records::{self, Image},
};

/// Events that this code cannot read, each with a part of its error.
const UNREADABLE: [(&str, &str); 4] = [
    (r#"[{"type":"waitee.teleported","v":1,"data":{}}]"#, "waitee.teleported v1"),
    (r#"[{"type":"waitee.seated","v":2,"data":{"table":7}}]"#, "waitee.seated v2"),
    (r#"[{"type":"waitee.sea"#, "no list of events"),
    (r#"[{"type":"waitee.called","v":1,"data":{"hold_until":"soon"}}]"#, "no list of events"),
];

/// Builds a commit after the last of `commits`, with a valid hash and any text as its events.
pub(crate) fn unreadable(commits: &[Commit], events: &str) -> Commit {
    let before = commits.last().unwrap();
    let mut commit = Commit {
        seq: before.last + 1,
        last: before.last + 1,
        at: before.at.plus_millis(1),
        prev: before.hash,
        events: events.to_owned(),
        ..before.clone()
    };
    commit.hash = commit.compute_hash();
    commit
}

/// Puts a commit into the table directly: the log refuses a text that is not a list of events.
pub(crate) async fn plant(tables: &Tables, commit: &Commit) {
    let put = tables.dynamodb.put_item().table_name(EVENTS.name(&tables.prefix));
    put.set_item(Some(records::item(commit))).send().await.unwrap();
}

/// Appends a visit of this many commits.
async fn grown(backend: &Backend, commits: usize) -> Vec<Commit> {
    let commits = visit(commits).commits(backend);
    for commit in &commits {
        append(backend, commit).await;
    }
    commits
}

/// Builds the records of these commits, numbered from `first`.
fn records_of(first: usize, commits: &[&Commit]) -> Vec<aws_lambda_events::dynamodb::EventRecord> {
    commits
        .iter()
        .enumerate()
        .map(|(place, commit)| records::insert(first + place, commit, Image::Whole, commit))
        .collect()
}

/// Delivers the records of these commits, of which none may fail.
pub(crate) async fn ring(feed: &Feed, commits: &[&Commit]) {
    let response = feed.records(records::batch(records_of(1, commits))).await;
    assert_eq!(records::failed(&response), Vec::<String>::new());
}

/// Returns the parked doorbells and deletes them.
pub(crate) async fn parked(backend: &Backend) -> Vec<Parked> {
    let mut parked: Vec<Parked> = Vec::new();
    loop {
        let messages = backend.retries.receive(10).await.unwrap();
        if messages.is_empty() {
            parked.sort_by_key(|parked| parked.stream);
            return parked;
        }
        for message in messages {
            backend.retries.delete(&message.receipt).await.unwrap();
            parked.push(serde_json::from_str(&message.body).unwrap());
        }
    }
}

/// Delivers parked doorbells again. Returns how many of them fail.
pub(crate) async fn retry_failures(feed: &Feed, parked: &[Parked]) -> usize {
    let message = |parked: &Parked| {
        let mut message = SqsMessage::default();
        message.message_id = Some(parked.stream.to_string());
        message.body = Some(serde_json::to_string(parked).unwrap());
        message
    };
    let mut event = SqsEvent::default();
    event.records = parked.iter().map(message).collect();
    feed.parked(event).await.batch_item_failures.len()
}

/// The pause before a row that newer code wrote is looked at again.
const PAUSE_MS: i64 = 30_000;

/// A version of rows that this code does not know yet.
pub(crate) const NEWER: u32 = 99;

#[tokio::test]
async fn an_unreadable_commit_is_parked_and_does_not_block_other_streams() {
    let stage = Stage::new().await;
    let (tables, feed) = (Tables::of(&stage), Feed::new(stage.backend.clone()));
    let mut all = Vec::new();
    let mut expected = Vec::new();
    for (events, cause) in UNREADABLE {
        let mut commits = grown(&stage.backend, 2).await;
        ring(&feed, &[&commits[1]]).await;
        let bad = unreadable(&commits, events);
        plant(&tables, &bad).await;
        expected.push((bad.stream, bad.last, cause, tables.row(bad.stream).await));
        commits = grown(&stage.backend, 3).await;
        all.push(bad);
        all.extend(commits);
    }
    ring(&feed, &all.iter().collect::<Vec<_>>()).await;

    expected.sort_by_key(|(stream, ..)| *stream);
    let parked = parked(&stage.backend).await;
    assert_eq!(parked.len(), expected.len(), "{parked:?}");
    for (parked, (stream, seq, cause, row)) in parked.iter().zip(expected) {
        assert_eq!((parked.consumer.as_str(), parked.stream, parked.seq), (CONSUMER, stream, seq));
        assert!(parked.cause.contains(cause), "{parked:?}");
        assert_eq!(tables.row(stream).await, row, "the row is unchanged");
    }
    for good in all.iter().filter(|commit| !parked.iter().any(|parked| parked.stream == commit.stream)) {
        assert_eq!(tables.row(good.stream).await, tables.expected(good.stream).await);
    }
}

#[tokio::test]
async fn a_stream_of_an_unknown_category_is_skipped() {
    let stage = Stage::new().await;
    let (tables, feed) = (Tables::of(&stage), Feed::new(stage.backend.clone()));
    let good = grown(&stage.backend, 1).await;
    let newer =
        records::record(1, "INSERT", &format!("table-{}", good[0].stream.id), 1, records::item(&good[0]));
    let mut batch = vec![newer];
    batch.extend(records_of(2, &[&good[0]]));
    assert_eq!(records::failed(&feed.records(records::batch(batch)).await), Vec::<String>::new());
    assert_eq!(tables.row(good[0].stream).await, tables.expected(good[0].stream).await);
    assert_eq!(parked(&stage.backend).await, [], "a stream without a projection is not parked");
}

#[tokio::test]
async fn a_row_of_a_newer_version_is_not_overwritten_and_its_doorbell_waits() {
    let stage = Stage::new().await;
    let (tables, feed) = (Tables::of(&stage), Feed::new(stage.backend.clone()));
    let commits = grown(&stage.backend, 3).await;
    let stream = commits[0].stream;
    ring(&feed, &[&commits[0]]).await;
    let old = tables.row(stream).await.unwrap();

    let same_shape = with(&old, &[("v", json!(NEWER))]);
    let other_shape = json!({ "id": stream.id, "seq": 1, "v": NEWER, "shape": "unknown to this code" });
    for newer in [same_shape, other_shape] {
        tables.put_row(stream, &newer).await;
        ring(&feed, &[&commits[1], &commits[2]]).await;
        assert_eq!(parked(&stage.backend).await, [], "it waits for newer code");
        stage.backend.clock.advance_millis(PAUSE_MS);
        let waiting = parked(&stage.backend).await;
        assert_eq!((waiting.len(), waiting[0].stream, waiting[0].seq), (1, stream, commits[2].last));
        assert_eq!(tables.row(stream).await, Some(newer));
        assert_eq!(retry_failures(&feed, &waiting).await, 0, "it waits on, as a fresh message");
        stage.backend.clock.advance_millis(PAUSE_MS);
        assert_eq!(parked(&stage.backend).await, waiting);

        tables.put_row(stream, &old).await;
        assert_eq!(retry_failures(&feed, &waiting).await, 0);
        assert_eq!(tables.row(stream).await, tables.expected(stream).await);
    }
}

#[tokio::test]
async fn a_row_of_an_older_version_is_folded_again_from_the_log() {
    let stage = Stage::new().await;
    let (tables, feed) = (Tables::of(&stage), Feed::new(stage.backend.clone()));
    let commits = grown(&stage.backend, 3).await;
    let stream = commits[0].stream;
    ring(&feed, &[&commits[1]]).await;
    let right = tables.row(stream).await.unwrap();

    // A doorbell replaces a row of an older version even if its `seq` is the last of the stream.
    let wrong = with(
        &right,
        &[("v", json!(0)), ("state", json!("seated")), ("calls", json!(7)), ("seq", json!(commits[2].last))],
    );
    let other_shape = json!({ "id": stream.id, "seq": 1, "v": 0, "shape": "of older code" });
    for older in [wrong, other_shape] {
        tables.put_row(stream, &older).await;
        ring(&feed, &[&commits[2]]).await;
        assert_eq!(tables.row(stream).await, tables.expected(stream).await);
    }
    assert_eq!(parked(&stage.backend).await, []);
}

#[tokio::test]
async fn a_doorbell_that_can_be_neither_applied_nor_parked_fails_the_batch_from_its_streams_first_record_on()
{
    let stage = Stage::new().await;
    let (tables, feed) = (Tables::of(&stage), Feed::new(stage.backend.clone()));
    let (before, bad, behind) =
        (grown(&stage.backend, 2).await, grown(&stage.backend, 2).await, grown(&stage.backend, 2).await);
    let poison = unreadable(&bad, UNREADABLE[0].0);
    plant(&tables, &poison).await;
    stage.dynamodb.delete_table().table_name(QUEUE.name(&stage.prefix)).send().await.unwrap();

    let batch = records_of(1, &[&before[0], &bad[0], &bad[1], &behind[0], &poison, &behind[1], &before[1]]);
    let response = feed.records(records::batch(batch.clone())).await;
    assert_eq!(records::failed(&response), [records::sequence(2)]);
    for good in [&before, &behind] {
        assert_eq!(tables.row(good[0].stream).await, tables.expected(good[0].stream).await);
    }

    tables::create(&stage.dynamodb, &stage.prefix, &[QUEUE]).await.unwrap();
    let response = feed.records(records::batch(batch[1..].to_vec())).await;
    assert_eq!(records::failed(&response), Vec::<String>::new());
    let parked = parked(&stage.backend).await;
    assert_eq!((parked.len(), parked[0].stream, parked[0].seq), (1, poison.stream, poison.last));
}

#[tokio::test]
async fn a_doorbell_for_an_event_that_is_not_in_the_log_yet_is_parked() {
    let stage = Stage::new().await;
    let (tables, feed) = (Tables::of(&stage), Feed::new(stage.backend.clone()));
    let commits = visit(3).commits(&stage.backend);
    append(&stage.backend, &commits[0]).await;
    let stream = commits[0].stream;
    feed.records(records::batch(vec![records::insert(1, &commits[2], Image::Missing, &commits[2])])).await;
    let parked = parked(&stage.backend).await;
    assert_eq!((parked.len(), parked[0].seq), (1, commits[2].seq));

    for commit in &commits[1..] {
        append(&stage.backend, commit).await;
    }
    assert_eq!(retry_failures(&feed, &parked).await, 0);
    assert_eq!(tables.row(stream).await, tables.expected(stream).await);
}

/// Returns a row with some attributes changed.
pub(crate) fn with(row: &Value, changed: &[(&str, Value)]) -> Value {
    let mut row = row.clone();
    for (name, value) in changed {
        row[*name] = value.clone();
    }
    row
}
