//! A backend on a real engine with tables of its own, a clock that stands still, and no feed unless a test runs one.

use std::{collections::HashMap, env, path::PathBuf, sync::OnceLock, time::Duration};

use aws_config::{SdkConfig, timeout::TimeoutConfig};
use aws_sdk_dynamodb::types::{AttributeValue, PutRequest, WriteRequest};
use bytes::Bytes;
use infra::{
    Backend, Clock, Config, Log,
    clock::random,
    http::{Principal, Request},
    limits::Bounds,
    log::{Appended, Item},
    tables,
    vault::Subject,
};
use local::engine::Engine;
use projections::feed::{self, Doorbell};
use schema::{
    Actor, Commit, SessionId, StreamId, Time, UserId,
    commit::{Author, Tail},
    mail::Kind,
    route::{self, Role},
    sealed::Personal,
    table::{DEPLOYED, EVENTS, LOCAL, Table},
    user::{Event, Registered},
    value::{Email, Name, PasswordHash},
};
use serde_json::Value;
use tempfile::TempDir;

use crate::meter::Meter;

/// A Friday evening in November, in California.
pub const EVENING: &str = "2026-11-21T03:00:00.000Z";

/// How long a test waits for one answer of the engine.
const PATIENCE: Duration = Duration::from_secs(60);
/// What names the engine under test, and leads the SDK there.
pub const ENDPOINT: &str = "AWS_ENDPOINT_URL_DYNAMODB";

/// A backend of a test's own.
pub struct Stage {
    /// The adapters, on a clock that stands still.
    pub backend: Backend,
    /// A client of the engine, past the adapters and past the meter.
    pub dynamodb: aws_sdk_dynamodb::Client,
    /// What the adapters' calls cost.
    pub meter: Meter,
    /// What this test's table names start with.
    pub prefix: String,
    /// How to reach the engine.
    pub sdk: SdkConfig,
    /// The access key id that the engine asks for.
    pub access_key: String,
    /// Where the keys are.
    pub keys: PathBuf,
    _directory: TempDir,
}

/// What came back for a request.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The headers.
    pub headers: http::HeaderMap,
    /// The JSON body; null when there is none.
    pub body: Value,
}

impl Answer {
    /// A header's text; empty when it is not there.
    #[must_use]
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// The `id` of the body.
    #[must_use]
    pub fn id(&self) -> String {
        self.body["id"].as_str().unwrap_or_else(|| panic!("no id in {self:?}")).to_owned()
    }
}

/// The engine under test: the one that the environment names, else one embedded engine for the whole test process. With the
/// access key id for clients of a test's own.
async fn engine() -> (SdkConfig, String) {
    if env::var_os(ENDPOINT).is_some() {
        let access_key = env::var("AWS_ACCESS_KEY_ID").unwrap_or_else(|_| "test".to_owned());
        return (infra::aws::config().await, access_key);
    }
    let (url, access_key) = embedded();
    (infra::aws::local(&url, &access_key).await, access_key)
}

/// Lives on a runtime of its own: the runtime of the test that came first ends with that test.
fn embedded() -> (String, String) {
    static ENGINE: OnceLock<(String, String)> = OnceLock::new();
    ENGINE
        .get_or_init(|| {
            let (send, receive) = std::sync::mpsc::channel();
            std::thread::spawn(move || {
                let runtime = tokio::runtime::Builder::new_multi_thread()
                    .worker_threads(2)
                    .enable_all()
                    .build()
                    .unwrap();
                runtime.block_on(async {
                    let directory = tempfile::tempdir().unwrap();
                    let engine = Engine::start(directory.path(), &[], "test").unwrap();
                    send.send((engine.url().to_owned(), engine.access_key().to_owned())).unwrap();
                    std::future::pending::<()>().await;
                });
            });
            receive.recv().unwrap()
        })
        .clone()
}

impl Stage {
    /// Fresh tables, fresh keys, and a clock that stands at [`EVENING`].
    pub async fn new() -> Self {
        let prefix = format!("t{}", data_encoding::HEXLOWER.encode(&random::<6>()));
        // To an engine's own clock, what expires on a stage may be over long ago.
        let tables: Vec<Table> =
            DEPLOYED.iter().chain(LOCAL).map(|table| Table { expiry: None, ..*table }).collect();
        // What a host at the door would not wait for is no fault of an engine that shares a busy machine with other tests.
        let patient = TimeoutConfig::builder().operation_attempt_timeout(PATIENCE).build();
        let (sdk, access_key) = engine().await;
        let sdk = sdk.into_builder().timeout_config(patient).build();
        let dynamodb = aws_sdk_dynamodb::Client::new(&sdk);
        tables::create(&dynamodb, &prefix, &tables).await.unwrap();
        let directory = tempfile::tempdir().unwrap();
        let keys = directory.path().to_owned();
        let clock = Clock::fixed(EVENING.parse::<Time>().unwrap());
        let meter = Meter::new(&prefix);
        let backend = Backend::new(&sdk, metered(&sdk, &meter), &config(&prefix, &keys), clock).unwrap();
        Self { backend, dynamodb, meter, prefix, sdk, access_key, keys, _directory: directory }
    }

    /// The same tables and keys for another process, as it were: nothing cached.
    #[must_use]
    pub fn another(&self) -> Backend {
        Backend::new(&self.sdk, self.metered(), &config(&self.prefix, &self.keys), self.backend.clock.clone())
            .unwrap()
    }

    /// A client whose calls the stage's meter counts.
    #[must_use]
    pub fn metered(&self) -> aws_sdk_dynamodb::Client {
        metered(&self.sdk, &self.meter)
    }

    /// The same backend with these bounds on tries.
    #[must_use]
    pub fn bounded(&self, bounds: &str) -> Backend {
        let config = Config { bounds: Bounds::parse(bounds).unwrap(), ..config(&self.prefix, &self.keys) };
        Backend::new(&self.sdk, metered(&self.sdk, &self.meter), &config, self.backend.clock.clone()).unwrap()
    }

    /// A log in this stage's table over a client of the test's choice.
    #[must_use]
    pub fn log_over(&self, client: aws_sdk_dynamodb::Client) -> Log {
        Log::new(client, &self.prefix, self.backend.clock.clone())
    }

    /// All commits of a stream, read past the meter.
    pub async fn commits(&self, stream: impl Into<StreamId>) -> Vec<Commit> {
        self.log_over(self.dynamodb.clone()).load(stream.into()).await.unwrap()
    }

    /// A stored commit, as the raw item it is.
    pub async fn item(&self, stream: impl Into<StreamId>, seq: u64) -> Item {
        let get = self.dynamodb.get_item().table_name(EVENTS.name(&self.prefix)).consistent_read(true);
        let get = get
            .key("stream", AttributeValue::S(stream.into().to_string()))
            .key("seq", AttributeValue::N(seq.to_string()));
        get.send().await.unwrap().item.unwrap()
    }

    /// Puts a long past into the log at once, past the adapters; the audit index does not show it.
    pub async fn put_past(&self, commits: &[Commit]) {
        const ITEMS_AT_ONCE: usize = 25; // DynamoDB's own bound on BatchWriteItem
        for some in commits.chunks(ITEMS_AT_ONCE) {
            let put = |commit| {
                PutRequest::builder().set_item(Some(serde_dynamo::to_item(commit).unwrap())).build().unwrap()
            };
            let puts = some.iter().map(|commit| WriteRequest::builder().put_request(put(commit)).build());
            let mut left = HashMap::from([(EVENTS.name(&self.prefix), puts.collect::<Vec<_>>())]);
            while !left.is_empty() {
                let answer =
                    self.dynamodb.batch_write_item().set_request_items(Some(left)).send().await.unwrap();
                left = answer.unprocessed_items.unwrap_or_default();
            }
        }
    }

    /// Alters a stored commit, as nobody may.
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

    /// Brings the rows of a stream up to date, as its last commit's record does.
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

    /// Whether the engine's read units can be trusted: ministack charges strong reads as if they were not.
    #[must_use]
    pub fn counts_reads(&self) -> bool {
        !self.is_on("ministack")
    }

    /// Whether all its units are as AWS documents them: DynamoDB Local charges nothing for finding nothing, and a transaction as
    /// if it were none.
    #[must_use]
    pub fn counts_as_documented(&self) -> bool {
        self.counts_reads() && !self.is_on("dynamodb-local")
    }

    /// Whether this is the engine of that name: what an engine is known to get wrong is left out there, and only there.
    #[must_use]
    pub fn is_on(&self, engine: &str) -> bool {
        env::var("WAITLIST_ENGINE").is_ok_and(|name| name == engine)
    }

    /// Whether this is the embedded engine, which counts all units as AWS documents them.
    #[must_use]
    pub fn is_embedded(&self) -> bool {
        env::var_os(ENDPOINT).is_none()
    }

    /// The same tables and keys by the system's clock, as the processes see them that a test starts.
    #[must_use]
    pub fn on_system_time(&self) -> Backend {
        Backend::new(&self.sdk, self.dynamodb.clone(), &config(&self.prefix, &self.keys), Clock::system())
            .unwrap()
    }

    /// Where the engine is, for the environment of another process.
    #[must_use]
    pub fn endpoint(&self) -> String {
        self.sdk
            .endpoint_url()
            .map(str::to_owned)
            .or_else(|| env::var(ENDPOINT).ok())
            .expect("the engine has an address")
    }

    /// An account with lists of its own, which the command line made a token for.
    #[must_use]
    pub fn owner(&self) -> Owner<'_> {
        self.owner_with(UserId(self.backend.clock.id(self.backend.clock.now())), None)
    }

    /// As [`Stage::owner`], with this id and perhaps a session.
    #[must_use]
    pub fn owner_with(&self, id: UserId, session: Option<SessionId>) -> Owner<'_> {
        Owner { stage: self, id, session }
    }
}

fn config(prefix: &str, keys: &std::path::Path) -> Config {
    Config::local(prefix, "https://waitlist.example", keys.to_owned())
}

/// A client whose calls the meter counts.
fn metered(sdk: &SdkConfig, meter: &Meter) -> aws_sdk_dynamodb::Client {
    aws_sdk_dynamodb::Client::from_conf(
        aws_sdk_dynamodb::config::Builder::from(sdk).interceptor(meter.clone()).build(),
    )
}

/// An account, talking to the handlers as API Gateway would.
#[derive(Clone, Copy)]
pub struct Owner<'s> {
    pub(crate) stage: &'s Stage,
    /// Its id.
    pub id: UserId,
    /// The session it asks by, if any.
    pub session: Option<SessionId>,
}

impl Owner<'_> {
    /// A request with this account's principal, by way of the router to the handler.
    pub async fn send(
        &self,
        method: &str,
        path: &str,
        body: Option<&Value>,
        headers: &[(&str, &str)],
    ) -> Answer {
        let exp = self.stage.backend.clock.now().millis() / 1000 + 900;
        let principal = Principal::User { id: self.id, exp, session: self.session, operator: false };
        send(&self.stage.backend, Some(principal), method, path, body, headers).await
    }

    /// GET.
    pub async fn get(&self, path: &str) -> Answer {
        self.send("GET", path, None, &[]).await
    }

    /// POST.
    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.send("POST", path, Some(&body), &[]).await
    }

    /// A new list, open; its id.
    pub async fn list(&self, name: &str) -> String {
        self.list_with(serde_json::json!({ "name": name })).await
    }

    /// The same, with settings of the test's choice.
    pub async fn list_with(&self, settings: Value) -> String {
        let mut body =
            serde_json::json!({ "name": "Main room", "time_zone": "America/Los_Angeles", "region": "US" });
        body.as_object_mut().unwrap().extend(settings.as_object().unwrap().clone());
        let made = self.post("/v1/waitlists", body).await;
        assert_eq!(made.status, 201, "{made:?}");
        made.id()
    }

    /// A party on a list; its id. The clock moves on by a second, so that parties stand in the order of their joining.
    pub async fn join(&self, list: &str, name: &str) -> String {
        let joined = self
            .post(
                &format!("/v1/waitlists/{list}/waitees"),
                serde_json::json!({ "name": name, "party_size": 2 }),
            )
            .await;
        assert_eq!(joined.status, 201, "{joined:?}");
        self.stage.backend.clock.advance_millis(1_000);
        joined.id()
    }
}

/// What the account's own stream says, past the handlers.
impl Owner<'_> {
    /// An account registered, as `name`, with this address and no password that fits; its welcome mail was asked for.
    pub async fn registered(&self, name: &str, email: &str) {
        let (vault, account, stream) =
            (&self.stage.backend.vault, Subject::Account(self.id), StreamId::from(self.id));
        let key = match vault.key(account).await.unwrap() {
            Some(key) => key,
            None => vault.create(account).await.unwrap(),
        };
        let registered = Registered {
            name: key.seal(stream, &Name::parse(name).unwrap()),
            email: key.seal(stream, &Email::parse(email).unwrap()),
            password: key.seal(stream, &PasswordHash::from_clear("$argon2id$v=19$nobodys".into())),
        };
        self.happened(Event::Registered(registered)).await;
        self.asked(Kind::Welcome).await;
    }

    /// This happened to the account; what a reader who knows of it sends as Sync-Token.
    pub async fn happened(&self, event: Event) -> String {
        let (stream, clock) = (StreamId::from(self.id), &self.stage.backend.clock);
        let tail = self.stage.commits(stream).await.last().map_or(Tail::EMPTY, Commit::tail);
        let at = tail.now(clock.now());
        let author = Author {
            tenant: self.id,
            actor: Actor::User(self.id),
            command: None,
            correlation: "stage".into(),
            causation: None,
        };
        let commit = Commit::new(stream, &tail, at, clock.id(at), &author, &[event]).unwrap();
        let log = self.stage.log_over(self.stage.dynamodb.clone());
        assert_eq!(log.append(std::slice::from_ref(&commit), Vec::new()).await.unwrap(), Appended::Landed);
        format!("{stream}@{}", commit.last)
    }
}

/// A request to the handler it is for. `path` may carry a query.
pub async fn send(
    backend: &Backend,
    principal: Option<Principal>,
    method: &str,
    path: &str,
    body: Option<&Value>,
    headers: &[(&str, &str)],
) -> Answer {
    let headers = [&[("content-type", "application/json")], headers].concat();
    let body = body.map(|body| body.to_string().into()).unwrap_or_default();
    send_bytes(backend, principal, method, path, body, &headers).await
}

/// A request whose body is these bytes, whatever they are, and which has these headers and no others.
pub async fn send_bytes(
    backend: &Backend,
    principal: Option<Principal>,
    method: &str,
    path: &str,
    body: Bytes,
    headers: &[(&str, &str)],
) -> Answer {
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let mut map = http::HeaderMap::new();
    for (name, value) in headers {
        map.append(
            http::HeaderName::from_bytes(name.as_bytes()).unwrap(),
            http::HeaderValue::from_bytes(value.as_bytes()).unwrap(),
        );
    }
    let request = Request {
        method: method.to_owned(),
        path: path.to_owned(),
        query: query.to_owned(),
        headers: map,
        body,
        request_id: backend.clock.id(backend.clock.now()).to_string(),
        address: None,
        principal,
    };
    let response = match route::find(method, path).map(|(entry, _)| entry.role()) {
        Ok(Role::Accounts) => commands::accounts::handle(backend, request).await,
        Ok(Role::Hosts) => commands::hosts::handle(backend, request).await,
        Ok(Role::Guests) => commands::guests::handle(backend, request).await,
        Ok(Role::Reads) | Err(_) => projections::handler::handle(backend, request).await,
    };
    let (parts, bytes) = response.into_parts();
    let body = if bytes.is_empty() { Value::Null } else { serde_json::from_slice(&bytes).unwrap() };
    Answer { status: parts.status.as_u16(), headers: parts.headers, body }
}
