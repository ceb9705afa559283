//! An oracle: folds the log's raw items on its own. It shares nothing with the code under test but the hash
//! of keys.
//!
//! It opens no sealed value. For a sealed field it expects the value in the body of the request that wrote
//! it.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use aws_sdk_dynamodb::Client;
use schema::{Time, commit::Tag, table::EVENTS};
use serde_json::{Map, Value, json};

use crate::{
    load::{Again, Exchange, Request},
    place::{number, text},
    raw::{Item, scan},
};

const HOLD_MINUTES: u32 = 10; // the default of lists

/// A commit as stored.
#[derive(Clone, Debug)]
pub(crate) struct Commit {
    pub(crate) seq: u64,
    pub(crate) last: u64,
    at: Time,
    /// Whether the actor is a component rather than a host.
    of_system: bool,
    command: Option<Vec<u8>>,
    events: Vec<Value>,
}

/// The whole log by stream, and the requests by the hash of their keys.
pub(crate) struct Oracle<'e> {
    pub(crate) streams: BTreeMap<String, Vec<Commit>>,
    sent: HashMap<Vec<u8>, &'e Request>,
}

fn tag(key: &str) -> Vec<u8> {
    let hashed_once = Tag::of(&[key.as_bytes()]);
    hashed_once.0.to_vec()
}

/// Whether the request moves a party next to itself.
fn is_beside_itself(request: &Request) -> bool {
    let body = request.body.as_ref().and_then(Value::as_object);
    let beside = body.and_then(|body| body.get("before").or(body.get("after"))).and_then(Value::as_str);
    beside.is_some_and(|other| request.path.ends_with(&format!("{other}/move")))
}

impl Commit {
    fn read(item: &Item) -> Self {
        Self {
            seq: number(item, "seq"),
            last: number(item, "last"),
            at: text(item, "at").parse().unwrap(),
            of_system: text(item, "actor").starts_with("system:"),
            command: item.get("command").map(|tag| tag.as_b().unwrap().as_ref().to_vec()),
            events: serde_json::from_str(text(item, "events")).unwrap(),
        }
    }
}

impl<'e> Oracle<'e> {
    pub(crate) async fn read(client: &Client, prefix: &str, exchanges: &'e [Exchange]) -> Self {
        let mut streams: BTreeMap<String, Vec<Commit>> = BTreeMap::new();
        for item in scan(client, &EVENTS, prefix).await {
            streams.entry(text(&item, "stream").to_owned()).or_default().push(Commit::read(&item));
        }
        for commits in streams.values_mut() {
            commits.sort_by_key(|commit| commit.seq);
            let mut end = 0;
            for commit in &*commits {
                assert_eq!(
                    (commit.seq, commit.events.len() as u64),
                    (end + 1, commit.last - end),
                    "gap or overlap in {commits:?}"
                );
                end = commit.last;
            }
        }
        Self {
            streams,
            sent: exchanges.iter().map(|exchange| (tag(&exchange.request.key), &exchange.request)).collect(),
        }
    }

    fn commits(&self) -> impl Iterator<Item = (&String, &Commit)> {
        self.streams.iter().flat_map(|(stream, commits)| commits.iter().map(move |commit| (stream, commit)))
    }

    /// Asserts that every answer is true to the log, and that no key took effect twice.
    pub(crate) fn judge(&self, exchanges: &[Exchange]) {
        let mut effects: HashMap<&[u8], (&String, u64)> = HashMap::new();
        let asked = || self.commits().filter(|(_, commit)| !commit.of_system);
        for (stream, commit) in asked() {
            let command =
                commit.command.as_deref().unwrap_or_else(|| panic!("{stream}@{} has no key", commit.seq));
            assert!(
                self.sent.contains_key(command),
                "{stream}@{} belongs to no request of this night",
                commit.seq
            );
            let before = effects.insert(command, (stream, commit.last));
            assert!(
                before.is_none(),
                "{:?} took effect at {before:?} and at {stream}@{}",
                self.sent[command],
                commit.last
            );
        }
        assert_eq!(effects.len(), asked().count(), "one commit for each key that took effect");
        for exchange in exchanges {
            self.judge_one(exchange, effects.get(tag(&exchange.request.key).as_slice()).copied());
        }
    }

    fn judge_one(&self, exchange: &Exchange, effect: Option<(&String, u64)>) {
        let good: Vec<_> = exchange.answers.iter().flatten().filter(|answer| answer.status < 300).collect();
        for answer in exchange.answers.iter().flatten() {
            let refused =
                answer.status == 409 || (answer.status == 422 && is_beside_itself(&exchange.request));
            assert!(answer.status < 300 || refused, "neither a success nor a conflict: {exchange:?}");
        }
        for answer in &good {
            let (stream, seq) = answer.header("sync-token").split_once('@').unwrap();
            let seq: u64 = seq.parse().unwrap();
            assert_eq!(answer.body["seq"], seq, "{exchange:?}");
            assert!(
                self.streams[stream].iter().any(|commit| commit.last == seq),
                "{stream}@{seq} is not in the log: {exchange:?}"
            );
            if stream.starts_with("waitee-") {
                let shown = self.party_at(stream, seq);
                assert_eq!(answer.body["state"], shown.fields["state"], "{exchange:?}");
            }
        }
        let Some((stream, last)) = effect else { return };
        // A command that changed nothing is not remembered, and may take effect when it is repeated. One that
        // did is remembered.
        let token = format!("{stream}@{last}");
        let first = good.iter().position(|answer| answer.header("sync-token") == token);
        let is_lost = exchange.answers.iter().any(Option::is_none);
        let Some(first) = first else {
            assert!(is_lost, "{token} was in no answer, although none was lost: {exchange:?}");
            return;
        };
        if exchange.request.again != Again::Concurrently {
            for answer in &good[first..] {
                assert_eq!(
                    (answer.status, &answer.body),
                    (good[first].status, &good[first].body),
                    "one key got two answers: {exchange:?}"
                );
            }
            let refused_after =
                exchange.answers.iter().flatten().skip_while(|answer| answer.header("sync-token") != token);
            assert!(
                refused_after.into_iter().all(|answer| answer.status < 300),
                "refused after it took effect: {exchange:?}"
            );
        }
    }

    /// Returns every party in its last state.
    pub(crate) fn parties(&self) -> Vec<Party> {
        let visits = self.streams.keys().filter(|stream| stream.starts_with("waitee-"));
        visits.map(|stream| self.party_at(stream, u64::MAX)).collect()
    }

    /// Returns a list's active parties in the order of the board.
    pub(crate) fn board(&self, list: &str) -> Vec<Party> {
        let mut active: Vec<Party> =
            self.parties().into_iter().filter(|party| party.list() == list && party.is_active()).collect();
        active.sort_by(|a, b| a.place().cmp(&b.place()));
        active
    }

    fn party_at(&self, stream: &str, seq: u64) -> Party {
        let mut party =
            Party { rank: String::new(), day: String::new(), held_since: None, fields: Map::new() };
        party.set("id", json!(stream.strip_prefix("waitee-").unwrap()));
        for commit in self.streams[stream].iter().filter(|commit| commit.last <= seq) {
            let sent = commit
                .command
                .as_deref()
                .and_then(|command| self.sent.get(command))
                .and_then(|request| request.body.as_ref());
            for event in &commit.events {
                party.apply(event, commit.at, sent.unwrap_or(&Value::Null));
            }
            party.set("seq", json!(commit.last));
        }
        party
    }

    /// Returns the days on which parties joined a list.
    pub(crate) fn days(&self, list: &str) -> BTreeSet<String> {
        self.parties().iter().filter(|party| party.list() == list).map(|party| party.day.clone()).collect()
    }
}

/// A party: its rank, and the fields that the API must show.
#[derive(Clone, Debug)]
pub(crate) struct Party {
    rank: String,
    day: String,
    held_since: Option<Time>,
    pub(crate) fields: Map<String, Value>,
}

impl Party {
    pub(crate) fn list(&self) -> &str {
        self.fields["waitlist_id"].as_str().unwrap()
    }

    pub(crate) fn id(&self) -> &str {
        self.fields["id"].as_str().unwrap()
    }

    pub(crate) fn day(&self) -> &str {
        &self.day
    }

    fn is_active(&self) -> bool {
        ["waiting", "called", "confirmed"].map(Value::from).contains(&self.fields["state"])
    }

    fn place(&self) -> (&str, &str) {
        (&self.rank, self.id())
    }

    fn set(&mut self, field: &str, value: Value) {
        self.fields.insert(field.to_owned(), value);
    }

    fn apply(&mut self, event: &Value, at: Time, sent: &Value) {
        let (kind, data) = (event["type"].as_str().unwrap(), &event["data"]);
        match kind {
            "waitee.joined" => {
                for field in ["called_at", "hold_until", "confirmed_at", "finished_at"] {
                    self.set(field, Value::Null);
                }
                for field in ["name", "party_size", "phone", "email", "note", "quoted_minutes"] {
                    self.set(field, sent[field].clone());
                }
                self.set("waitlist_id", data["waitlist"].clone());
                self.set("joined_at", json!(at));
                self.set("calls", json!(0));
                self.set("state", json!("waiting"));
                self.day = data["day"].as_str().unwrap().to_owned();
                self.rank = data["rank"].as_str().unwrap().to_owned();
            }
            "waitee.details-changed" => {
                for (field, value) in sent.as_object().unwrap() {
                    self.set(field, value.clone());
                }
            }
            "waitee.called" => {
                let calls = self.fields["calls"].as_u64().unwrap() + 1;
                self.set("calls", json!(calls));
                self.held_since = Some(at);
                self.set("called_at", json!(at));
                self.set("hold_until", json!(at.plus_minutes(HOLD_MINUTES)));
                self.set("state", json!("called"));
            }
            "waitee.confirmed" => {
                self.set("confirmed_at", json!(at));
                self.set("hold_until", Value::Null);
                self.set("state", json!("confirmed"));
            }
            "waitee.restored" => {
                for field in ["hold_until", "confirmed_at", "finished_at"] {
                    self.set(field, Value::Null);
                }
                self.set("state", json!("waiting"));
            }
            "waitee.moved" => self.rank = data["rank"].as_str().unwrap().to_owned(),
            "waitee.seated" | "waitee.left" | "waitee.removed" | "waitee.no-show" => {
                self.set("finished_at", json!(at));
                self.set("hold_until", Value::Null);
                self.set("state", json!(kind.strip_prefix("waitee.").unwrap()));
            }
            "waitee.notification-started" if data["message"].as_str().unwrap().starts_with("table-ready") => {
                // A hold begins again when its message is started more than a minute late.
                let since = self.held_since.unwrap();
                if at > since.plus_minutes(1) {
                    self.held_since = Some(at);
                    self.set("hold_until", json!(at.plus_minutes(HOLD_MINUTES)));
                }
            }
            kind if kind.starts_with("waitee.notification-") => {}
            other => panic!("{other} does not occur in this load"),
        }
    }
}
