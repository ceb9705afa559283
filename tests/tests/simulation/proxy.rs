//! A proxy in front of the engine that delays, loses or refuses selected calls.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::State,
    http::{HeaderMap, Response, header},
};
use infra::Backend;
use serde_json::{Value, json};
use tokio::sync::Semaphore;
use waitlist_tests::stage::Stage;

use crate::oracle::{PATIENCE, POLL};

// Delays of late calls: long enough to be overtaken, by a varying number of calls.
const LATE_MAX_MS: u64 = 12;
const LATE_STEP_MS: u64 = 7;

/// The treatment of a selected call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trouble {
    Throttled,
    /// Answered with an internal error.
    Broken,
    /// Neither executed nor answered.
    Unanswered,
    /// Executed, but not answered.
    AnswerLost,
    /// Delayed by a varying time.
    Late,
    /// Delayed until the test calls [`Proxy::release`].
    Held,
}

/// A running proxy. It ends with the runtime of its test.
pub(crate) struct Proxy {
    pub(crate) url: String,
    line: Arc<Line>,
}

struct Line {
    engine: String,
    http: reqwest::Client,
    rule: Rule,
    called: AtomicUsize,
    released: Semaphore,
    /// Operation and table of each call, in order.
    calls: Mutex<Vec<(String, String)>>,
}

/// Decides on the treatment of a call by its operation and table.
type Rule = Box<dyn Fn(&str, &str) -> Treatment + Send + Sync>;

/// The treatment of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Treatment {
    NotSelected,
    /// Selected, and forwarded.
    Counted,
    Troubled(Trouble),
}

impl Proxy {
    /// Starts a proxy that applies `trouble` to the first `calls` of this operation on this table and
    /// forwards all other calls.
    pub(crate) async fn start(
        stage: &Stage,
        operation: &'static str,
        table: String,
        trouble: Trouble,
        calls: usize,
    ) -> Self {
        let left = AtomicUsize::new(calls);
        Self::with(stage, move |called, of| {
            if called != operation || of != table {
                return Treatment::NotSelected;
            }
            let take = |left: usize| left.checked_sub(1);
            match left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, take) {
                Ok(_) => Treatment::Troubled(trouble),
                Err(_) => Treatment::Counted,
            }
        })
        .await
    }

    /// Starts a proxy that treats calls by operation and table.
    pub(crate) async fn with(
        stage: &Stage,
        rule: impl Fn(&str, &str) -> Treatment + Send + Sync + 'static,
    ) -> Self {
        let line = Arc::new(Line {
            engine: stage.sdk.endpoint_url().unwrap().to_owned(),
            http: reqwest::Client::new(),
            rule: Box::new(rule),
            called: AtomicUsize::new(0),
            released: Semaphore::new(0),
            calls: Mutex::default(),
        });
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(
            axum::serve(listener, Router::new().fallback(pass).with_state(line.clone())).into_future(),
        );
        Self { url, line }
    }

    /// Returns a backend like the stage's that uses this proxy.
    pub(crate) async fn backend(&self, stage: &Stage) -> Backend {
        let sdk = infra::aws::local(&self.url, &stage.access_key).await;
        stage.backend_over(&sdk, aws_sdk_dynamodb::Client::new(&sdk))
    }

    /// Returns operation and table of each call since the last time, in order.
    pub(crate) fn take_calls(&self) -> Vec<(String, String)> {
        std::mem::take(&mut self.line.calls.lock().unwrap())
    }

    /// Forwards one held call.
    pub(crate) fn release(&self) {
        self.line.released.add_permits(1);
    }

    /// Waits for the first selected call.
    pub(crate) async fn until_called(&self) {
        let called = async {
            while self.calls() == 0 {
                tokio::time::sleep(POLL).await;
            }
        };
        tokio::time::timeout(PATIENCE, called).await.expect("the call should have been made by now");
    }

    /// Returns the number of selected calls so far.
    pub(crate) fn calls(&self) -> usize {
        self.line.called.load(Ordering::SeqCst)
    }
}

async fn pass(State(line): State<Arc<Line>>, headers: HeaderMap, body: Bytes) -> Response<Body> {
    let request: Value = serde_json::from_slice(&body).unwrap_or_default();
    let target = headers.get("x-amz-target").and_then(|target| target.to_str().ok()).unwrap_or_default();
    let operation = target.rsplit('.').next().unwrap_or_default();
    let table = request["TableName"].as_str().unwrap_or_default();
    line.calls.lock().unwrap().push((operation.to_owned(), table.to_owned()));
    let treatment = (line.rule)(operation, table);
    if treatment == Treatment::NotSelected {
        return line.forward(headers, body).await;
    }
    let place = line.called.fetch_add(1, Ordering::SeqCst) as u64;
    let Treatment::Troubled(trouble) = treatment else { return line.forward(headers, body).await };
    match trouble {
        Trouble::Throttled => refusal(400, "ProvisionedThroughputExceededException"),
        Trouble::Broken => refusal(500, "InternalServerError"),
        Trouble::Unanswered => std::future::pending().await,
        Trouble::AnswerLost => {
            line.forward(headers, body).await;
            std::future::pending().await
        }
        Trouble::Late => {
            tokio::time::sleep(Duration::from_millis(place * LATE_STEP_MS % LATE_MAX_MS)).await;
            line.forward(headers, body).await
        }
        Trouble::Held => {
            line.released.acquire().await.unwrap().forget();
            line.forward(headers, body).await
        }
    }
}

impl Line {
    async fn forward(&self, mut headers: HeaderMap, body: Bytes) -> Response<Body> {
        headers.remove(header::HOST);
        let answer = self.http.post(&self.engine).headers(headers).body(body).send().await.unwrap();
        let mut response = Response::builder().status(answer.status());
        *response.headers_mut().unwrap() = answer.headers().clone();
        response.body(Body::from(answer.bytes().await.unwrap())).unwrap()
    }
}

fn refusal(status: u16, kind: &str) -> Response<Body> {
    let body = json!({ "__type": format!("com.amazonaws.dynamodb.v20120810#{kind}"), "message": "simulated failure" });
    let response =
        Response::builder().status(status).header(header::CONTENT_TYPE, "application/x-amz-json-1.0");
    response.body(Body::from(body.to_string())).unwrap()
}
