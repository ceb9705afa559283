//! The server dies in the middle, at every named point, and starts again on the same data: what was acknowledged is there,
//! nothing happened twice, and rows catch up by themselves.

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

/// Parties of an evening: at least some, then more until the last death, which must have come by then.
const PARTIES_MIN: u32 = 3;
const PARTIES_MAX: u32 = 60;

/// Events that newer code wrote.
const UNREADABLE: &str = r#"[{"type":"waitee.teleported","v":1,"data":{}}]"#;

/// An evening at the door, over several lives of the server.
struct Evening {
    directory: TempDir,
    point: &'static str,
    /// At which passing of the point this life and the next ones end; the last life has no such end.
    deaths: VecDeque<u32>,
    server: Server,
    tables: Tables,
    /// What was acknowledged, and so must have happened exactly once: the types of each stream's events.
    happened: BTreeMap<StreamId, Vec<&'static str>>,
    /// Streams that were given a commit which the feed must park. The server may have died before it took the commit.
    planted: BTreeSet<StreamId>,
}

impl Evening {
    async fn begin(point: &'static str, deaths: &[u32]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let (server, tables) = start(directory.path(), point, deaths.first()).await;
        let deaths = deaths.iter().copied().collect();
        let mut evening = Self {
            directory,
            point,
            deaths,
            server,
            tables,
            happened: BTreeMap::new(),
            planted: BTreeSet::new(),
        };
        evening.plant().await;
        evening
    }

    /// Makes a request under a key, and once more after each death: who gets no answer cannot know whether it was carried out.
    async fn ask(&mut self, method: &str, path: &str, body: Option<Value>) -> Answer {
        // No request of an evening is made twice, so what it asks for is key enough.
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
                // Ends: every death is one fewer to come.
                Err(_) if !self.deaths.is_empty() => self.live_on().await,
                Err(cause) => panic!("{method} {path}: {cause}\n{}", self.server.logs()),
            }
        }
    }

    /// The server has died, or is about to; the next one starts on its data.
    async fn live_on(&mut self) {
        self.deaths.pop_front();
        self.server.ended().await;
        (self.server, self.tables) = start(self.directory.path(), self.point, self.deaths.front()).await;
        self.plant().await;
    }

    /// Commits that cannot be projected, so that there is something to park: as many as this life parks until it dies.
    async fn plant(&mut self) {
        let parks =
            if self.point.starts_with("feed.park") { self.deaths.front().copied().unwrap_or(0) } else { 0 };
        for _ in 0..parks {
            let stream = StreamId {
                category: Category::Waitee,
                id: Uuid::from_u128(1_000 + self.planted.len() as u128),
            };
            self.planted.insert(stream);
            let put = self.tables.dynamodb.put_item().table_name(EVENTS.name(&self.tables.prefix));
            let _died_before_it_answered =
                put.set_item(Some(records::item(&unreadable(stream)))).send().await;
        }
    }

    /// A party comes, is called, becomes more, and is seated.
    async fn party(&mut self, list: &str, number: u32) {
        let joining = json!({ "name": format!("Party {number}"), "party_size": 2 });
        let id = self.ask("POST", &format!("/v1/waitlists/{list}/waitees"), Some(joining)).await.id();
        self.ask("POST", &format!("/v1/waitees/{id}/call"), None).await;
        self.ask("PATCH", &format!("/v1/waitees/{id}"), Some(json!({ "party_size": 3 }))).await;
        self.ask("POST", &format!("/v1/waitees/{id}/seat"), None).await;
        let types = vec!["waitee.joined", "waitee.called", "waitee.details-changed", "waitee.seated"];
        self.happened.insert(format!("waitee-{id}").parse().unwrap(), types);
    }

    /// The log holds what was acknowledged, once; rows show it; what could not be projected is parked.
    async fn judge(&self) {
        let mut poisoned = BTreeSet::new();
        for name in self.tables.streams().await {
            let stream: StreamId = name.parse().unwrap();
            let commits = self.tables.commits(&name).await;
            match self.happened.get(&stream) {
                Some(types) => {
                    // What becomes of the message to the guest is another matter.
                    let mut found: Vec<String> = commits.iter().flat_map(types_of).collect();
                    found.retain(|kind| !kind.starts_with("waitee.notification-"));
                    assert_eq!(&found, types, "{stream}");
                }
                None => assert!(
                    self.planted.contains(&stream) && poisoned.insert(stream),
                    "nobody asked for {stream}"
                ),
            }
        }
        let streams: Vec<StreamId> = self.happened.keys().copied().collect();
        for stream in &streams {
            assert!(self.tables.due(*stream).await.is_some(), "{stream} was acknowledged, and is not there");
        }
        self.tables.settle(&streams).await;
        let parked = async {
            while self.parked().await != poisoned {
                tokio::time::sleep(POLL).await;
            }
        };
        tokio::time::timeout(PATIENCE, parked).await.expect("what cannot be projected is parked in time");
    }

    /// The streams of all parked doorbells, whether they wait or are being tried.
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

/// Starts a server that dies at the `nth` passing of the point, or not at all; and looks at its tables.
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

/// Whether the engine is one that runs apart from the server; then there is nothing to be seen here.
fn elsewhere() -> bool {
    let elsewhere = env::var_os("AWS_ENDPOINT_URL_DYNAMODB").is_some();
    if elsewhere {
        println!("SKIPPED crash: an engine must die with the server, so only the embedded one will do");
    }
    elsewhere
}

/// An evening in which the server dies at these passings of the point, one life after the other.
async fn evening(point: &'static str, deaths: &[u32]) {
    if elsewhere() {
        return;
    }
    let mut evening = Evening::begin(point, deaths).await;
    let made = json!({ "name": "Main room", "time_zone": "America/Los_Angeles", "region": "US" });
    let list = evening.ask("POST", "/v1/waitlists", Some(made)).await.id();
    evening.happened.insert(format!("waitlist-{list}").parse().unwrap(), vec!["waitlist.created"]);
    for number in 0..PARTIES_MAX {
        if number >= PARTIES_MIN && evening.deaths.is_empty() {
            break;
        }
        evening.party(&list, number).await;
    }
    // A feed may reach its point after the last request was answered.
    while !evening.deaths.is_empty() {
        evening.live_on().await;
    }
    evening.judge().await;
    assert_eq!(evening.server.interrupt().await, Some(0));
}

/// Evenings with a single death, sooner and later, and one on which the server dies again right after it came back.
async fn evenings(point: &'static str, nth: u32) {
    evening(point, &[nth]).await;
    evening(point, &[nth + 4]).await;
    evening(point, &[1, 2]).await;
}

#[tokio::test]
async fn when_a_key_was_put() {
    evenings("vault.key-put", 3).await;
}

#[tokio::test]
async fn before_a_commit_is_appended() {
    evenings("log.append", 5).await;
}

#[tokio::test]
async fn after_a_commit_was_appended_and_before_it_was_acknowledged() {
    evenings("log.appended", 5).await;
}

#[tokio::test]
async fn when_a_row_was_read() {
    evenings("feed.row-read", 4).await;
}

#[tokio::test]
async fn before_a_row_is_written() {
    evenings("feed.row-folded", 4).await;
}

#[tokio::test]
async fn after_a_row_was_written() {
    evenings("feed.row-written", 4).await;
}

#[tokio::test]
async fn before_a_doorbell_is_parked() {
    evenings("feed.park", 2).await;
}

#[tokio::test]
async fn after_a_doorbell_was_parked() {
    evenings("feed.parked", 2).await;
}

#[tokio::test]
async fn before_a_checkpoint_is_written() {
    evenings("pump.checkpoint", 3).await;
}

#[tokio::test]
async fn after_a_checkpoint_was_written() {
    evenings("pump.checkpointed", 3).await;
}

#[tokio::test]
async fn whoever_alters_an_event_past_the_code_raises_an_alarm_and_reaches_no_row() {
    if elsewhere() {
        return;
    }
    let mut evening = Evening::begin("no point", &[]).await;
    let made = json!({ "name": "Main room", "time_zone": "America/Los_Angeles", "region": "US" });
    let list = evening.ask("POST", "/v1/waitlists", Some(made)).await.id();
    let stream: StreamId = format!("waitlist-{list}").parse().unwrap();
    evening.tables.settle(&[stream]).await;
    let row = evening.tables.row(stream).await;

    let Tables { dynamodb, prefix } = &evening.tables;
    let mut event = evening.tables.commits(&stream.to_string()).await.remove(0);
    let keys = [("stream", event["stream"].clone()), ("seq", event["seq"].clone())];
    event
        .insert("events".into(), AttributeValue::S(text(&event, "events").replace("Main room", "Side room")));
    dynamodb.put_item().table_name(EVENTS.name(prefix)).set_item(Some(event)).send().await.unwrap();
    let key = keys.map(|(name, value)| (name.to_owned(), value)).into();
    dynamodb.delete_item().table_name(EVENTS.name(prefix)).set_key(Some(key)).send().await.unwrap();

    let alarmed = async {
        while !["MODIFY", "REMOVE"].iter().all(|change| is_alarmed(&evening.server.logs(), change)) {
            tokio::time::sleep(POLL).await;
        }
    };
    tokio::time::timeout(PATIENCE, alarmed).await.expect("the alarms are raised in time");
    assert_eq!(evening.tables.row(stream).await, row);
}

fn is_alarmed(logs: &str, change: &str) -> bool {
    logs.lines().any(|line| line.contains("event-altered") && line.contains(change))
}
