//! A backend on a real engine, with its own tables and a manual clock. The feed does not run unless a test
//! runs it.

mod engine;
mod owner;
mod request;

use std::{collections::HashMap, env, path::PathBuf, time::Duration};

use aws_config::SdkConfig;
use aws_sdk_dynamodb::types::{AttributeValue, PutRequest, WriteRequest};
use infra::{
    Backend, Clock, Config, Log, Rows,
    generations::Generations,
    limits::Bounds,
    log::{self, Item},
    secret::Links,
    setup, tables,
};
use projections::feed::{self, Doorbell};
use schema::{
    Commit, SessionId, StreamId, Time, UserId,
    table::{DECLARED, EVENTS, LOCAL, RowTable, Table},
};
use tempfile::TempDir;

pub use self::{
    engine::Engine,
    owner::Owner,
    request::{Answer, body, send, send_bytes},
};
use crate::{external, meter::Meter, rows};

/// A Friday evening in November, in California.
pub const EVENING: &str = "2026-11-21T03:00:00.000Z";

/// A test's own backend.
pub struct Stage {
    /// The adapters, with a manual clock.
    pub backend: Backend,
    /// A client of the engine whose calls are not metered.
    pub dynamodb: aws_sdk_dynamodb::Client,
    /// Counts the units of the adapters' calls.
    pub meter: Meter,
    /// The prefix of this test's tables.
    pub prefix: String,
    /// The SDK configuration of the engine.
    pub sdk: SdkConfig,
    /// The access key id that the engine demands.
    pub access_key: String,
    /// The key directory.
    pub keys: PathBuf,
    pub engine: Engine,
    /// None if the keys are another stage's.
    _directory: Option<TempDir>,
}

impl Stage {
    /// Creates tables and keys, and a clock that stands at [`EVENING`].
    pub async fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let clock = Clock::fixed(EVENING.parse::<Time>().unwrap());
        let keys = directory.path().to_owned();
        let stage = Self::without_rows(Engine::new().await, keys, clock, Some(directory)).await;
        setup::create_rows(&stage.dynamodb, &stage.prefix).await.unwrap();
        stage.backend.rows.generations().current().await.unwrap();
        stage
    }

    /// A stage on this one's engine with its keys and clock, and with empty tables of its own but those of rows.
    pub async fn beside(&self) -> Self {
        Self::without_rows(self.engine.clone(), self.keys.clone(), self.backend.clock.clone(), None).await
    }

    async fn without_rows(engine: Engine, keys: PathBuf, clock: Clock, directory: Option<TempDir>) -> Self {
        let prefix = format!("t{}", external::unique());
        // By an engine's own clock, items of a stage may have expired long ago.
        let tables: Vec<Table> =
            DECLARED.iter().chain(LOCAL).map(|table| Table { expiry: None, ..table.clone() }).collect();
        let dynamodb = aws_sdk_dynamodb::Client::new(&engine.direct);
        tables::create(&dynamodb, &prefix, &tables).await.unwrap();
        let meter = Meter::new(&prefix);
        let generations = Generations::new(Log::new(dynamodb.clone(), &prefix, clock.clone()), Duration::MAX);
        let metered = metered(&engine.direct, &meter);
        let backend = backend(&engine.sdk, metered, &config(&prefix, &keys), clock, generations);
        let (sdk, access_key) = (engine.sdk.clone(), engine.access_key.clone());
        Self { backend, dynamodb, meter, prefix, sdk, access_key, keys, engine, _directory: directory }
    }

    /// Returns a backend without cached data on the same tables and keys, as in another process.
    #[must_use]
    pub fn another(&self) -> Backend {
        self.backend_over(&self.sdk, self.metered())
    }

    /// Returns a backend on the same tables and keys that uses these clients, and the stage's set of generations.
    #[must_use]
    pub fn backend_over(&self, sdk: &SdkConfig, dynamodb: aws_sdk_dynamodb::Client) -> Backend {
        self.built(sdk, dynamodb, &config(&self.prefix, &self.keys), self.backend.clock.clone())
    }

    fn built(
        &self,
        sdk: &SdkConfig,
        dynamodb: aws_sdk_dynamodb::Client,
        config: &Config,
        clock: Clock,
    ) -> Backend {
        backend(sdk, dynamodb, config, clock, self.backend.rows.generations().clone())
    }

    /// The stage with a backend that reads the set of generations when it is older than this. Otherwise it was read
    /// once for ever, so that operations cost the same at any time.
    #[must_use]
    pub fn with_set_age(mut self, age_max: Duration) -> Self {
        let generations = Generations::new(self.backend.log.clone(), age_max);
        self.backend.rows = Rows::new(self.metered(), &self.prefix, generations);
        self
    }

    /// The full name of the table that reads of a projection's rows are served from.
    pub async fn live(&self, table: RowTable) -> String {
        rows::live(&self.dynamodb, &self.prefix, table).await.name(&self.prefix)
    }

    /// A client whose calls the stage's meter counts.
    #[must_use]
    pub fn metered(&self) -> aws_sdk_dynamodb::Client {
        metered(&self.engine.direct, &self.meter)
    }

    /// Returns the same backend with these bounds on attempts.
    #[must_use]
    pub fn bounded(&self, bounds: &str) -> Backend {
        let config = Config { bounds: Bounds::parse(bounds).unwrap(), ..config(&self.prefix, &self.keys) };
        self.built(&self.sdk, self.metered(), &config, self.backend.clock.clone())
    }

    /// Returns the secret that signs tokens in links.
    #[must_use]
    pub fn links(&self) -> Links {
        Links::load_or_create(&self.keys).unwrap()
    }

    /// Returns a log on this stage's table that uses the given client.
    #[must_use]
    pub fn log_over(&self, client: aws_sdk_dynamodb::Client) -> Log {
        Log::new(client, &self.prefix, self.backend.clock.clone())
    }

    /// Returns all commits of a stream. The read is not metered.
    pub async fn commits(&self, stream: impl Into<StreamId>) -> Vec<Commit> {
        self.log_over(self.dynamodb.clone()).load(stream.into()).await.unwrap()
    }

    /// Returns a stored commit as its raw item.
    pub async fn item(&self, stream: impl Into<StreamId>, seq: u64) -> Item {
        let get = self.dynamodb.get_item().table_name(EVENTS.name(&self.prefix)).consistent_read(true);
        let get = get
            .key("stream", AttributeValue::S(stream.into().to_string()))
            .key("seq", AttributeValue::N(seq.to_string()));
        get.send().await.unwrap().item.unwrap()
    }

    /// Puts commits into the log directly, many at once.
    pub async fn put_past(&self, commits: &[Commit]) {
        const ITEMS_AT_ONCE: usize = 25; // DynamoDB's own bound on BatchWriteItem
        for some in commits.chunks(ITEMS_AT_ONCE) {
            let put =
                |commit| PutRequest::builder().set_item(Some(log::encode(commit).unwrap())).build().unwrap();
            let puts = some.iter().map(|commit| WriteRequest::builder().put_request(put(commit)).build());
            let mut left = HashMap::from([(EVENTS.name(&self.prefix), puts.collect::<Vec<_>>())]);
            while !left.is_empty() {
                let answer =
                    self.dynamodb.batch_write_item().set_request_items(Some(left)).send().await.unwrap();
                left = answer.unprocessed_items.unwrap_or_default();
            }
        }
    }

    /// Alters a stored commit directly.
    pub async fn overwrite(&self, stream: impl Into<StreamId>, seq: u64, field: &str, text: &str) {
        let mut item = self.item(stream, seq).await;
        item.insert(field.to_owned(), AttributeValue::S(text.to_owned()));
        self.dynamodb
            .put_item()
            .table_name(EVENTS.name(&self.prefix))
            .set_item(Some(item))
            .send()
            .await
            .unwrap();
    }

    /// Projects a stream as its last commit's record does.
    pub async fn project(&self, stream: impl Into<StreamId>) {
        let last = self.commits(stream).await.pop().unwrap();
        let doorbell = Doorbell { stream: last.stream, last: last.last, commits: vec![last] };
        feed::apply(&self.backend, &doorbell).await.unwrap();
    }

    /// Host and port of the engine.
    #[must_use]
    pub fn engine_address(&self) -> String {
        self.endpoint().trim_start_matches("http://").trim_end_matches('/').to_owned()
    }

    /// Whether the engine counts read units right: ministack counts strongly consistent reads as eventually
    /// consistent.
    #[must_use]
    pub fn counts_reads(&self) -> bool {
        !external::is_on("ministack")
    }

    /// Whether the engine counts all units as AWS documents them. DynamoDB Local counts nothing for an empty
    /// result, and a transaction like single writes.
    #[must_use]
    pub fn counts_as_documented(&self) -> bool {
        self.counts_reads() && !external::is_on("dynamodb-local")
    }

    /// Whether this is the embedded engine, which counts all units as AWS documents them.
    #[must_use]
    pub fn is_embedded(&self) -> bool {
        !external::is_external()
    }

    /// Returns a backend on the same tables and keys with the system clock, as the processes that a test
    /// starts.
    #[must_use]
    pub fn on_system_time(&self) -> Backend {
        let config = config(&self.prefix, &self.keys);
        self.built(&self.sdk, self.dynamodb.clone(), &config, Clock::system())
    }

    /// The engine's address, for the environment of another process.
    #[must_use]
    pub fn endpoint(&self) -> String {
        self.sdk
            .endpoint_url()
            .map(str::to_owned)
            .or_else(|| env::var(external::ENDPOINT).ok())
            .expect("the engine has an address")
    }

    /// Returns an account that uses a token of the command line.
    #[must_use]
    pub fn owner(&self) -> Owner<'_> {
        self.owner_with(UserId(self.backend.clock.id(self.backend.clock.now())), None)
    }

    /// Returns an account with this id and session.
    #[must_use]
    pub fn owner_with(&self, id: UserId, session: Option<SessionId>) -> Owner<'_> {
        Owner { stage: self, id, session, operator: false }
    }

    /// Returns an account that may perform system-wide operations.
    #[must_use]
    pub fn operator(&self) -> Owner<'_> {
        Owner { operator: true, ..self.owner() }
    }
}

fn config(prefix: &str, keys: &std::path::Path) -> Config {
    Config::local(prefix, "https://waitlist.example", keys.to_owned())
}

fn backend(
    sdk: &SdkConfig,
    dynamodb: aws_sdk_dynamodb::Client,
    config: &Config,
    clock: Clock,
    generations: Generations,
) -> Backend {
    let rows = Rows::new(dynamodb.clone(), &config.prefix, generations);
    Backend { rows, ..Backend::new(sdk, dynamodb, config, clock).unwrap() }
}

/// A client whose calls the meter counts.
fn metered(sdk: &SdkConfig, meter: &Meter) -> aws_sdk_dynamodb::Client {
    aws_sdk_dynamodb::Client::from_conf(
        aws_sdk_dynamodb::config::Builder::from(sdk).interceptor(meter.clone()).build(),
    )
}
