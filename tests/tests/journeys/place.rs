//! A server's data directory, and its tables on the engine under test.

use std::{path::Path, time::Duration};

use aws_sdk_dynamodb::Client;
use infra::Clock;
use schema::{
    Time,
    table::{EVENTS, WAITEES, WAITLISTS},
};
use tempfile::TempDir;
pub(crate) use waitlist_tests::external::is_external;
use waitlist_tests::{
    external,
    process::{Ran, Server, engine, run, run_within},
};

use crate::raw::{Item, rows, scan};

/// The longest time for rows to catch up with the log, on a machine that builds and tests at once.
const CATCH_UP_MAX: Duration = Duration::from_secs(120);
/// The longest time of a command on a log of a million commits.
const LONG: Duration = Duration::from_secs(3_600);
const POLL: Duration = Duration::from_millis(100);
/// After this many polls the clock is moved on by a lease, at most five times. No hold ends that early.
const POLLS_OF_A_LEASE: u32 = 30;
const LEASES_MAX: u32 = 5;

/// A data directory, and the prefix of its server's tables.
pub(crate) struct Place {
    directory: TempDir,
    pub(crate) prefix: String,
    /// The access key id on an engine that the environment names.
    access_key: Option<String>,
}

impl Place {
    /// On a shared engine the tables need names of their own.
    pub(crate) fn new() -> Self {
        let own = format!("j{}", external::unique());
        let prefix = if is_external() { own } else { infra::config::PREFIX_DEFAULT.to_owned() };
        let access_key = is_external().then(external::access_key);
        Self { directory: tempfile::tempdir().unwrap(), prefix, access_key }
    }

    pub(crate) fn path(&self) -> &Path {
        self.directory.path()
    }

    /// The variables that name the tables.
    pub(crate) fn env(&self) -> Vec<(&str, &str)> {
        let key = self.access_key.as_deref().map(|key| ("AWS_ACCESS_KEY_ID", key));
        [("WAITLIST_PREFIX", self.prefix.as_str())].into_iter().chain(key).collect()
    }

    /// Starts a server with these environment variables.
    pub(crate) async fn serve(&self, env: &[(&str, &str)]) -> Server {
        self.serve_with(&[], env).await
    }

    /// Like [`Place::serve`], with further arguments.
    pub(crate) async fn serve_with(&self, args: &[&str], env: &[(&str, &str)]) -> Server {
        Server::start_with(self.path(), args, &[env, &self.env()].concat()).await
    }

    /// Runs another command.
    pub(crate) async fn run(&self, args: &[&str]) -> Ran {
        run(self.path(), args, &self.env()).await
    }

    /// Like [`Place::run`], for a command that takes long on a large log.
    pub(crate) async fn run_long(&self, args: &[&str]) -> Ran {
        run_within(LONG, self.path(), args, &self.env()).await
    }

    /// Returns a client of the running server's engine.
    pub(crate) async fn dynamodb(&self) -> Client {
        let sdk = match &self.access_key {
            Some(key) => external::sdk(key).await,
            None => engine(self.path()).await,
        };
        Client::new(&sdk)
    }

    /// Waits, without requests to the server, until every message to a called guest has an outcome and the
    /// rows of both read models have caught up with the log. Leases of killed processes are ended by moving
    /// the clock, if it can be moved.
    pub(crate) async fn settled(&self, server: &Server) {
        let dynamodb = self.dynamodb().await;
        let (mut open, mut now) = (Vec::new(), Clock::system().now());
        let caught_up = async {
            for poll in 1.. {
                now = now.max(Clock::system().now());
                open = self.open(&dynamodb, now).await;
                if open.is_empty() {
                    return;
                }
                if poll % POLLS_OF_A_LEASE == 0 && poll / POLLS_OF_A_LEASE <= LEASES_MAX {
                    let moved = self.run(&["clock", "advance", "61s"]).await;
                    now = moved.out.trim().parse().unwrap_or(now); // fails without --manual-clock
                }
                tokio::time::sleep(POLL).await;
            }
        };
        if tokio::time::timeout(CATCH_UP_MAX, caught_up).await.is_err() {
            panic!(
                "the rows do not show the whole log, or messages have no outcome: {open:#?}\n{}",
                server.logs()
            );
        }
    }

    /// Returns rows that lag behind the log, or have a message without an outcome.
    async fn open(&self, dynamodb: &Client, now: Time) -> Vec<String> {
        let mut open = Vec::new();
        let mut behind = std::collections::BTreeMap::new();
        for commit in scan(dynamodb, &EVENTS, &self.prefix).await {
            let (stream, last) = (text(&commit, "stream").to_owned(), number(&commit, "last"));
            let known = behind.entry(stream).or_insert(0);
            *known = last.max(*known);
        }
        for (table, category) in [(WAITEES, "waitee"), (WAITLISTS, "waitlist")] {
            for row in rows(dynamodb, table, &self.prefix).await {
                if is_being_told(&row, now) {
                    open.push(format!("{row:?}"));
                }
                let stream = format!("{category}-{}", text(&row, "id"));
                if behind.get(&stream) == Some(&number(&row, "seq")) {
                    behind.remove(&stream);
                }
            }
        }
        open.extend(behind.into_iter().map(|(stream, last)| format!("{stream}@{last}")));
        open
    }
}

/// Whether the message that a table is ready has no outcome yet. One that is no longer needed is not started
/// again, and stays unknown.
fn is_being_told(row: &Item, now: Time) -> bool {
    let messages = row.get("agenda").and_then(|agenda| agenda.as_m().ok()?.get("messages")?.as_l().ok());
    messages.into_iter().flatten().any(|message| {
        let message = message.as_m().unwrap();
        let is_open = match text(message, "standing") {
            "due" => true,
            "started" => {
                *message["again"].as_bool().unwrap() || now < text(message, "until").parse().unwrap()
            }
            _ => false,
        };
        is_open && text(message, "id").starts_with("table-ready")
    })
}

/// Returns a text attribute.
pub(crate) fn text<'i>(item: &'i Item, name: &str) -> &'i str {
    item[name].as_s().unwrap()
}

/// Returns a whole-number attribute.
pub(crate) fn number(item: &Item, name: &str) -> u64 {
    item[name].as_n().unwrap().parse().unwrap()
}
