//! A deployment of built lambdas on its own tables, with simulations of API Gateway and the stream mapping.

mod answer;
mod stream;

use std::{collections::HashMap, path::PathBuf};

use aws_sdk_dynamodb::types::AttributeValue as Stored;
use infra::{
    Backend, Clock,
    function::{FUNCTIONS, Need},
    token::TokenKey,
};
use schema::{
    Time, UserId, WaiteeId,
    route::{self, Role},
    table::{EVENTS, WAITEES},
};
use serde_json::{Value, json};
use tokio::sync::OnceCell;
use waitlist_tests::{
    binaries::built, declared::assert_declared, events::HttpRequest, runtime_api::Function, stage::Stage,
};

pub(crate) use self::answer::{Answer, accepted};

pub(crate) const PUBLIC_URL: &str = "https://waitlist.example";

/// The lambdas of a deployment. Each is started when it is first used.
pub(crate) struct Deployment {
    pub(crate) stage: Stage,
    authorizer: OnceCell<Function>,
    accounts: OnceCell<Function>,
    hosts: OnceCell<Function>,
    guests: OnceCell<Function>,
    reads: OnceCell<Function>,
    exports: OnceCell<Function>,
    operations: OnceCell<Function>,
    projector: OnceCell<Function>,
    reactor: OnceCell<Function>,
    eraser: OnceCell<Function>,
    sender: OnceCell<Function>,
    tick: OnceCell<Function>,
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
            exports: OnceCell::new(),
            operations: OnceCell::new(),
            projector: OnceCell::new(),
            reactor: OnceCell::new(),
            eraser: OnceCell::new(),
            sender: OnceCell::new(),
            tick: OnceCell::new(),
        }
    }

    /// Starts a lambda with the settings that it needs and no others, and with further variables. An empty value removes the
    /// variable.
    pub(crate) fn start(&self, name: &str, more: &[(&str, &str)]) -> Function {
        let (endpoint, keys) = (self.stage.endpoint(), self.stage.keys.display().to_string());
        // The lambda setup is not in the table: it needs no settings.
        let needs = FUNCTIONS.into_iter().find(|of| of.name == name).map_or(&[][..], |of| of.needs);
        let usual = needs.iter().map(|need| match need {
            Need::MasterKey | Need::TokenKeys | Need::Links | Need::Claims => {
                ("WAITLIST_KEYS_DIR", keys.as_str())
            }
            Need::Retries => ("WAITLIST_RETRIES_URL", "table"),
            Need::Deliveries => ("WAITLIST_DELIVERIES_URL", "table"),
            Need::Erasures => ("WAITLIST_ERASURES_URL", "table"),
            Need::Rebuilds => ("WAITLIST_REBUILDS_URL", "table"),
            Need::Sweeps => ("WAITLIST_SWEEPS_URL", "table"),
            Need::StreamFailures => ("WAITLIST_STREAM_FAILURES_URL", "table"),
            Need::PublicUrl => ("WAITLIST_PUBLIC_URL", PUBLIC_URL),
        });
        let usual = usual.chain([
            ("AWS_ENDPOINT_URL_DYNAMODB", endpoint.as_str()),
            ("AWS_ACCESS_KEY_ID", self.stage.access_key.as_str()),
            ("WAITLIST_PREFIX", self.stage.prefix.as_str()),
        ]);
        let env: Vec<(&str, &str)> = usual
            .filter(|(name, _)| !more.contains(&(*name, "")))
            .chain(more.iter().copied().filter(|(_, value)| !value.is_empty()))
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

    pub(crate) async fn exports(&self) -> &Function {
        self.exports.get_or_init(async || self.start("exports", &[])).await
    }

    pub(crate) async fn operations(&self) -> &Function {
        self.operations.get_or_init(async || self.start("operations", &[])).await
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

    /// The lambda deliver, with its messages in an outbox.
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

    /// Stops every started lambda. Returns their output.
    pub(crate) async fn stop(self) -> String {
        let mut logs = String::new();
        let api = [self.authorizer, self.accounts, self.hosts, self.guests, self.reads, self.exports];
        let started = api.into_iter().chain([
            self.operations,
            self.projector,
            self.reactor,
            self.eraser,
            self.sender,
            self.tick,
        ]);
        for function in started {
            if let Some(function) = function.into_inner() {
                logs += &function.stop().await;
            }
        }
        logs
    }

    /// Sends a request as API Gateway does: through the authorizer, which never refuses, to the function of
    /// its route.
    pub(crate) async fn send(&self, request: HttpRequest) -> Answer {
        let said = self.authorizer().await.invoke(request.authorizer_event()).await.unwrap();
        assert_eq!(
            said["isAuthorized"], true,
            "API Gateway answers a refusal of the authorizer itself, in another form"
        );
        self.deliver(request.authorized(said["context"].clone()).event()).await
    }

    /// Passes an event of API Gateway to the function of its route.
    pub(crate) async fn deliver(&self, event: Value) -> Answer {
        let (method, path) =
            (event["requestContext"]["http"]["method"].as_str().unwrap(), event["rawPath"].as_str().unwrap());
        let function = match route::find(method, path).map(|(entry, _)| entry.role()) {
            Ok(Role::Accounts) => self.accounts().await,
            Ok(Role::Hosts) => self.hosts().await,
            Ok(Role::Guests) => self.guests().await,
            Ok(Role::Exports) => self.exports().await,
            Ok(Role::Operations) => self.operations().await,
            Ok(Role::Reads) | Err(_) => self.reads().await,
        };
        let answer = accepted(&function.invoke(event.clone()).await.unwrap());
        let header = |name: &str| answer.headers.get(&name.to_lowercase()).cloned();
        assert_declared(method, path, u16::try_from(answer.status).unwrap(), header, &answer.body);
        answer
    }

    /// Creates an account with a token that is valid for a quarter of an hour.
    pub(crate) fn host(&self) -> Host<'_> {
        let clock = Clock::system();
        let id = UserId(clock.id(clock.now()));
        Host { deployment: self, id, token: self.token(id, clock.now()) }
    }

    /// Mints a token that was issued at `at` and is valid for a quarter of an hour.
    pub(crate) fn token(&self, id: UserId, at: Time) -> String {
        TokenKey::load_or_create(&self.stage.keys).unwrap().mint(id, at, 900).unwrap()
    }

    /// Returns the adapters with the system clock, which the lambdas use.
    pub(crate) fn backend(&self) -> Backend {
        self.stage.on_system_time()
    }

    /// Sets the due time of a visit's row to the past.
    pub(crate) async fn overdue(&self, visit: WaiteeId) {
        let update = self.stage.dynamodb.update_item().table_name(self.stage.live(WAITEES).await);
        let update = update.key("id", Stored::S(visit.to_string())).update_expression("SET due_at = :at");
        update
            .expression_attribute_values(":at", Stored::S("2026-01-01T00:00:00.000Z".into()))
            .send()
            .await
            .unwrap();
    }

    /// Puts an item into the log directly.
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
}

/// An account that sends requests through API Gateway.
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

pub(crate) fn main_room() -> Value {
    json!({ "name": "Main room", "time_zone": "America/Los_Angeles", "region": "US" })
}
