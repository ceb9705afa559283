//! A scenario over several runs of the server.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    path::Path,
};

use aws_sdk_dynamodb::types::AttributeValue;
use projections::feed::Parked;
use schema::{
    Actor, Commit, StreamId,
    commit::{Bytes, Tag},
    id::Category,
    table::{EVENTS, QUEUE},
};
use serde_json::{Value, json};
use tempfile::TempDir;
use uuid::Uuid;
use waitlist_tests::{
    process::{Server, engine},
    stage::{Answer, EVENING},
};

use super::OWNER;
use crate::{
    oracle::{Item, PATIENCE, POLL, Tables, text},
    records,
};

/// Events of newer code, which cannot be projected.
const UNREADABLE: &str = r#"[{"type":"waitee.teleported","v":1,"data":{}}]"#;

/// The running server and the expected content of its log.
pub(super) struct Scenario {
    directory: TempDir,
    point: &'static str,
    /// At which passing of the point this run and the following ones abort. The last run does not abort.
    pub(super) aborts: VecDeque<u32>,
    pub(super) server: Server,
    pub(super) tables: Tables,
    /// The types of the acknowledged events by stream, which must be in the log exactly once.
    pub(super) acknowledged: BTreeMap<StreamId, Vec<&'static str>>,
    /// Streams for which an unreadable commit was sent. The server may have aborted before storing it.
    planted: BTreeSet<StreamId>,
}

impl Scenario {
    pub(super) async fn begin(point: &'static str, aborts: &[u32]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let (server, tables) = start(directory.path(), point, aborts.first()).await;
        let aborts = aborts.iter().copied().collect();
        let mut scenario = Self {
            directory,
            point,
            aborts,
            server,
            tables,
            acknowledged: BTreeMap::new(),
            planted: BTreeSet::new(),
        };
        scenario.plant().await;
        scenario
    }

    /// Sends a request with an idempotency key, and again after each abort, because a request without an
    /// answer may have been executed.
    pub(super) async fn send(&mut self, method: &str, path: &str, body: Option<Value>) -> Answer {
        // No request is made twice, so its content serves as the key.
        let content = body.as_ref().map_or_else(String::new, ToString::to_string);
        let key = format!("{:?}", Tag::of(&[method.as_bytes(), path.as_bytes(), content.as_bytes()]));
        loop {
            let token = self.server.token(OWNER);
            match self
                .server
                .send(Some(&token), method, path, body.as_ref(), &[("Idempotency-Key", &key)])
                .await
            {
                Ok(answer) => {
                    assert!(
                        (200..300).contains(&answer.status),
                        "{method} {path}: {answer:?}\n{}",
                        self.server.logs()
                    );
                    return answer;
                }
                // The loop ends, because the number of aborts is bounded.
                Err(_) if !self.aborts.is_empty() => self.restart().await,
                Err(cause) => panic!("{method} {path}: {cause}\n{}", self.server.logs()),
            }
        }
    }

    /// Waits for the abort of the server and starts the next one on its data.
    pub(super) async fn restart(&mut self) {
        self.aborts.pop_front();
        self.server.ended().await;
        (self.server, self.tables) = start(self.directory.path(), self.point, self.aborts.front()).await;
        self.plant().await;
    }

    /// Puts as many unreadable commits into the log as this run parks before its abort.
    async fn plant(&mut self) {
        let parks =
            if self.point.starts_with("feed.park") { self.aborts.front().copied().unwrap_or(0) } else { 0 };
        for _ in 0..parks {
            let stream = StreamId {
                category: Category::Waitee,
                id: Uuid::from_u128(1_000 + self.planted.len() as u128),
            };
            self.planted.insert(stream);
            let put = self.tables.dynamodb.put_item().table_name(EVENTS.name(&self.tables.prefix));
            let _aborted_before_the_answer =
                put.set_item(Some(records::item(&unreadable(stream)))).send().await;
        }
    }

    /// Joins, calls, changes and seats a party.
    pub(super) async fn party(&mut self, list: &str, number: u32) {
        let joining = json!({ "name": format!("Party {number}"), "party_size": 2 });
        let id = self.send("POST", &format!("/v1/waitlists/{list}/waitees"), Some(joining)).await.id();
        self.send("POST", &format!("/v1/waitees/{id}/call"), None).await;
        self.send("PATCH", &format!("/v1/waitees/{id}"), Some(json!({ "party_size": 3 }))).await;
        self.send("POST", &format!("/v1/waitees/{id}/seat"), None).await;
        let types = vec!["waitee.joined", "waitee.called", "waitee.details-changed", "waitee.seated"];
        self.acknowledged.insert(format!("waitee-{id}").parse().unwrap(), types);
    }

    /// Checks that the log holds the acknowledged events once, that the rows show them, and that unreadable
    /// commits are parked.
    pub(super) async fn check(&self) {
        let mut poisoned = BTreeSet::new();
        for name in self.tables.streams().await {
            let stream: StreamId = name.parse().unwrap();
            let commits = self.tables.commits(&name).await;
            match self.acknowledged.get(&stream) {
                Some(types) => {
                    // Delivery of the message to the guest is not tested here.
                    let mut found: Vec<String> = commits.iter().flat_map(types_of).collect();
                    found.retain(|kind| !kind.starts_with("waitee.notification-"));
                    assert_eq!(&found, types, "{stream}");
                }
                None => assert!(
                    self.planted.contains(&stream) && poisoned.insert(stream),
                    "{stream} was not requested"
                ),
            }
        }
        let streams: Vec<StreamId> = self.acknowledged.keys().copied().collect();
        for stream in &streams {
            assert!(
                self.tables.expected(*stream).await.is_some(),
                "{stream} was acknowledged but is not in the log"
            );
        }
        self.tables.settle(&streams).await;
        let parked = async {
            while self.parked().await != poisoned {
                tokio::time::sleep(POLL).await;
            }
        };
        tokio::time::timeout(PATIENCE, parked)
            .await
            .expect("unreadable commits should have been parked by now");
    }

    /// Returns the streams of all parked doorbells, including those being tried.
    async fn parked(&self) -> BTreeSet<StreamId> {
        let query =
            self.tables.dynamodb.query().table_name(QUEUE.name(&self.tables.prefix)).consistent_read(true);
        let query =
            query.key_condition_expression("#queue = :queue").expression_attribute_names("#queue", "queue");
        let page = query
            .expression_attribute_values(":queue", AttributeValue::S("retries".into()))
            .send()
            .await
            .unwrap();
        page.items()
            .iter()
            .map(|item| serde_json::from_str::<Parked>(&text(item, "body")).unwrap().stream)
            .collect()
    }
}

/// Starts a server that aborts at the `nth` passing of the point, or not at all. Returns it with its tables.
async fn start(directory: &Path, point: &str, nth: Option<&u32>) -> (Server, Tables) {
    let abort_at = nth.map(|nth| format!("{point}:{nth}"));
    let env: Vec<(&str, &str)> =
        abort_at.iter().map(|abort_at| ("WAITLIST_ABORT_AT", abort_at.as_str())).collect();
    let server = Server::start(directory, &env).await;
    (
        server,
        Tables {
            dynamodb: aws_sdk_dynamodb::Client::new(&engine(directory).await),
            prefix: "waitlist".into(),
        },
    )
}

fn unreadable(stream: StreamId) -> Commit {
    let mut commit = Commit {
        stream,
        seq: 1,
        last: 1,
        commit: stream.id,
        at: EVENING.parse().unwrap(),
        actor: Actor::User(OWNER),
        tenant: OWNER,
        command: None,
        request: None,
        correlation: "simulation".into(),
        causation: None,
        events: UNREADABLE.into(),
        prev: Bytes([0; 32]),
        hash: Bytes([0; 32]),
    };
    commit.hash = commit.compute_hash();
    commit
}

fn types_of(commit: &Item) -> Vec<String> {
    let events: Vec<Value> = serde_json::from_str(&text(commit, "events")).unwrap();
    events.iter().map(|event| event["type"].as_str().unwrap().to_owned()).collect()
}
