//! Aborts the server at each named point and restarts it on the same data: acknowledged commands are in the
//! log exactly once, and rows catch up.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    env,
    path::Path,
};

use aws_sdk_dynamodb::types::AttributeValue;
use projections::feed::Parked;
use schema::{
    Actor, Commit, StreamId, UserId,
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

use crate::{
    oracle::{Item, PATIENCE, POLL, Tables, text},
    records,
};

const OWNER: UserId = UserId(Uuid::from_u128(7));

// The number of parties: at least the minimum, then more until the last abort, up to the maximum.
const PARTIES_MIN: u32 = 3;
const PARTIES_MAX: u32 = 60;

/// Events of newer code, which cannot be projected.
const UNREADABLE: &str = r#"[{"type":"waitee.teleported","v":1,"data":{}}]"#;

/// A scenario over several runs of the server.
struct Scenario {
    directory: TempDir,
    point: &'static str,
    /// At which passing of the point this run and the following ones abort. The last run does not abort.
    aborts: VecDeque<u32>,
    server: Server,
    tables: Tables,
    /// The types of the acknowledged events by stream, which must be in the log exactly once.
    acknowledged: BTreeMap<StreamId, Vec<&'static str>>,
    /// Streams for which an unreadable commit was sent. The server may have aborted before storing it.
    planted: BTreeSet<StreamId>,
}

impl Scenario {
    async fn begin(point: &'static str, aborts: &[u32]) -> Self {
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
    async fn send(&mut self, method: &str, path: &str, body: Option<Value>) -> Answer {
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
    async fn restart(&mut self) {
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
    async fn party(&mut self, list: &str, number: u32) {
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
    async fn check(&self) {
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

/// Whether the engine runs apart from the server, so that these tests are skipped.
fn engine_is_separate() -> bool {
    let is_separate = env::var_os("AWS_ENDPOINT_URL_DYNAMODB").is_some();
    if is_separate {
        println!("SKIPPED crash: only the embedded engine aborts with the server");
    }
    is_separate
}

/// Runs a scenario in which the server aborts at these passings of the point, one run after the other.
async fn scenario(point: &'static str, aborts: &[u32]) {
    if engine_is_separate() {
        return;
    }
    let mut scenario = Scenario::begin(point, aborts).await;
    let made = json!({ "name": "Main room", "time_zone": "America/Los_Angeles", "region": "US" });
    let list = scenario.send("POST", "/v1/waitlists", Some(made)).await.id();
    scenario.acknowledged.insert(format!("waitlist-{list}").parse().unwrap(), vec!["waitlist.created"]);
    for number in 0..PARTIES_MAX {
        if number >= PARTIES_MIN && scenario.aborts.is_empty() {
            break;
        }
        scenario.party(&list, number).await;
    }
    // The feed may pass its point after the last request was answered.
    while !scenario.aborts.is_empty() {
        scenario.restart().await;
    }
    scenario.check().await;
    assert_eq!(scenario.server.interrupt().await, Some(0));
}

/// Runs scenarios with an early abort, a late abort, and a second abort right after the restart.
async fn scenarios(point: &'static str, nth: u32) {
    scenario(point, &[nth]).await;
    scenario(point, &[nth + 4]).await;
    scenario(point, &[1, 2]).await;
}

#[tokio::test]
async fn abort_after_a_key_was_put() {
    scenarios("vault.key-put", 3).await;
}

#[tokio::test]
async fn abort_before_a_commit_is_appended() {
    scenarios("log.append", 5).await;
}

#[tokio::test]
async fn abort_after_a_commit_was_appended_and_before_it_was_acknowledged() {
    scenarios("log.appended", 5).await;
}

#[tokio::test]
async fn abort_after_a_row_was_read() {
    scenarios("feed.row-read", 4).await;
}

#[tokio::test]
async fn abort_before_a_row_is_written() {
    scenarios("feed.row-folded", 4).await;
}

#[tokio::test]
async fn abort_after_a_row_was_written() {
    scenarios("feed.row-written", 4).await;
}

#[tokio::test]
async fn abort_before_a_doorbell_is_parked() {
    scenarios("feed.park", 2).await;
}

#[tokio::test]
async fn abort_after_a_doorbell_was_parked() {
    scenarios("feed.parked", 2).await;
}

#[tokio::test]
async fn abort_before_a_checkpoint_is_written() {
    scenarios("pump.checkpoint", 3).await;
}

#[tokio::test]
async fn abort_after_a_checkpoint_was_written() {
    scenarios("pump.checkpointed", 3).await;
}

#[tokio::test]
async fn modifying_or_removing_an_event_raises_an_alarm_and_changes_no_row() {
    if engine_is_separate() {
        return;
    }
    let mut scenario = Scenario::begin("no point", &[]).await;
    let made = json!({ "name": "Main room", "time_zone": "America/Los_Angeles", "region": "US" });
    let list = scenario.send("POST", "/v1/waitlists", Some(made)).await.id();
    let stream: StreamId = format!("waitlist-{list}").parse().unwrap();
    scenario.tables.settle(&[stream]).await;
    let row = scenario.tables.row(stream).await;

    let Tables { dynamodb, prefix } = &scenario.tables;
    let mut event = scenario.tables.commits(&stream.to_string()).await.remove(0);
    let keys = [("stream", event["stream"].clone()), ("seq", event["seq"].clone())];
    event
        .insert("events".into(), AttributeValue::S(text(&event, "events").replace("Main room", "Side room")));
    dynamodb.put_item().table_name(EVENTS.name(prefix)).set_item(Some(event)).send().await.unwrap();
    let key = keys.map(|(name, value)| (name.to_owned(), value)).into();
    dynamodb.delete_item().table_name(EVENTS.name(prefix)).set_key(Some(key)).send().await.unwrap();

    let alarmed = async {
        while !["MODIFY", "REMOVE"].iter().all(|change| is_alarmed(&scenario.server.logs(), change)) {
            tokio::time::sleep(POLL).await;
        }
    };
    tokio::time::timeout(PATIENCE, alarmed).await.expect("the alarms should have been raised by now");
    assert_eq!(scenario.tables.row(stream).await, row);
}

fn is_alarmed(logs: &str, change: &str) -> bool {
    logs.lines().any(|line| line.contains("event-altered") && line.contains(change))
}
