//! The server dies between any two steps of erasing a guest and an account, and the next one finishes the
//! erasure.

use std::{
    collections::{HashMap, VecDeque},
    env,
    path::Path,
};

use aws_sdk_dynamodb::types::AttributeValue;
use infra::{Backend, Clock, Config, vault::Subject};
use schema::{
    Commit, StreamId, UserId, WaiteeId,
    table::{QUEUE, VAULT},
};
use serde_json::{Value, json};
use tempfile::TempDir;
use waitlist_tests::{
    account::PASSWORD,
    past::walk,
    process::{Server, engine},
    stage::Answer,
};

use super::kinds;
use crate::oracle::{Item, PATIENCE, POLL, Tables};

const EMAIL: &str = "ana@example.com";

/// An account and its guests over several runs of the server.
struct House {
    directory: TempDir,
    /// The points at which this run and the following ones die. The last run does not die.
    deaths: VecDeque<&'static str>,
    server: Server,
    tables: Tables,
}

impl House {
    async fn open(deaths: &[&'static str]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let (server, tables) = start(directory.path(), deaths.first()).await;
        Self { directory, deaths: deaths.iter().copied().collect(), server, tables }
    }

    /// Sends a request, and again after each death.
    async fn ask(&mut self, token: Option<&str>, path: &str, body: Value) -> Answer {
        let key = Clock::system().id(Clock::system().now()).to_string();
        loop {
            match self.server.send(token, "POST", path, Some(&body), &[("Idempotency-Key", &key)]).await {
                Ok(answer) => return answer,
                // The loop ends, because the number of deaths is bounded.
                Err(_) if !self.deaths.is_empty() => self.restart().await,
                Err(cause) => panic!("{path}: {cause}\n{}", self.server.logs()),
            }
        }
    }

    async fn create(&mut self, token: Option<&str>, path: &str, body: Value) -> Answer {
        let made = self.ask(token, path, body).await;
        assert_eq!(made.status, 201, "{path}: {made:?}");
        made
    }

    /// Waits for the death of the server and starts the next one on its data. Messages that it held are due
    /// again.
    async fn restart(&mut self) {
        self.deaths.pop_front();
        self.server.ended().await;
        (self.server, self.tables) = start(self.directory.path(), self.deaths.front()).await;
        // The server may have died again by now; then the next restart does this.
        for message in self.find_messages("erasures").await.unwrap_or_default() {
            let update = self.tables.dynamodb.update_item().table_name(QUEUE.name(&self.tables.prefix));
            let update = update.key("queue", message["queue"].clone()).key("id", message["id"].clone());
            let update = update
                .update_expression("SET visible_at = :now")
                .condition_expression("attribute_exists(id)");
            let _gone_already =
                update.expression_attribute_values(":now", AttributeValue::N("0".into())).send().await;
        }
    }

    async fn messages(&self, queue: &str) -> Vec<Item> {
        self.find_messages(queue).await.expect("the server is running")
    }

    async fn find_messages(&self, queue: &str) -> Option<Vec<Item>> {
        let query =
            self.tables.dynamodb.query().table_name(QUEUE.name(&self.tables.prefix)).consistent_read(true);
        let query =
            query.key_condition_expression("#queue = :queue").expression_attribute_names("#queue", "queue");
        let query = query.expression_attribute_values(":queue", AttributeValue::S(queue.into()));
        query.send().await.ok()?.items
    }

    async fn commits(&self, stream: impl Into<StreamId>) -> Vec<Commit> {
        let items = self.tables.commits(&stream.into().to_string()).await;
        items.into_iter().map(|item| serde_dynamo::from_item(item).unwrap()).collect()
    }

    async fn is_forgotten(&self, stream: StreamId) -> bool {
        kinds(&self.commits(stream).await).iter().any(|kind| kind.ends_with(".forgotten"))
    }

    /// Returns the vault's item of a subject.
    async fn key(&self, subject: Subject) -> HashMap<String, AttributeValue> {
        let get =
            self.tables.dynamodb.get_item().table_name(VAULT.name(&self.tables.prefix)).consistent_read(true);
        get.key("subject", AttributeValue::S(subject.to_string())).send().await.unwrap().item.unwrap()
    }

    /// Asserts that both are forgotten once and no message is left.
    async fn judge(&self, account: UserId, [erased, other]: [WaiteeId; 2]) {
        let streams: [StreamId; 2] = [erased.into(), account.into()];
        let done = async {
            while !(self.is_forgotten(streams[0]).await
                && self.is_forgotten(streams[1]).await
                && self.messages("erasures").await.is_empty())
            {
                tokio::time::sleep(POLL).await;
            }
        };
        if tokio::time::timeout(PATIENCE, done).await.is_err() {
            panic!("the erasures did not finish in time:\n{}", self.server.logs());
        }
        let of_account = kinds(&self.commits(account).await);
        assert_eq!(of_account, ["user.registered", "user.erased", "user.forgotten"]);
        assert_eq!(
            kinds(&self.commits(erased).await),
            ["waitee.joined", "waitee.removed", "waitee.erased", "waitee.forgotten"]
        );
        for stream in streams {
            walk(&self.commits(stream).await).unwrap();
        }
        let guest = |guest| Subject::Guest { account, guest };
        for subject in [Subject::Account(account), guest(erased)] {
            let key = self.key(subject).await;
            assert!(key["erased"] == AttributeValue::Bool(true) && !key.contains_key("wrapped"), "{key:?}");
        }
        // The other guest's wrapped key is still stored, but nothing opens it.
        assert!(self.key(guest(other)).await.contains_key("wrapped"));
        let sdk = engine(self.directory.path()).await;
        let config = Config::local(&self.tables.prefix, "", self.directory.path().join("keys"));
        let backend = Backend::new(&sdk, self.tables.dynamodb.clone(), &config, Clock::system()).unwrap();
        assert!(
            backend
                .vault
                .keys(&[Subject::Account(account), guest(erased), guest(other)])
                .await
                .unwrap()
                .is_empty()
        );
        for dead in ["erasures-dead", "retries", "failed-batches"] {
            assert_eq!(self.messages(dead).await, Vec::<Item>::new(), "{dead}");
        }
    }
}

/// Starts a server that dies at this point, or not at all. Returns it with its tables.
async fn start(directory: &Path, death: Option<&&'static str>) -> (Server, Tables) {
    let env: Vec<(&str, &str)> = death.iter().map(|death| ("WAITLIST_ABORT_AT", **death)).collect();
    let server = Server::start(directory, &env).await;
    (
        server,
        Tables {
            dynamodb: aws_sdk_dynamodb::Client::new(&engine(directory).await),
            prefix: "waitlist".into(),
        },
    )
}

/// Erases a guest and then the account over these deaths, then registers the address again.
async fn erased_over(deaths: &[&'static str]) {
    if env::var_os("AWS_ENDPOINT_URL_DYNAMODB").is_some() {
        println!("SKIPPED erasure: an engine must die with the server, so only the embedded one will do");
        return;
    }
    let mut house = House::open(deaths).await;
    let register = json!({ "email": EMAIL, "password": PASSWORD, "name": "Ana" });
    let account: UserId = house.create(None, "/v1/users", register.clone()).await.id().parse().unwrap();
    let signed_in = house.create(None, "/v1/sessions", json!({ "email": EMAIL, "password": PASSWORD })).await;
    let token = signed_in.body["access_token"].as_str().unwrap();
    let token = Some(token);
    let list = json!({ "name": "Main room", "time_zone": "America/Los_Angeles", "region": "US" });
    let parties = format!("/v1/waitlists/{}/waitees", house.create(token, "/v1/waitlists", list).await.id());
    let mut guests = Vec::new();
    for name in ["Ben", "Cleo"] {
        let joined = house
            .create(token, &parties, json!({ "name": name, "party_size": 2, "note": "high chair" }))
            .await;
        guests.push(joined.id().parse::<WaiteeId>().unwrap());
    }
    let erased = house.ask(token, &format!("/v1/waitees/{}/erase", guests[0]), json!({})).await;
    assert_eq!(erased.status, 202, "{erased:?}");
    let erased = house.ask(token, "/v1/me/erase", json!({ "current_password": PASSWORD })).await;
    // If the first answer was lost, the repeat is refused, because the account is erased.
    assert!(erased.status == 202 || !deaths.is_empty() && erased.status == 401, "{erased:?}");
    while !house.deaths.is_empty() {
        house.restart().await;
    }
    house.judge(account, [guests[0], guests[1]]).await;
    let again = house.server.send(None, "POST", "/v1/users", Some(&register), &[]).await.unwrap();
    assert_eq!(again.status, 201, "the address is free: {again:?}");
    assert_ne!(again.id(), account.to_string());
    assert_eq!(house.server.interrupt().await, Some(0));
}

#[tokio::test]
async fn without_a_death_both_are_forgotten() {
    erased_over(&[]).await;
}

#[tokio::test]
async fn a_death_before_the_message_is_sent_stops_no_erasure() {
    erased_over(&["intent.send:2"]).await;
    erased_over(&["intent.send:3"]).await;
}

#[tokio::test]
async fn a_death_after_the_message_was_sent_stops_no_erasure() {
    erased_over(&["intent.sent:2"]).await;
    erased_over(&["intent.sent:3"]).await;
}

#[tokio::test]
async fn a_death_before_the_first_step_stops_no_erasure() {
    erased_over(&["eraser.due"]).await;
    erased_over(&["eraser.due:2"]).await;
}

#[tokio::test]
async fn a_death_after_the_address_was_released_stops_no_erasure() {
    erased_over(&["eraser.released"]).await;
}

#[tokio::test]
async fn a_death_after_the_key_was_buried_stops_no_erasure() {
    erased_over(&["eraser.buried"]).await;
    erased_over(&["eraser.buried:2"]).await;
}

#[tokio::test]
async fn a_death_after_forgotten_was_appended_stops_no_erasure() {
    erased_over(&["eraser.forgotten"]).await;
    erased_over(&["eraser.forgotten:2"]).await;
}

#[tokio::test]
async fn deaths_after_every_step_stop_no_erasure() {
    erased_over(&["intent.sent:2", "eraser.due:2", "eraser.released", "eraser.buried", "eraser.forgotten"])
        .await;
}
