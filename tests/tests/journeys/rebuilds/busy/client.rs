//! A client that writes and reads, and checks each answer against what it saw before.

use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use tokio::sync::watch;
use waitlist_tests::stage::Answer;

use crate::load::{Random, exchange};

/// How often a write is repeated while the server answers 503.
const PATIENCE: usize = 30;
/// Parties on a client's list, fewer than the list's capacity.
const PARTIES_MAX: usize = 100;
/// The most tokens of one request.
const TOKENS_MAX: usize = 16;
/// The longest wait of a client for a restarted server.
const ABSENCE_MAX: Duration = Duration::from_secs(120);

/// The way to the server, which changes its address when it is started again.
#[derive(Clone)]
pub(crate) struct Line {
    url: watch::Receiver<String>,
    token: String,
    http: reqwest::Client,
}

impl Line {
    pub(super) fn new(url: watch::Receiver<String>, token: String) -> Self {
        Self { url, token, http: reqwest::Client::new() }
    }

    /// Reads. `None` if the server died. Any answer but 200 is a failure.
    pub(super) async fn read(&self, path: &str, sync_tokens: &str) -> Option<Answer> {
        let answer = self.send("GET", path, None, &[("sync-token", sync_tokens)]).await?;
        assert_eq!(answer.status, 200, "GET {path} with {sync_tokens:?}: {answer:?}");
        Some(answer)
    }

    /// Writes with an idempotency key, until there is an answer.
    pub(super) async fn write(&self, method: &str, path: &str, body: &Value, key: &str) -> Answer {
        let mut unavailable = 0;
        loop {
            match self.send(method, path, Some(body), &[("idempotency-key", key)]).await {
                Some(answer) if answer.status == 503 => unavailable += 1,
                Some(answer) => return answer,
                None => {}
            }
            assert!(unavailable < PATIENCE, "{method} {path}: the server stays unavailable");
        }
    }

    async fn send(
        &self,
        method: &str,
        path: &str,
        body: Option<&Value>,
        headers: &[(&str, &str)],
    ) -> Option<Answer> {
        let url = self.url.borrow().clone();
        let answer = self.try_send(&url, method, path, body, headers).await;
        if answer.is_none() {
            let mut at = self.url.clone();
            let back = tokio::time::timeout(ABSENCE_MAX, at.wait_for(|now| *now != url)).await;
            assert!(back.is_ok_and(|back| back.is_ok()), "the server is gone: {method} {path}");
        }
        answer
    }

    async fn try_send(
        &self,
        url: &str,
        method: &str,
        path: &str,
        body: Option<&Value>,
        headers: &[(&str, &str)],
    ) -> Option<Answer> {
        let mut request =
            self.http.request(method.parse().unwrap(), format!("{url}{path}")).bearer_auth(&self.token);
        for (name, value) in headers.iter().filter(|(_, value)| !value.is_empty()) {
            request = request.header(*name, *value);
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        exchange(request).await
    }
}

/// A party that the client added.
struct Party {
    /// The last event that the client saw.
    seq: u64,
    is_active: bool,
}

/// A client with a list of its own.
pub(crate) struct Client {
    name: String,
    random: Random,
    list: String,
    parties: BTreeMap<String, Party>,
    pub(crate) writes: usize,
    /// The time that each answered read took.
    pub(crate) reads: Vec<Duration>,
}

impl Client {
    pub(super) fn new(name: String, random: Random) -> Self {
        Self { name, random, list: String::new(), parties: BTreeMap::new(), writes: 0, reads: Vec::new() }
    }

    /// Writes and reads until told to end.
    pub(super) async fn until(mut self, is_over: &AtomicBool, line: &Line, past: &[(String, Value)]) -> Self {
        let list = json!({ "name": format!("Room {}", self.name), "time_zone": "America/Los_Angeles", "region": "US" });
        self.list = self.write(line, "POST", "/v1/waitlists", &list).await.id();
        while !is_over.load(Ordering::SeqCst) {
            match self.random.below(10) {
                0 | 1 if self.parties.len() < PARTIES_MAX => self.join(line).await,
                0..=3 => self.change(line).await,
                4..=6 => self.read_party(line).await,
                7 | 8 => self.read_board(line).await,
                _ => {
                    let (path, expected) = self.random.pick(past).clone();
                    if let Some(answer) = self.read(line, &path, "").await {
                        assert_eq!(
                            answer.body, expected,
                            "{path} shows something else than before the rebuilds"
                        );
                    }
                }
            }
        }
        self
    }

    async fn write(&mut self, line: &Line, method: &str, path: &str, body: &Value) -> Answer {
        self.writes += 1;
        let key = format!("client-{}-{}", self.name, self.writes);
        let answer = line.write(method, path, body, &key).await;
        assert!(answer.status < 300 || answer.status == 409, "{method} {path}: {answer:?}");
        answer
    }

    async fn read(&mut self, line: &Line, path: &str, sync_tokens: &str) -> Option<Answer> {
        let begun = Instant::now();
        let answer = line.read(path, sync_tokens).await?;
        self.reads.push(begun.elapsed());
        Some(answer)
    }

    async fn join(&mut self, line: &Line) {
        let email = format!("guest{}-{}@example.com", self.name, self.parties.len());
        let body = json!({ "name": "Ana", "party_size": 2, "email": email });
        let joined = self.write(line, "POST", &format!("/v1/waitlists/{}/waitees", self.list), &body).await;
        self.parties.insert(joined.id(), Party { seq: seq(&joined), is_active: true });
    }

    async fn change(&mut self, line: &Line) {
        let Some(id) = self.any_party() else { return };
        let action = *self.random.pick(&["call", "call", "confirm", "seat", "no-show", "restore", "restore"]);
        let answer = self.write(line, "POST", &format!("/v1/waitees/{id}/{action}"), &json!({})).await;
        if answer.status == 409 {
            return;
        }
        let party = self.parties.get_mut(&id).unwrap();
        *party = Party { seq: seq(&answer).max(party.seq), is_active: is_active(&answer) };
    }

    async fn read_party(&mut self, line: &Line) {
        let Some(id) = self.any_party() else { return };
        self.look_at(line, &id).await;
    }

    /// Reads a party with its Sync-Token. It is there, and never shows less than it showed before. Returns its state,
    /// or `None` if the server died.
    async fn look_at(&mut self, line: &Line, id: &str) -> Option<String> {
        let known = self.parties[id].seq;
        let token = format!("waitee-{id}@{known}");
        let answer = self.read(line, &format!("/v1/waitees/{id}"), &token).await?;
        let shown = answer.body["seq"].as_u64().unwrap();
        assert!(shown >= known, "party {id} went back from {known} to {shown}");
        *self.parties.get_mut(id).unwrap() = Party { seq: shown, is_active: is_active(&answer) };
        Some(answer.body["state"].as_str().unwrap().to_owned())
    }

    /// The board shows the parties whose tokens are sent as they are, or without them if they are over. Besides the
    /// client, only the end of a hold changes a party: the clock passes it now and then.
    async fn read_board(&mut self, line: &Line) {
        let named: Vec<String> = (0..TOKENS_MAX).filter_map(|_| self.any_party()).collect();
        let tokens: Vec<String> =
            named.iter().map(|id| format!("waitee-{id}@{}", self.parties[id].seq)).collect();
        let path = format!("/v1/waitlists/{}/waitees?limit=200", self.list);
        let Some(board) = self.read(line, &path, &tokens.join(",")).await else { return };
        let items = board.body["items"].as_array().unwrap();
        for id in named {
            let known = &self.parties[&id];
            let shown = items.iter().find(|item| item["id"] == id.as_str());
            let shown = shown.map(|item| item["seq"].as_u64().unwrap());
            match shown {
                Some(shown) => assert!(known.is_active && shown >= known.seq, "party {id} at {shown}"),
                None if known.is_active => {
                    if let Some(state) = self.look_at(line, &id).await {
                        assert_eq!(state, "no-show", "party {id} is missing on its board");
                    }
                }
                None => {}
            }
        }
    }

    fn any_party(&mut self) -> Option<String> {
        let ids: Vec<&String> = self.parties.keys().collect();
        if ids.is_empty() { None } else { Some((*self.random.pick(&ids)).clone()) }
    }
}

fn is_active(answer: &Answer) -> bool {
    ["waiting", "called", "confirmed"].contains(&answer.body["state"].as_str().unwrap())
}

fn seq(answer: &Answer) -> u64 {
    answer.header("sync-token").rsplit('@').next().unwrap().parse().unwrap()
}
