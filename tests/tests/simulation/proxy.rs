//! Stands between a backend and the engine, and does to chosen calls what networks and overloaded tables do.

use std::{
    sync::{
        Arc,
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
use infra::{Backend, Config};
use serde_json::{Value, json};
use tokio::sync::Semaphore;
use waitlist_tests::stage::Stage;

use crate::oracle::{PATIENCE, POLL};

/// How late a late call is: long enough to be overtaken, each time by another number of calls.
const LATE_MAX_MS: u64 = 12;
const LATE_STEP_MS: u64 = 7;

/// What happens to a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// The table says that it is asked too much.
    Throttled,
    /// The table says that something is wrong with it.
    Broken,
    /// Nothing comes back, and nothing was done.
    Unanswered,
    /// It was done, and the answer does not arrive.
    AnswerLost,
    /// It takes its time, more or less of it.
    Late,
    /// It is kept back until the test lets go of it.
    Held,
}

/// A proxy in front of the engine. It ends with the runtime of its test.
pub(crate) struct Proxy {
    pub(crate) url: String,
    line: Arc<Line>,
}

struct Line {
    engine: String,
    http: reqwest::Client,
    operation: &'static str,
    table: String,
    trouble: Trouble,
    left: AtomicUsize,
    asked: AtomicUsize,
    let_go: Semaphore,
}

impl Proxy {
    /// Lets everything through but the first `calls` of this operation on this table.
    pub(crate) async fn start(
        stage: &Stage,
        operation: &'static str,
        table: String,
        trouble: Trouble,
        calls: usize,
    ) -> Self {
        let engine = stage.sdk.endpoint_url().unwrap().to_owned();
        let (left, asked, let_go) = (AtomicUsize::new(calls), AtomicUsize::new(0), Semaphore::new(0));
        let line = Arc::new(Line {
            engine,
            http: reqwest::Client::new(),
            operation,
            table,
            trouble,
            left,
            asked,
            let_go,
        });
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(
            axum::serve(listener, Router::new().fallback(pass).with_state(line.clone())).into_future(),
        );
        Self { url, line }
    }

    /// The stage's backend, by way of this proxy.
    pub(crate) async fn backend(&self, stage: &Stage) -> Backend {
        let sdk = infra::aws::local(&self.url, &stage.access_key).await;
        let config = Config::local(&stage.prefix, &stage.backend.public_url, stage.keys.clone());
        Backend::new(&sdk, aws_sdk_dynamodb::Client::new(&sdk), &config, stage.backend.clock.clone()).unwrap()
    }

    /// Lets go of one call that is held.
    pub(crate) fn let_go(&self) {
        self.line.let_go.add_permits(1);
    }

    /// Waits until the chosen operation is asked for.
    pub(crate) async fn until_asked(&self) {
        let asked = async {
            while self.asked() == 0 {
                tokio::time::sleep(POLL).await;
            }
        };
        tokio::time::timeout(PATIENCE, asked).await.expect("the call comes in time");
    }

    /// How often the chosen operation was asked for.
    pub(crate) fn asked(&self) -> usize {
        self.line.asked.load(Ordering::SeqCst)
    }
}

async fn pass(State(line): State<Arc<Line>>, headers: HeaderMap, body: Bytes) -> Response<Body> {
    let asked: Value = serde_json::from_slice(&body).unwrap_or_default();
    let target = headers.get("x-amz-target").and_then(|target| target.to_str().ok()).unwrap_or_default();
    if !target.ends_with(&format!(".{}", line.operation)) || asked["TableName"] != line.table.as_str() {
        return line.forward(headers, body).await;
    }
    let place = line.asked.fetch_add(1, Ordering::SeqCst) as u64;
    let troubled =
        line.left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok();
    match line.trouble {
        _ if !troubled => line.forward(headers, body).await,
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
            line.let_go.acquire().await.unwrap().forget();
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
    let body = json!({ "__type": format!("com.amazonaws.dynamodb.v20120810#{kind}"), "message": "arranged by a test" });
    let response =
        Response::builder().status(status).header(header::CONTENT_TYPE, "application/x-amz-json-1.0");
    response.body(Body::from(body.to_string())).unwrap()
}
