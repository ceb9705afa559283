//! The server dies at every step of a delivery, and the next one does what is left: of a welcome mail, of the text that a table is
//! ready, and of a reminder.

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

/// How far the clock goes on after a death: leases and what the dead server had taken from the queue run out.
const AFTER_DEATH_MIN: u32 = 4;

/// An evening, over two lives of the server.
struct Evening {
    directory: TempDir,
    server: Server,
    may_die: bool,
    /// What the clock was set to last.
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

    /// The next life begins, where the clock of the last one was and somewhat later.
    async fn live_on(&mut self) {
        assert!(self.may_die, "nothing is left to die of:\n{}", self.server.logs());
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
                Err(_) => self.live_on().await,
            }
        }
    }

    /// What the log says of a stream, by way of the API.
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

    /// Waits until a stream holds so many events of a type, over a death if one comes.
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
                None => self.live_on().await,
            }
            tokio::time::sleep(POLL * 2).await;
        }
    }

    /// Waits until the account page says that the welcome mail was sent, over a death if one comes.
    async fn until_welcomed(&mut self, token: &str) {
        let begun = std::time::Instant::now();
        loop {
            match self.server.send(Some(token), "GET", "/v1/me", None, &[]).await {
                Ok(me) if me.body["welcome"] == "sent" => return,
                Ok(me) => assert!(begun.elapsed() < PATIENCE * 2, "{me:?}:\n{}", self.server.logs()),
                Err(_) => self.live_on().await,
            }
            tokio::time::sleep(POLL * 2).await;
        }
    }

    fn sent(&self, kind: &str) -> Vec<Entry> {
        let all = Outbox::new(self.path().join("outbox"), Clock::system()).entries().unwrap();
        all.into_iter().filter(|entry| entry.kind == kind).collect()
    }
}

/// How often each message is sent, and whether the log says that the guest was reminded.
struct Told {
    welcome: usize,
    ready: usize,
    reminder: usize,
    reminded: bool,
}

const EACH_ONCE: Told = Told { welcome: 1, ready: 1, reminder: 1, reminded: true };

/// Somebody registers, confirms, and calls a guest, who is reminded and does not come; the server dies there, if anywhere.
async fn told_over(death: Option<&str>, told: Told) {
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

    // Told by the server's second life, the guest has the whole hold from then on, and is reminded that much later.
    let reminded_after = if death.is_some() { 16 } else { 11 };
    evening.set_clock(called_at.plus_minutes(reminded_after)).await;
    if told.reminded {
        evening.until(&token, &history, "waitee.notification-sent", 2).await;
    } else {
        evening.live_on().await; // nobody knows whether the guest was reminded, and that is left to a person
    }
    evening.set_clock(called_at.plus_minutes(40)).await;
    evening.until(&token, &history, "waitee.no-show", 1).await;

    for (kind, expected) in
        [("welcome", told.welcome), ("table-ready", told.ready), ("reminder", told.reminder)]
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
    assert_eq!(statuses, ["sent", if told.reminded { "sent" } else { "unknown" }], "{shown:?}");
    assert!(!evening.may_die, "it died of nothing");
    assert_eq!(evening.server.interrupt().await, Some(0));
}

#[tokio::test]
async fn when_nothing_goes_wrong() {
    told_over(None, EACH_ONCE).await;
}

#[tokio::test]
async fn between_the_reactor_and_the_queue() {
    for death in ["intent.send", "intent.send:2", "intent.sent", "intent.sent:2"] {
        told_over(Some(death), EACH_ONCE).await;
    }
}

#[tokio::test]
async fn before_the_lease() {
    for death in ["deliver.start", "deliver.start:2", "deliver.start:3"] {
        told_over(Some(death), EACH_ONCE).await;
    }
}

/// From here to the outcome nobody can know whether a message was sent: two kinds are sent again, and one is left to a person.
#[tokio::test]
async fn after_the_lease() {
    for death in ["deliver.started", "deliver.send:2"] {
        told_over(Some(death), EACH_ONCE).await;
    }
    told_over(Some("deliver.started:3"), Told { reminder: 0, reminded: false, ..EACH_ONCE }).await;
}

#[tokio::test]
async fn after_the_send() {
    told_over(Some("deliver.sent"), Told { welcome: 2, ..EACH_ONCE }).await;
    told_over(Some("deliver.sent:2"), Told { ready: 2, ..EACH_ONCE }).await;
    told_over(Some("deliver.sent:3"), Told { reminded: false, ..EACH_ONCE }).await;
}

#[tokio::test]
async fn after_the_outcome() {
    for death in ["deliver.recorded", "deliver.recorded:2", "deliver.recorded:3"] {
        told_over(Some(death), EACH_ONCE).await;
    }
}
