//! A log with streams of all categories, a feed, and a worker whose steps a test takes one by one.

use std::{collections::BTreeSet, sync::Mutex, time::Duration};

use aws_lambda_events::sqs::{SqsEvent, SqsMessage};
use infra::{Failure, queue::Message};
use projections::{
    feed::Feed,
    rebuild::{Command, Worker, operate},
};
use schema::{
    StreamId,
    id::Category,
    projection::{Name, Promote, Stage, State},
};
use serde_json::Value;
use uuid::Uuid;
use waitlist_tests::{
    generations::{request, try_change},
    past,
    stage::Stage as Backstage,
};

use crate::{
    history::{self, History, append},
    oracle::{Item, Tables},
    poison::ring,
};

/// More steps than any case needs.
const STEPS_MAX: usize = 2_000;
/// More moves of the clock than any message is delayed by.
const PASSES_MAX: usize = 400;
const PASS_MS: i64 = 2_000;

pub(super) struct World {
    pub(super) stage: Backstage,
    tables: Tables,
    feed: Feed,
    worker: Worker,
    streams: Mutex<BTreeSet<StreamId>>,
    /// The last event of each projection that the feed was told of.
    told: Mutex<Vec<(Name, u64)>>,
}

/// The table of one generation, read and written directly.
pub(super) struct Table<'w> {
    dynamodb: &'w aws_sdk_dynamodb::Client,
    name: String,
}

impl World {
    /// A log of generated streams, with their rows.
    pub(super) async fn new(streams: usize) -> Self {
        let world = Self::over(Backstage::new().await.with_set_age(Duration::ZERO));
        for history in history::some(streams) {
            world.append(&history, true).await;
        }
        world
    }

    /// An empty log on a stage that reads the set of generations each time.
    pub(super) fn over(stage: Backstage) -> Self {
        let (feed, worker) = (Feed::new(stage.backend.clone()), Worker::new(stage.backend.clone(), 1));
        let tables = Tables::of(&stage);
        Self { stage, tables, feed, worker, streams: Mutex::default(), told: Mutex::default() }
    }

    /// The same world with another worker.
    pub(super) fn worked_by(self, worker: Worker) -> Self {
        Self { worker, ..self }
    }

    /// The same world with another feed.
    pub(super) fn fed_by(self, feed: Feed) -> Self {
        Self { feed, ..self }
    }

    pub(super) fn feed(&self) -> &Feed {
        &self.feed
    }

    /// Adds a stream that a handler made. The feed is not told.
    pub(super) fn knows(&self, stream: StreamId) {
        self.streams.lock().unwrap().insert(stream);
    }

    /// Appends a stream of events, and lets the feed see its records or not.
    pub(super) async fn append(&self, history: &History, is_seen: bool) {
        let commits = history.commits(&self.stage.backend);
        for commit in &commits {
            append(&self.stage.backend, commit).await;
        }
        if is_seen {
            ring(&self.feed, &commits.iter().collect::<Vec<_>>()).await;
        }
        self.streams.lock().unwrap().extend(commits.iter().map(|commit| commit.stream));
    }

    /// Appends a visit whose records the feed does not see.
    pub(super) async fn append_visit_unseen(&self) -> StreamId {
        let stream = past::fresh_stream();
        self.stage.put_past(&past::visit(stream, 1)).await;
        self.knows(stream);
        stream
    }

    pub(super) fn streams_of(&self, category: Category) -> Vec<StreamId> {
        self.streams.lock().unwrap().iter().filter(|stream| stream.category == category).copied().collect()
    }

    pub(super) fn pass_minutes(&self, minutes: i64) {
        self.stage.backend.clock.advance_millis(minutes * 60_000);
    }

    pub(super) async fn state(&self, name: Name) -> State {
        operate::read(&self.stage.backend, name).await.unwrap().state
    }

    pub(super) async fn request(&self, name: Name, promote: Promote) -> Uuid {
        self.try_request(name, promote).await.unwrap()
    }

    pub(super) async fn try_request(&self, name: Name, promote: Promote) -> Result<Uuid, Failure> {
        let clock = &self.stage.backend.clock;
        let id = clock.id(clock.now());
        self.try_execute(name, request(id, promote)).await.map(|()| id)
    }

    pub(super) async fn execute(&self, name: Name, command: Command) {
        self.try_execute(name, command).await.unwrap();
    }

    pub(super) async fn try_execute(&self, name: Name, command: Command) -> Result<(), Failure> {
        try_change(&self.stage.backend, name, &command).await?;
        self.tell().await;
        Ok(())
    }

    /// Handles up to this many messages.
    pub(super) async fn step(&self, steps: usize) {
        for _ in 0..steps {
            let Some(message) = self.stage.backend.rebuilds.receive(1).await.unwrap().pop() else { return };
            self.handle(&message).await;
            self.stage.backend.rebuilds.delete(&message.receipt).await.unwrap();
        }
    }

    /// Handles the next message without deleting it, so that it comes again.
    pub(super) async fn repeat_next(&self) {
        if let Some(message) = self.stage.backend.rebuilds.receive(1).await.unwrap().pop() {
            self.handle(&message).await;
        }
    }

    /// Handles the next message, which fails and comes again later.
    pub(super) async fn fail_next(&self) {
        let message = self.stage.backend.rebuilds.receive(1).await.unwrap().remove(0);
        assert!(!self.try_handle(&message).await, "{}", message.body);
    }

    async fn handle(&self, message: &Message) {
        assert!(self.try_handle(message).await, "{}", message.body);
        self.tell().await;
    }

    /// Returns whether the worker could handle the message.
    async fn try_handle(&self, message: &Message) -> bool {
        let mut record = SqsMessage::default();
        (record.message_id, record.body) = (Some(message.id.clone()), Some(message.body.clone()));
        let mut event = SqsEvent::default();
        event.records = vec![record];
        self.worker.messages(event).await.batch_item_failures.is_empty()
    }

    /// Gives the feed the records of new events of projections.
    async fn tell(&self) {
        for name in Name::ALL {
            let latest = self.stage.backend.log.latest(name.stream()).await.unwrap();
            let Some(last) = latest.map(|latest| latest.last) else { continue };
            let told = (name, last);
            if self.told.lock().unwrap().contains(&told) {
                continue;
            }
            self.told.lock().unwrap().push(told);
            self.ring(name.stream()).await;
        }
    }

    /// Gives the feed the last record of a stream.
    pub(super) async fn ring(&self, stream: StreamId) {
        let latest = self.stage.backend.log.latest(stream).await.unwrap().unwrap();
        ring(&self.feed, &[&latest]).await;
    }

    /// Gives the feed the last record of every stream again.
    pub(super) async fn ring_all(&self) {
        let streams: Vec<StreamId> = self.streams.lock().unwrap().iter().copied().collect();
        for stream in streams {
            self.ring(stream).await;
        }
    }

    /// Takes steps, and lets time pass when none is due, until the last rebuild is at this stage.
    pub(super) async fn run_until(&self, name: Name, stage: Stage) {
        let is_reached =
            async || self.state(name).await.rebuilds.last().map(|last| last.stage) == Some(stage);
        self.run(is_reached).await;
        let last = self.state(name).await.rebuilds.pop();
        assert_eq!(last.as_ref().map(|last| last.stage), Some(stage), "{last:?}");
    }

    pub(super) async fn run_until_dropped(&self, name: Name) {
        self.run(async || self.state(name).await.retired.is_empty()).await;
    }

    /// Takes steps until none is left.
    pub(super) async fn run_dry(&self) {
        self.run(async || false).await;
    }

    async fn run(&self, is_enough: impl AsyncFn() -> bool) {
        let mut passes = 0;
        for _ in 0..STEPS_MAX {
            if is_enough().await {
                return;
            }
            let rebuilds = &self.stage.backend.rebuilds;
            match rebuilds.receive(1).await.unwrap().pop() {
                Some(message) => {
                    self.handle(&message).await;
                    rebuilds.delete(&message.receipt).await.unwrap();
                }
                None if rebuilds.waiting(1).await.unwrap() == 0 => return,
                None => {
                    passes += 1;
                    assert!(passes < PASSES_MAX, "a message stays delayed");
                    self.stage.backend.clock.advance_millis(PASS_MS);
                }
            }
        }
        panic!("the rebuild takes more than {STEPS_MAX} steps");
    }

    pub(super) fn table(&self, name: Name, generation: u64) -> Table<'_> {
        Table { dynamodb: &self.stage.dynamodb, name: name.table_name(&self.stage.prefix, generation) }
    }

    /// Checks one row of a generation.
    pub(super) async fn row_equals_the_log(&self, stream: StreamId, generation: u64) {
        let name = Name::folding(stream.category).unwrap();
        let row = self.table(name, generation).row(stream).await;
        assert_eq!(row, self.tables.expected(stream).await, "generation {generation}: {stream}");
    }

    /// Checks that a generation has exactly the rows that the log folds to.
    pub(super) async fn equals_the_log(&self, name: Name, generation: u64) {
        let table = self.table(name, generation);
        let mut found = table.ids().await;
        for stream in self.streams_of(name.category()) {
            self.row_equals_the_log(stream, generation).await;
            found.remove(&stream.id.to_string());
        }
        assert!(found.is_empty(), "generation {generation} has rows without streams: {found:?}");
    }
}

impl Table<'_> {
    pub(super) async fn row(&self, stream: StreamId) -> Option<Value> {
        let get = self.dynamodb.get_item().table_name(&self.name).consistent_read(true);
        let item = get.key("id", id(stream)).send().await.unwrap().item;
        item.map(|item| serde_dynamo::from_item(item).unwrap())
    }

    pub(super) async fn put(&self, row: &Value) {
        let item: Item = serde_dynamo::to_item(row).unwrap();
        self.dynamodb.put_item().table_name(&self.name).set_item(Some(item)).send().await.unwrap();
    }

    pub(super) async fn remove(&self, stream: StreamId) {
        let delete = self.dynamodb.delete_item().table_name(&self.name);
        delete.key("id", id(stream)).send().await.unwrap();
    }

    pub(super) async fn is_gone(&self) -> bool {
        let described = self.dynamodb.describe_table().table_name(&self.name).send().await;
        described.is_err_and(|error| error.into_service_error().is_resource_not_found_exception())
    }

    async fn ids(&self) -> BTreeSet<String> {
        let scan = self.dynamodb.scan().table_name(&self.name).consistent_read(true).limit(500);
        let items: Vec<Item> = scan.into_paginator().items().send().collect::<Result<_, _>>().await.unwrap();
        items.iter().map(|item| crate::oracle::text(item, "id")).collect()
    }
}

fn id(stream: StreamId) -> aws_sdk_dynamodb::types::AttributeValue {
    aws_sdk_dynamodb::types::AttributeValue::S(stream.id.to_string())
}
