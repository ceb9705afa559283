//! A server on an engine that throttles writes of chosen tables.

use std::sync::{Arc, Mutex};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::State,
    http::{HeaderMap, Response, header},
};
use serde_json::json;
use tempfile::TempDir;
use waitlist_tests::{
    process::{Ran, Server, run},
    stage::Stage,
};

const WRITES: [&str; 5] = ["PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem", "TransactWriteItems"];

/// A data directory, and an engine behind a proxy.
pub(super) struct Throttled {
    directory: TempDir,
    stage: Stage,
    url: String,
    line: Arc<Line>,
}

struct Line {
    engine: String,
    http: reqwest::Client,
    /// The full names of the tables whose writes are refused.
    throttled: Mutex<Vec<String>>,
}

impl Throttled {
    /// The server uses the tables of a stage, by the machine's time.
    pub(super) async fn new() -> Self {
        let stage = Stage::new().await;
        let engine = stage.sdk.endpoint_url().unwrap().to_owned();
        let line = Arc::new(Line { engine, http: reqwest::Client::new(), throttled: Mutex::default() });
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new().fallback(pass).with_state(line.clone());
        tokio::spawn(axum::serve(listener, router).into_future());
        Self { directory: tempfile::tempdir().unwrap(), stage, url, line }
    }

    pub(super) async fn serve(&self) -> Server {
        Server::start_with(self.directory.path(), &["--manual-clock"], &self.env()).await
    }

    /// Runs another command.
    pub(super) async fn run(&self, args: &[&str]) -> Ran {
        run(self.directory.path(), args, &self.env()).await
    }

    /// Refuses writes of tables, by the ends of their names.
    pub(super) fn refuse(&self, tables: &[&str]) {
        let name = |end: &&str| format!("{}-{end}", self.stage.prefix);
        *self.line.throttled.lock().unwrap() = tables.iter().map(name).collect();
    }

    fn env(&self) -> [(&str, &str); 6] {
        [
            ("AWS_ENDPOINT_URL_DYNAMODB", &self.url),
            ("AWS_ENDPOINT_URL_DYNAMODB_STREAMS", &self.url),
            ("AWS_ACCESS_KEY_ID", &self.stage.access_key),
            ("AWS_SECRET_ACCESS_KEY", "test"),
            ("AWS_REGION", "us-east-1"),
            ("WAITLIST_PREFIX", &self.stage.prefix),
        ]
    }
}

async fn pass(State(line): State<Arc<Line>>, mut headers: HeaderMap, body: Bytes) -> Response<Body> {
    let target = headers.get("x-amz-target").and_then(|target| target.to_str().ok()).unwrap_or_default();
    let is_write = WRITES.contains(&target.rsplit('.').next().unwrap_or_default());
    let text = String::from_utf8_lossy(&body);
    let is_throttled = |table: &String| text.contains(&format!("\"{table}\""));
    if is_write && line.throttled.lock().unwrap().iter().any(is_throttled) {
        let refused = "com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException";
        let body = json!({ "__type": refused, "message": "throttled by a test" }).to_string();
        let refusal =
            Response::builder().status(400).header(header::CONTENT_TYPE, "application/x-amz-json-1.0");
        return refusal.body(Body::from(body)).unwrap();
    }
    headers.remove(header::HOST);
    let answer = line.http.post(&line.engine).headers(headers).body(body).send().await.unwrap();
    let mut response = Response::builder().status(answer.status());
    *response.headers_mut().unwrap() = answer.headers().clone();
    response.body(Body::from(answer.bytes().await.unwrap())).unwrap()
}
