//! The server dies at each step of a delivery, and the next one finishes it: a welcome mail, a message that a
//! table is ready, and a reminder.

use std::{env, path::Path};

use infra::{
    Clock,
    messenger::{Entry, Outbox},
};
use schema::{Time, UserId};
use serde_json::{Value, json};
use tempfile::TempDir;
use waitlist_tests::{
    account::PASSWORD,
    process::{Server, run},
    stage::Answer,
};

use crate::oracle::{PATIENCE, POLL};

const EMAIL: &str = "ana@example.com";

/// How far the clock is moved after a death, so that leases and visibility time-outs of the dead server end.
const AFTER_DEATH_MIN: u32 = 4;

/// An evening over two runs of the server.
struct Evening {
    directory: TempDir,
    server: Server,
    may_die: bool,
    /// The time to which the clock was set last.
    clock: Time,
}

impl Evening {
    async fn begin(death: Option<&str>) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let env: Vec<(&str, &str)> = death.iter().map(|death| ("WAITLIST_ABORT_AT", *death)).collect();
        let server = Server::start_with(directory.path(), &["--manual-clock"], &env).await;
        Self { directory, server, may_die: death.is_some(), clock: Clock::system().now() }
    }

    fn path(&self) -> &Path {
        self.directory.path()
    }

    async fn set_clock(&mut self, to: Time) {
        self.clock = to;
        let ran = run(self.path(), &["clock", "set", &to.to_string()], &[]).await;
        assert!(ran.code == Some(0) || self.may_die, "{ran:?}");
    }

    /// Starts the next server and moves its clock past the last one's.
    async fn restart(&mut self) {
        assert!(self.may_die, "the server must not die again:\n{}", self.server.logs());
        self.may_die = false;
        self.server.ended().await;
        self.server = Server::start_with(self.path(), &["--manual-clock"], &[]).await;
        self.set_clock(self.clock.plus_minutes(AFTER_DEATH_MIN)).await;
    }

    async fn ask(&mut self, token: Option<&str>, method: &str, path: &str, body: Value) -> Answer {
        let key = Clock::system().id(Clock::system().now()).to_string();
        loop {
            match self.server.send(token, method, path, Some(&body), &[("Idempotency-Key", &key)]).await {
                Ok(answer) => return answer,
                Err(_) => self.restart().await,
            }
        }
    }

    /// Returns the types of a stream's events, read through the API.
    async fn kinds(&self, token: &str, path: &str) -> Option<Vec<String>> {
        let history = self.server.send(Some(token), "GET", path, None, &[]).await.ok()?;
        assert_eq!(history.status, 200, "{history:?}");
        Some(
            history.body["items"]
                .as_array()
                .unwrap()
                .iter()
                .map(|event| event["type"].as_str().unwrap().to_owned())
                .collect(),
        )
    }

    /// Waits until a stream holds `count` events of a type. The server may die meanwhile.
    async fn until(&mut self, token: &str, path: &str, kind: &str, count: usize) {
        let begun = std::time::Instant::now();
        loop {
            match self.kinds(token, path).await {
                Some(kinds) if kinds.iter().filter(|found| *found == kind).count() >= count => return,
                Some(kinds) => assert!(
                    begun.elapsed() < PATIENCE * 2,
                    "no {kind} among {kinds:?}:\n{}",
                    self.server.logs()
                ),
                None => self.restart().await,
            }
            tokio::time::sleep(POLL * 2).await;
        }
    }

    /// Waits until the account page shows the welcome mail as sent. The server may die meanwhile.
    async fn until_welcomed(&mut self, token: &str) {
        let begun = std::time::Instant::now();
        loop {
            match self.server.send(Some(token), "GET", "/v1/me", None, &[]).await {
                Ok(me) if me.body["welcome"] == "sent" => return,
                Ok(me) => assert!(begun.elapsed() < PATIENCE * 2, "{me:?}:\n{}", self.server.logs()),
                Err(_) => self.restart().await,
            }
            tokio::time::sleep(POLL * 2).await;
        }
    }

    fn sent(&self, kind: &str) -> Vec<Entry> {
        let all = Outbox::new(self.path().join("outbox"), Clock::system()).entries().unwrap();
        all.into_iter().filter(|entry| entry.kind == kind).collect()
    }
}

/// The number of sends of each message, and whether the reminder's outcome is known.
struct Sends {
    welcome: usize,
    ready: usize,
    reminder: usize,
    reminded: bool,
}

const EACH_ONCE: Sends = Sends { welcome: 1, ready: 1, reminder: 1, reminded: true };

/// An account registers, confirms its address and calls a guest, who is reminded and becomes a no-show. The
/// server dies at this point, if any.
async fn delivered_over(death: Option<&str>, sends: Sends) {
    if env::var_os("AWS_ENDPOINT_URL_DYNAMODB").is_some() {
        println!("SKIPPED delivery: an engine must die with the server, so only the embedded one will do");
        return;
    }
    let mut evening = Evening::begin(death).await;
    let ana = evening
        .ask(None, "POST", "/v1/users", json!({ "email": EMAIL, "password": PASSWORD, "name": "Ana" }))
        .await;
    let token = evening.server.token(ana.id().parse::<UserId>().unwrap());
    evening.until_welcomed(&token).await;
    let welcome = evening.sent("welcome").pop().unwrap();
    let link =
        welcome.body.split_whitespace().find_map(|word| word.split_once("/confirm#")).unwrap().1.to_owned();
    assert_eq!(evening.ask(None, "POST", "/v1/users/confirm", json!({ "token": link })).await.status, 204);

    let list = json!({ "name": "Main room", "time_zone": "America/Los_Angeles", "region": "US", "hold_minutes": 30, "remind_minutes": 20 });
    let list = evening.ask(Some(&token), "POST", "/v1/waitlists", list).await.id();
    let ben = json!({ "name": "Ben", "party_size": 2, "phone": "(415) 555-2671" });
    let ben = evening.ask(Some(&token), "POST", &format!("/v1/waitlists/{list}/waitees"), ben).await.id();
    let called = evening.ask(Some(&token), "POST", &format!("/v1/waitees/{ben}/call"), json!({})).await;
    assert_eq!(called.status, 202, "{called:?}");
    let called_at = Clock::system().now().max(evening.clock);
    let history = format!("/v1/waitees/{ben}/history");
    evening.until(&token, &history, "waitee.notification-sent", 1).await;

    // A guest told by the second server gets the whole hold from then on, and the reminder is due that much
    // later.
    let reminded_after = if death.is_some() { 16 } else { 11 };
    evening.set_clock(called_at.plus_minutes(reminded_after)).await;
    if sends.reminded {
        evening.until(&token, &history, "waitee.notification-sent", 2).await;
    } else {
        evening.restart().await; // the reminder's outcome is unknown, so a person decides
    }
    evening.set_clock(called_at.plus_minutes(40)).await;
    evening.until(&token, &history, "waitee.no-show", 1).await;

    for (kind, expected) in
        [("welcome", sends.welcome), ("table-ready", sends.ready), ("reminder", sends.reminder)]
    {
        assert_eq!(evening.sent(kind).len(), expected, "{kind}: {}", evening.server.logs());
    }
    let shown = evening.ask(Some(&token), "GET", &format!("/v1/waitees/{ben}"), json!({})).await;
    let statuses: Vec<&str> = shown.body["notifications"]
        .as_array()
        .unwrap()
        .iter()
        .map(|told| told["status"].as_str().unwrap())
        .collect();
    assert_eq!(statuses, ["sent", if sends.reminded { "sent" } else { "unknown" }], "{shown:?}");
    assert!(!evening.may_die, "the server never passed the point");
    assert_eq!(evening.server.interrupt().await, Some(0));
}

#[tokio::test]
async fn without_a_death_each_message_is_sent_once() {
    delivered_over(None, EACH_ONCE).await;
}

#[tokio::test]
async fn a_death_between_reactor_and_queue_loses_no_message() {
    for death in ["intent.send", "intent.send:2", "intent.sent", "intent.sent:2"] {
        delivered_over(Some(death), EACH_ONCE).await;
    }
}

#[tokio::test]
async fn a_death_before_the_lease_loses_no_message() {
    for death in ["deliver.start", "deliver.start:2", "deliver.start:3"] {
        delivered_over(Some(death), EACH_ONCE).await;
    }
}

/// After the lease the outcome is unknown. Two kinds of message are sent again; the reminder is left to a
/// person.
#[tokio::test]
async fn a_death_after_the_lease_leaves_the_outcome_unknown() {
    for death in ["deliver.started", "deliver.send:2"] {
        delivered_over(Some(death), EACH_ONCE).await;
    }
    delivered_over(Some("deliver.started:3"), Sends { reminder: 0, reminded: false, ..EACH_ONCE }).await;
}

#[tokio::test]
async fn a_death_after_the_send_may_send_a_message_again() {
    delivered_over(Some("deliver.sent"), Sends { welcome: 2, ..EACH_ONCE }).await;
    delivered_over(Some("deliver.sent:2"), Sends { ready: 2, ..EACH_ONCE }).await;
    delivered_over(Some("deliver.sent:3"), Sends { reminded: false, ..EACH_ONCE }).await;
}

#[tokio::test]
async fn a_death_after_the_outcome_sends_nothing_again() {
    for death in ["deliver.recorded", "deliver.recorded:2", "deliver.recorded:3"] {
        delivered_over(Some(death), EACH_ONCE).await;
    }
}
