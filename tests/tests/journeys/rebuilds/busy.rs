//! A server with a made-up past, and clients that write and read while its projections are rebuilt.

mod client;
mod rows;

use std::{
    collections::BTreeSet,
    env,
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use futures::future::join_all;
use infra::{Clock, messenger::Outbox, token::TokenKey};
use schema::{UserId, projection::Name, table::EVENTS};
use serde_json::{Value, json};
use tokio::{sync::watch, time::Instant};
use waitlist_tests::{process::Server, stage::Answer};

pub(super) use self::client::{Client, Line};
use crate::{
    load::Random,
    place::{Place, text},
    raw::scan,
};

/// The server's arguments. Without the tick nobody changes the parties of the past.
const ARGS: [&str; 2] = ["--manual-clock", "--no-tick"];
/// A restarted server has another address of its own; the links in its answers stay the same.
const ENV: [(&str, &str); 1] = [("WAITLIST_PUBLIC_URL", "https://waitlist.example")];
/// The time after which the message of a killed worker is delivered again.
pub(super) const VISIBILITY_S: u64 = 181;
const TOKEN_TTL_S: u32 = 24 * 3_600;
/// The longest time until all rebuilds are finished, or all rows equal the log.
const FINISHED_MAX: Duration = Duration::from_secs(3_600);
const SETTLED_MAX: Duration = Duration::from_secs(120);
const POLL: Duration = Duration::from_millis(200);
/// A rebuild that shows no progress in so many polls waits for the clock.
const STILL_POLLS: u32 = 10;
/// The server's clock is moved by this after each poll, so that delayed messages become due.
const STEP_S: u64 = 60;

pub(super) struct Busy {
    pub(super) place: Place,
    pub(super) owner: Line,
    operator: Line,
    url: watch::Sender<String>,
    /// Reads of the past, which no client changes, and their answers.
    past: Vec<(String, Value)>,
}

impl Busy {
    /// Makes up a past of so many commits, and starts a server on it.
    pub(super) async fn new(commits: u64) -> (Self, Server) {
        let place = Place::new();
        let seeded = place.run_long(&["seed", "--commits", &commits.to_string(), "--json"]).await;
        assert_eq!(seeded.code, Some(0), "{seeded:?}");
        let made: Value = serde_json::from_str(&seeded.out).unwrap();
        let account: UserId = made["account"].as_str().unwrap().parse().unwrap();
        let server = place.serve_with(&ARGS, &ENV).await;
        let key = TokenKey::load_or_create(&place.path().join("keys")).unwrap();
        let token = |operator| key.mint_for(account, operator, Clock::system().now(), TOKEN_TTL_S).unwrap();
        let (url, at) = watch::channel(server.url.clone());
        let (owner, operator) = (Line::new(at.clone(), token(false)), Line::new(at, token(true)));
        let mut past = Vec::new();
        for list in made["lists"].as_array().unwrap() {
            let list = list["id"].as_str().unwrap();
            past.push(format!("/v1/waitlists/{list}"));
            past.push(format!("/v1/waitlists/{list}/waitees?limit=200"));
            let board = owner.read(&past[past.len() - 1], "").await.unwrap();
            if let Some(party) = board.body["items"].as_array().unwrap().first() {
                let [id, day] = ["id", "day"].map(|field| party[field].as_str().unwrap());
                past.push(format!("/v1/waitlists/{list}/waitees?limit=200&day={day}"));
                past.push(format!("/v1/waitees/{id}"));
            }
        }
        // The making of the account is all that the reactor sees of the past. Its mail may be too late to be sent.
        while ["due", "started"]
            .contains(&owner.read("/v1/me", "").await.unwrap().body["welcome"].as_str().unwrap())
        {
            tokio::time::sleep(POLL).await;
        }
        past.push("/v1/me".into());
        let read = join_all(past.iter().map(|path| owner.read(path, ""))).await;
        let bodies = read.into_iter().map(|answer| answer.unwrap().body);
        let past = past.iter().cloned().zip(bodies).collect();
        (Self { place, owner, operator, url, past }, server)
    }

    /// Lets clients write and read until `work` ends. Returns them, and what `work` returns.
    pub(super) async fn during<T>(
        &self,
        clients: usize,
        seed: u64,
        work: impl Future<Output = T>,
    ) -> (Vec<Client>, T) {
        let is_over = AtomicBool::new(false);
        let all = join_all((0..clients).map(|number| {
            let random = Random::new(seed.wrapping_add(number as u64));
            Client::new(format!("{seed}-{number}"), random).until(&is_over, &self.owner, &self.past)
        }));
        let work = async {
            let done = work.await;
            is_over.store(true, Ordering::SeqCst);
            done
        };
        tokio::join!(all, work)
    }

    /// Kills the server and starts another one on its data.
    pub(super) async fn restarted(&self, server: Server) -> Server {
        server.kill();
        let server = self.place.serve_with(&ARGS, &ENV).await;
        self.url.send_replace(server.url.clone());
        server
    }

    /// Moves the server's clock. It waits for handlers to finish, and is asked again if they take too long.
    pub(super) async fn advance(&self, seconds: u64) {
        for _ in 0..6 {
            let moved = self.place.run(&["clock", "advance", &format!("{seconds}s")]).await;
            if moved.code == Some(0) {
                return;
            }
            assert!(moved.err.contains("handlers still run"), "{moved:?}");
        }
        panic!("the clock cannot be moved");
    }

    /// Starts a rebuild. Returns its id, or `None` if one is running.
    pub(super) async fn start(&self, name: Name, key: &str) -> Option<String> {
        let path = format!("/v1/projections/{}/rebuilds", name.as_str());
        let answer = self.operator.write("POST", &path, &json!({}), key).await;
        match answer.status {
            202 => Some(answer.id()),
            409 => None,
            _ => panic!("{answer:?}"),
        }
    }

    pub(super) async fn cancel(&self, name: Name, id: &str, key: &str) {
        let path = format!("/v1/projections/{}/rebuilds/{id}/cancel", name.as_str());
        let answer = self.operator.write("POST", &path, &json!({}), key).await;
        assert!([202, 409].contains(&answer.status), "{answer:?}");
    }

    /// The last twenty rebuilds of a projection.
    pub(super) async fn rebuilds(&self, name: Name) -> Vec<Value> {
        let path = format!("/v1/projections/{}/rebuilds", name.as_str());
        let Answer { body, .. } = self.operator.read(&path, "").await.unwrap();
        body["items"].as_array().unwrap().clone()
    }

    /// Waits until every rebuild is finished. The clock is moved when none of them goes on: moving it makes all
    /// requests wait for the running handlers.
    pub(super) async fn finished(&self) {
        let (begun, mut seen, mut still) = (Instant::now(), Vec::new(), 0);
        loop {
            let mut unfinished = Vec::new();
            for name in Name::ALL {
                let is_running = |rebuild: &Value| rebuild["finished_at"].is_null();
                unfinished.extend(self.rebuilds(name).await.into_iter().filter(is_running));
            }
            if unfinished.is_empty() {
                return;
            }
            assert!(begun.elapsed() < FINISHED_MAX, "not finished: {unfinished:#?}");
            let progress =
                unfinished.iter().map(|one| (one["state"].clone(), one["segments"].clone())).collect();
            still = if progress == seen { still + 1 } else { 0 };
            seen = progress;
            if still == STILL_POLLS {
                still = 0;
                self.advance(STEP_S).await;
            }
            tokio::time::sleep(POLL).await;
        }
    }

    /// Waits until the rows of every generation with a role equal the fold of the log. Returns their number.
    pub(super) async fn settled(&self) -> usize {
        let (dynamodb, begun) = (self.place.dynamodb().await, Instant::now());
        loop {
            match rows::compare(&dynamodb, &self.place.prefix).await {
                Ok(rows) => return rows,
                Err(wrong) => assert!(begun.elapsed() < SETTLED_MAX, "{wrong}"),
            }
            tokio::time::sleep(POLL).await;
            self.advance(STEP_S).await;
        }
    }

    /// Checks that each message was sent once, and because of an event that a client's command made. Returns their
    /// number.
    pub(super) async fn sent_once(&self) -> usize {
        let entries = Outbox::new(self.place.path().join("outbox"), Clock::system()).entries().unwrap();
        let messages: BTreeSet<(String, String)> =
            entries.iter().map(|entry| (entry.stream.clone(), entry.message.clone())).collect();
        assert_eq!(messages.len(), entries.len(), "a message was sent twice");
        let mut told = 0;
        for commit in scan(&self.place.dynamodb().await, &EVENTS, &self.place.prefix).await {
            let events: Vec<Value> = serde_json::from_str(text(&commit, "events")).unwrap();
            for event in events.iter().filter(|event| is_sent(event["type"].as_str().unwrap())) {
                let message = event["data"]["message"].as_str().unwrap().to_owned();
                let is_sent = messages.contains(&(text(&commit, "stream").to_owned(), message));
                told += usize::from(is_sent);
            }
        }
        assert_eq!(told, entries.len(), "a message has no event");
        told
    }
}

fn is_sent(event_type: &str) -> bool {
    ["waitee.notification-sent", "mail.sent"].contains(&event_type)
}

/// The commits of a past: `WAITLIST_COMMITS`, or 20,000 with `WAITLIST_FULL=1`, or few.
pub(super) fn commits() -> u64 {
    let full = if crate::load::is_full() { 20_000 } else { 1_000 };
    env::var("WAITLIST_COMMITS").ok().and_then(|commits| commits.parse().ok()).unwrap_or(full)
}
