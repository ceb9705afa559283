//! Where a server of a test's own lives: its data directory, and its tables on whichever engine is under test.

use std::{env, path::Path, time::Duration};

use aws_sdk_dynamodb::Client;
use schema::table::{EVENTS, WAITEES, WAITLISTS};
use serde_json::Value;
use tempfile::TempDir;
use waitlist_tests::process::{Ran, Server, run};

use crate::raw::{Item, scan};

/// For how long rows may take to show what the log holds. Machines that build and test at once are slow.
const CATCH_UP_MAX: Duration = Duration::from_secs(120);
const POLL: Duration = Duration::from_millis(100);

/// A data directory, and the prefix of the tables that its server makes.
pub(crate) struct Place {
    directory: TempDir,
    pub(crate) prefix: String,
}

impl Place {
    /// On an engine that others use too, the tables need names of their own.
    pub(crate) fn new() -> Self {
        let own = format!("j{}", data_encoding::HEXLOWER.encode(&infra::clock::random::<6>()));
        let prefix = if is_external() { own } else { infra::config::PREFIX_DEFAULT.to_owned() };
        Self { directory: tempfile::tempdir().unwrap(), prefix }
    }

    pub(crate) fn path(&self) -> &Path {
        self.directory.path()
    }

    /// Starts a server here, with these variables besides.
    pub(crate) async fn serve(&self, env: &[(&str, &str)]) -> Server {
        self.serve_with(&[], env).await
    }

    /// The same, with these arguments besides.
    pub(crate) async fn serve_with(&self, args: &[&str], env: &[(&str, &str)]) -> Server {
        let env = [env, &[("WAITLIST_PREFIX", self.prefix.as_str())]].concat();
        Server::start_with(self.path(), args, &env).await
    }

    /// Runs another command here.
    pub(crate) async fn run(&self, args: &[&str]) -> Ran {
        run(self.path(), args, &[("WAITLIST_PREFIX", self.prefix.as_str())]).await
    }

    /// A client of the running server's engine, past the server.
    pub(crate) async fn dynamodb(&self) -> Client {
        if is_external() {
            return Client::new(&infra::aws::config().await);
        }
        let running = std::fs::read_to_string(self.path().join("server.json")).unwrap();
        let running: Value = serde_json::from_str(&running).unwrap();
        Client::new(&infra::aws::local(running["engine"].as_str().unwrap()).await)
    }

    /// Waits, without a request to the server, until the rows of both read models show all that the log holds.
    pub(crate) async fn settled(&self, server: &Server) {
        let dynamodb = self.dynamodb().await;
        let caught_up = async {
            while !self.is_settled(&dynamodb).await {
                tokio::time::sleep(POLL).await;
            }
        };
        if tokio::time::timeout(CATCH_UP_MAX, caught_up).await.is_err() {
            panic!("the rows do not show all that the log holds:\n{}", server.logs());
        }
    }

    async fn is_settled(&self, dynamodb: &Client) -> bool {
        let mut behind = std::collections::BTreeMap::new();
        for commit in scan(dynamodb, &EVENTS, &self.prefix).await {
            let (stream, last) = (text(&commit, "stream").to_owned(), number(&commit, "last"));
            let known = behind.entry(stream).or_insert(0);
            *known = last.max(*known);
        }
        for (table, category) in [(&WAITEES, "waitee"), (&WAITLISTS, "waitlist")] {
            for row in scan(dynamodb, table, &self.prefix).await {
                let stream = format!("{category}-{}", text(&row, "id"));
                if behind.get(&stream) == Some(&number(&row, "seq")) {
                    behind.remove(&stream);
                }
            }
        }
        behind.is_empty()
    }
}

/// Whether the environment names the engine; otherwise each server embeds one.
pub(crate) fn is_external() -> bool {
    env::var_os("AWS_ENDPOINT_URL_DYNAMODB").is_some()
}

/// An attribute that is text.
pub(crate) fn text<'i>(item: &'i Item, name: &str) -> &'i str {
    item[name].as_s().unwrap()
}

/// An attribute that is a whole number.
pub(crate) fn number(item: &Item, name: &str) -> u64 {
    item[name].as_n().unwrap().parse().unwrap()
}
