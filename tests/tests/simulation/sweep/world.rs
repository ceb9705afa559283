//! A log, rows that are damaged, a sweep that goes on page by page, and the projector that works off its queue.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use aws_sdk_dynamodb::types::AttributeValue;
use local::workers::{Consumer, receive_once};
use projections::feed::Feed;
use proptest::sample::Index;
use schema::{Commit, StreamId, id::Category, table::EVENTS};
use serde_json::json;
use sweep::{Pace, Report, Sweep};
use uuid::Uuid;
use waitlist_tests::stage::Stage;

use crate::{
    history::{History, append},
    oracle::Tables,
    poison::{ring, with},
};

/// Further than any stream grows.
const AHEAD_BY: u64 = 1_000;
/// More pages than any sweep of these logs has.
const PAGES_MAX: usize = 100;

pub(super) struct World {
    pub(super) stage: Stage,
    pub(super) tables: Tables,
    feed: Feed,
    pub(super) streams: Vec<Stream>,
    /// The rows that were set ahead or added, by the stream that they name.
    planted: BTreeSet<StreamId>,
    /// The sweep that is under way.
    sweep: Option<Sweep>,
    /// The reports of sweeps, finished or not.
    reports: Vec<Report>,
}

/// A stream, of which some commits are appended.
pub(super) struct Stream {
    pub(super) commits: Vec<Commit>,
    appended: usize,
}

impl Stream {
    pub(super) fn id(&self) -> StreamId {
        self.commits[0].stream
    }
}

impl World {
    pub(super) async fn new(histories: &[History]) -> Self {
        let stage = Stage::new().await.with_set_age(Duration::ZERO);
        let (tables, feed) = (Tables::of(&stage), Feed::new(stage.backend.clone()));
        let streams: Vec<Stream> = histories
            .iter()
            .map(|history| Stream { commits: history.commits(&stage.backend), appended: 0 })
            .collect();
        Self { stage, tables, feed, streams, planted: BTreeSet::new(), sweep: None, reports: Vec::new() }
    }

    pub(super) fn pass(&self, ms: i64) {
        self.stage.backend.clock.advance_millis(ms);
    }

    /// Appends the next commit of a stream.
    pub(super) async fn append(&mut self, index: &Index, is_seen: bool) {
        let place = index.index(self.streams.len());
        self.append_to(place, is_seen).await;
    }

    pub(super) async fn append_all(&mut self, is_seen: bool) {
        for place in 0..self.streams.len() {
            while self.append_to(place, is_seen).await {}
        }
    }

    async fn append_to(&mut self, place: usize, is_seen: bool) -> bool {
        let Stream { commits, appended } = &mut self.streams[place];
        let Some(commit) = commits.get(*appended) else { return false };
        append(&self.stage.backend, commit).await;
        *appended += 1;
        if is_seen {
            ring(&self.feed, &[commit]).await;
        }
        true
    }

    /// A stream with a row that was not set ahead.
    async fn with_row(&self, index: &Index) -> Option<(&Stream, serde_json::Value)> {
        let stream = &self.streams[index.index(self.streams.len())];
        if self.planted.contains(&stream.id()) {
            return None;
        }
        Some((stream, self.tables.row(stream.id()).await?))
    }

    pub(super) async fn remove(&self, index: &Index) {
        if let Some((stream, _)) = self.with_row(index).await {
            self.tables.remove_row(stream.id()).await;
        }
    }

    pub(super) async fn set_back(&self, index: &Index) {
        if let Some((stream, _)) = self.with_row(index).await {
            self.tables.remove_row(stream.id()).await;
            ring(&self.feed, &[&stream.commits[0]]).await;
        }
    }

    pub(super) async fn set_ahead(&mut self, index: &Index) {
        if let Some((stream, row)) = self.with_row(index).await {
            let (stream, seq) = (stream.id(), row["seq"].as_u64().unwrap());
            self.tables.put_row(stream, &with(&row, &[("seq", json!(seq + AHEAD_BY))])).await;
            self.planted.insert(stream);
        }
    }

    pub(super) async fn add_extra(&mut self, index: &Index) {
        if let Some((stream, row)) = self.with_row(index).await {
            let id = self.stage.backend.clock.id(self.stage.backend.clock.now());
            let extra = StreamId { id, ..stream.id() };
            self.tables.put_row(extra, &with(&row, &[("id", json!(id))])).await;
            self.planted.insert(extra);
        }
    }

    /// Removes a commit from the log.
    pub(super) async fn delete(&self, commit: &Commit) {
        let delete = self.stage.dynamodb.delete_item().table_name(EVENTS.name(&self.stage.prefix));
        let delete = delete.key("stream", AttributeValue::S(commit.stream.to_string()));
        delete.key("seq", AttributeValue::N(commit.seq.to_string())).send().await.unwrap();
    }

    /// Lets the sweep go on for a page. Its progress is stored as a message is.
    pub(super) async fn page(&mut self) {
        let mut sweep = match self.sweep.take() {
            Some(sweep) => sweep,
            None => Sweep::begin(&self.stage.backend).await.unwrap(),
        };
        sweep.run(&self.stage.backend, &Pace::one_page(), |_| ()).await.unwrap();
        self.reports.push(sweep.report.clone());
        let stored = serde_json::to_string(&sweep).unwrap();
        self.sweep = Some(serde_json::from_str(&stored).unwrap()).filter(|sweep: &Sweep| !sweep.is_done());
    }

    /// Lets the sweep go on for a page, and loses its progress.
    pub(super) async fn crash(&mut self) {
        let before = self.sweep.clone();
        self.page().await;
        self.sweep = before;
    }

    /// Finishes the sweep that is under way.
    pub(super) async fn finish(&mut self) {
        for _ in 0..PAGES_MAX {
            if self.sweep.is_none() {
                return;
            }
            self.page().await;
        }
        panic!("the sweep does not end");
    }

    /// A sweep from its beginning to its end.
    pub(super) async fn whole(&self) -> Report {
        let mut sweep = Sweep::begin(&self.stage.backend).await.unwrap();
        sweep.run(&self.stage.backend, &Pace::new(None, None), |_| ()).await.unwrap();
        assert!(sweep.is_done());
        sweep.report
    }

    /// Lets the projector work off its queue.
    pub(super) async fn work_off(&self) {
        let projector = Consumer::Projector(self.feed.clone());
        while receive_once(&self.stage.backend.retries, &projector).await > 0 {}
        assert_eq!(self.stage.backend.retries.waiting(10).await.unwrap(), 0, "all could be applied");
    }

    pub(super) fn streams_of(&self, category: Category) -> Vec<StreamId> {
        self.streams.iter().map(Stream::id).filter(|stream| stream.category == category).collect()
    }

    pub(super) fn names_at_most_what_was_planted(&self) {
        for report in &self.reports {
            let others: Vec<_> =
                report.named.iter().filter(|row| !self.planted.contains(&row.stream)).collect();
            assert!(others.is_empty(), "{others:?}");
        }
    }

    pub(super) fn names_exactly_what_was_planted(&self, report: &Report) {
        let named: BTreeSet<StreamId> = report.named.iter().map(|row| row.stream).collect();
        assert_eq!((&named, report.ahead + report.extra), (&self.planted, self.planted.len() as u64));
    }

    /// Checks the rows of all streams but those that were set ahead.
    pub(super) async fn rows_equal_the_log(&self) {
        let appended: BTreeMap<Uuid, StreamId> = self
            .streams
            .iter()
            .filter(|stream| stream.appended > 0 && !self.planted.contains(&stream.id()))
            .map(|stream| (stream.id().id, stream.id()))
            .collect();
        for stream in appended.into_values() {
            assert_eq!(self.tables.row(stream).await, self.tables.expected(stream).await, "{stream}");
        }
    }
}
