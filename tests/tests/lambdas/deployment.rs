//! A deployment of built lambdas on tables of their own, and what stands before them in AWS: API Gateway, and the stream.

use std::{collections::HashMap, path::PathBuf, time::Duration};

use aws_sdk_dynamodb::types::AttributeValue as Stored;
use aws_sdk_dynamodbstreams::{
    Client as Streams,
    types::{AttributeValue, Record, ShardIteratorType},
};
use data_encoding::BASE64;
use infra::{Backend, Clock, token::TokenKey};
use schema::{
    Time, UserId, WaiteeId,
    route::{self, Role},
    table::{EVENTS, WAITEES},
};
use serde_json::{Map, Value, json};
use tokio::sync::OnceCell;
use waitlist_tests::{binaries::built, events::HttpRequest, runtime_api::Function, stage::Stage};

pub(crate) const PUBLIC_URL: &str = "https://waitlist.example";

/// A stream shows what was written within moments; an engine that takes longer shows it never.
const STREAM_POLLS_MAX: u32 = 200;
const STREAM_POLL: Duration = Duration::from_millis(50);

/// The lambdas that one request may pass, each started when it is first needed.
pub(crate) struct Deployment {
    pub(crate) stage: Stage,
    authorizer: OnceCell<Function>,
    accounts: OnceCell<Function>,
    hosts: OnceCell<Function>,
    guests: OnceCell<Function>,
    reads: OnceCell<Function>,
    projector: OnceCell<Function>,
    reactor: OnceCell<Function>,
    eraser: OnceCell<Function>,
    sender: OnceCell<Function>,
    tick: OnceCell<Function>,
}

/// What API Gateway makes of a function's answer.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Answer {
    pub(crate) status: u64,
    pub(crate) headers: HashMap<String, String>,
    /// The JSON in the body; null when there is no body.
    pub(crate) body: Value,
}

impl Deployment {
    pub(crate) async fn new() -> Self {
        let stage = Stage::new().await;
        Self {
            stage,
            authorizer: OnceCell::new(),
            accounts: OnceCell::new(),
            hosts: OnceCell::new(),
            guests: OnceCell::new(),
            reads: OnceCell::new(),
            projector: OnceCell::new(),
            reactor: OnceCell::new(),
            eraser: OnceCell::new(),
            sender: OnceCell::new(),
            tick: OnceCell::new(),
        }
    }

    /// A lambda of this deployment with a variable more or, where the value is empty, one less.
    pub(crate) fn start(&self, name: &str, more: &[(&str, &str)]) -> Function {
        let (endpoint, keys) = (self.stage.endpoint(), self.stage.keys.display().to_string());
        let usual = [
            ("AWS_ENDPOINT_URL_DYNAMODB", endpoint.as_str()),
            ("AWS_ACCESS_KEY_ID", self.stage.access_key.as_str()),
            ("WAITLIST_PREFIX", self.stage.prefix.as_str()),
            ("WAITLIST_KEYS_DIR", keys.as_str()),
            ("WAITLIST_PUBLIC_URL", PUBLIC_URL),
        ];
        let without = |name: &&str| more.contains(&(*name, ""));
        let env: Vec<(&str, &str)> = usual
            .iter()
            .filter(|(name, _)| !without(name))
            .chain(more.iter().filter(|(_, value)| !value.is_empty()))
            .copied()
            .collect();
        Function::start(&built(name), &env)
    }

    pub(crate) async fn authorizer(&self) -> &Function {
        self.authorizer.get_or_init(async || self.start("authorizer", &[])).await
    }

    pub(crate) async fn hosts(&self) -> &Function {
        self.hosts.get_or_init(async || self.start("hosts", &[])).await
    }

    pub(crate) async fn accounts(&self) -> &Function {
        self.accounts.get_or_init(async || self.start("accounts", &[])).await
    }

    pub(crate) async fn guests(&self) -> &Function {
        self.guests.get_or_init(async || self.start("guests", &[])).await
    }

    pub(crate) async fn reads(&self) -> &Function {
        self.reads.get_or_init(async || self.start("reads", &[])).await
    }

    pub(crate) async fn projector(&self) -> &Function {
        self.projector.get_or_init(async || self.start("projector", &[])).await
    }

    pub(crate) async fn reactor(&self) -> &Function {
        self.reactor.get_or_init(async || self.start("reactor", &[])).await
    }

    pub(crate) async fn eraser(&self) -> &Function {
        self.eraser.get_or_init(async || self.start("eraser", &[])).await
    }

    /// Mails and texts go into the outbox.
    pub(crate) async fn sender(&self) -> &Function {
        let outbox = self.outbox().display().to_string();
        self.sender.get_or_init(async || self.start("deliver", &[("WAITLIST_OUTBOX_DIR", &outbox)])).await
    }

    pub(crate) fn outbox(&self) -> PathBuf {
        self.stage.keys.join("outbox")
    }

    pub(crate) async fn tick(&self) -> &Function {
        self.tick.get_or_init(async || self.start("tick", &[])).await
    }

    /// Ends every lambda that was started; all they ever wrote.
    pub(crate) async fn stop(self) -> String {
        let mut logs = String::new();
        let api = [self.authorizer, self.accounts, self.hosts, self.guests, self.reads];
        let started =
            api.into_iter().chain([self.projector, self.reactor, self.eraser, self.sender, self.tick]);
        for function in started {
            if let Some(function) = function.into_inner() {
                logs += &function.stop().await;
            }
        }
        logs
    }

    /// A request on its way through API Gateway: past the authorizer, which never refuses, to the function of its route.
    pub(crate) async fn send(&self, request: HttpRequest) -> Answer {
        let said = self.authorizer().await.invoke(request.authorizer_event()).await.unwrap();
        assert_eq!(
            said["isAuthorized"], true,
            "an authorizer that refuses makes API Gateway answer in words of its own"
        );
        self.deliver(request.authorized(said["context"].clone()).event()).await
    }

    /// An event of API Gateway to the function that it is for.
    pub(crate) async fn deliver(&self, event: Value) -> Answer {
        let (method, path) =
            (event["requestContext"]["http"]["method"].as_str().unwrap(), event["rawPath"].as_str().unwrap());
        let function = match route::find(method, path).map(|(entry, _)| entry.role()) {
            Ok(Role::Accounts) => self.accounts().await,
            Ok(Role::Hosts) => self.hosts().await,
            Ok(Role::Guests) => self.guests().await,
            Ok(Role::Reads) | Err(_) => self.reads().await,
        };
        accepted(&function.invoke(event).await.unwrap())
    }

    /// An account, with a token that ends in a quarter of an hour.
    pub(crate) fn host(&self) -> Host<'_> {
        let clock = Clock::system();
        let id = UserId(clock.id(clock.now()));
        Host { deployment: self, id, token: self.token(id, clock.now()) }
    }

    /// A token issued at `at`, good for a quarter of an hour.
    pub(crate) fn token(&self, id: UserId, at: Time) -> String {
        TokenKey::load_or_create(&self.stage.keys).unwrap().mint(id, at, 900).unwrap()
    }

    /// The adapters, by the clock that the lambdas go by.
    pub(crate) fn backend(&self) -> Backend {
        self.stage.on_system_time()
    }

    /// A row's due time has long come.
    pub(crate) async fn overdue(&self, visit: WaiteeId) {
        let update = self.stage.dynamodb.update_item().table_name(WAITEES.name(&self.stage.prefix));
        let update = update.key("id", Stored::S(visit.to_string())).update_expression("SET due_at = :at");
        update
            .expression_attribute_values(":at", Stored::S("2026-01-01T00:00:00.000Z".into()))
            .send()
            .await
            .unwrap();
    }

    /// Puts an item into the log, as nobody may.
    pub(crate) async fn put(&self, item: HashMap<String, Stored>) {
        self.stage
            .dynamodb
            .put_item()
            .table_name(EVENTS.name(&self.stage.prefix))
            .set_item(Some(item))
            .send()
            .await
            .unwrap();
    }

    /// What the stream of the events table holds, once it holds this many records, as the events of a stream mapping.
    pub(crate) async fn stream(&self, records: usize) -> Value {
        let streams = Streams::new(&self.stage.sdk);
        for _ in 0..STREAM_POLLS_MAX {
            let read = self.read_stream(&streams).await;
            if read.len() >= records {
                assert_eq!(read.len(), records, "{read:?}");
                return json!({ "Records": read });
            }
            tokio::time::sleep(STREAM_POLL).await;
        }
        panic!("the stream does not show {records} records");
    }

    async fn read_stream(&self, streams: &Streams) -> Vec<Value> {
        let table = self
            .stage
            .dynamodb
            .describe_table()
            .table_name(EVENTS.name(&self.stage.prefix))
            .send()
            .await
            .unwrap()
            .table
            .unwrap();
        let arn = table.latest_stream_arn.unwrap();
        let described =
            streams.describe_stream().stream_arn(&arn).send().await.unwrap().stream_description.unwrap();
        let mut read = Vec::new();
        for shard in described.shards() {
            let from = streams.get_shard_iterator().stream_arn(&arn).shard_id(shard.shard_id().unwrap());
            let mut next =
                from.shard_iterator_type(ShardIteratorType::TrimHorizon).send().await.unwrap().shard_iterator;
            while let Some(iterator) = next {
                let page = streams.get_records().shard_iterator(iterator).send().await.unwrap();
                next = page.next_shard_iterator.filter(|_| !page.records.as_ref().is_none_or(Vec::is_empty));
                read.extend(
                    page.records
                        .unwrap_or_default()
                        .into_iter()
                        .map(|record| as_lambda_gets_it(record, &arn)),
                );
            }
        }
        read
    }
}

/// An account, talking to the deployment over API Gateway.
pub(crate) struct Host<'d> {
    deployment: &'d Deployment,
    pub(crate) id: UserId,
    pub(crate) token: String,
}

impl Host<'_> {
    pub(crate) fn request(&self, method: &str, path: &str) -> HttpRequest {
        HttpRequest::new(method, path).header("Authorization", &format!("Bearer {}", self.token))
    }

    pub(crate) async fn get(&self, path: &str, sync_token: &str) -> Answer {
        let request = self.request("GET", path);
        let request = if sync_token.is_empty() { request } else { request.header("Sync-Token", sync_token) };
        self.deployment.send(request).await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Answer {
        self.deployment.send(self.request("POST", path).json(body)).await
    }

    pub(crate) async fn list(&self) -> Answer {
        let made = self.post("/v1/waitlists", &main_room()).await;
        assert_eq!(made.status, 201, "{made:?}");
        made
    }
}

impl Answer {
    /// A header's text; empty when it is not there.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }

    pub(crate) fn id(&self) -> &str {
        self.body["id"].as_str().unwrap()
    }

    /// A problem document of this status, and the slug of its type.
    pub(crate) fn problem(&self, status: u64) -> &str {
        assert_eq!(
            (self.status, self.header("content-type")),
            (status, "application/problem+json"),
            "{self:?}"
        );
        assert_eq!(
            (&self.body["status"], self.body["request_id"].as_str()),
            (&json!(status), Some(self.header("x-request-id")))
        );
        self.body["type"].as_str().unwrap().rsplit('/').next().unwrap()
    }
}

pub(crate) fn main_room() -> Value {
    json!({ "name": "Main room", "time_zone": "America/Los_Angeles", "region": "US" })
}

/// A function's answer as API Gateway reads it, payload format 2.0; it must be of the form that is documented, and nothing else.
pub(crate) fn accepted(answer: &Value) -> Answer {
    let known = ["statusCode", "headers", "multiValueHeaders", "body", "isBase64Encoded", "cookies"];
    let fields: Vec<_> =
        answer.as_object().unwrap().keys().filter(|name| !known.contains(&name.as_str())).collect();
    assert!(fields.is_empty(), "API Gateway does not know {fields:?}");
    assert_eq!(answer["isBase64Encoded"], false, "{answer}");
    let headers = answer["headers"].as_object().unwrap();
    // Format 2.0 has no such field: a header in it would not arrive.
    assert!(answer["multiValueHeaders"].as_object().is_none_or(Map::is_empty), "{answer}");
    Answer {
        status: answer["statusCode"].as_u64().unwrap(),
        headers: headers
            .iter()
            .map(|(name, value)| (name.clone(), value.as_str().unwrap().to_owned()))
            .collect(),
        body: match &answer["body"] {
            Value::Null => Value::Null,
            body => serde_json::from_str(body.as_str().unwrap()).unwrap(),
        },
    }
}

/// A record of the streams' own API in the form in which the mapping hands it over.
fn as_lambda_gets_it(record: Record, arn: &str) -> Value {
    let change = record.dynamodb.unwrap();
    json!({
        "eventID": record.event_id,
        "eventName": record.event_name.unwrap().as_str(),
        "eventVersion": record.event_version,
        "eventSource": "aws:dynamodb",
        "awsRegion": "us-east-1",
        "dynamodb": {
            "ApproximateCreationDateTime": change.approximate_creation_date_time.map_or(0.0, |time| time.as_secs_f64()),
            "Keys": item(&change.keys.unwrap()),
            "NewImage": item(&change.new_image.unwrap()),
            "SequenceNumber": change.sequence_number,
            "SizeBytes": change.size_bytes,
            "StreamViewType": "NEW_IMAGE",
        },
        "eventSourceARN": arn,
    })
}

fn item(attributes: &HashMap<String, AttributeValue>) -> Value {
    attributes.iter().map(|(name, value)| (name.clone(), attribute(value))).collect()
}

fn attribute(value: &AttributeValue) -> Value {
    match value {
        AttributeValue::S(text) => json!({ "S": text }),
        AttributeValue::N(digits) => json!({ "N": digits }),
        AttributeValue::B(bytes) => json!({ "B": BASE64.encode(bytes.as_ref()) }),
        AttributeValue::Ss(texts) => json!({ "SS": texts }),
        other => panic!("a commit holds no {other:?}"),
    }
}
