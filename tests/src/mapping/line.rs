//! The connection between one process and the services that it calls.

use std::sync::Arc;

use axum::{
    Router,
    body::{Body, Bytes},
    extract::State,
    http::{HeaderMap, Response, header},
};
use serde_json::{Value, json};
use tokio::{net::TcpListener, sync::mpsc, task::JoinHandle};

use super::{
    sqs::Sqs,
    trouble::{Fate, Service, Troubles},
};

/// A listening connection. It closes when it is dropped.
pub(super) struct Line {
    pub(super) url: String,
    /// Gets a fate that ends the process.
    pub(super) fatal: mpsc::UnboundedReceiver<Fate>,
    server: JoinHandle<()>,
}

struct Services {
    engine: String,
    http: reqwest::Client,
    sqs: Sqs,
    troubles: Troubles,
    fatal: mpsc::UnboundedSender<Fate>,
}

impl Line {
    pub(super) async fn open(engine: String, sqs: Sqs, troubles: Troubles) -> Self {
        let (sender, fatal) = mpsc::unbounded_channel();
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let services = Arc::new(Services { engine, http, sqs, troubles, fatal: sender });
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new().fallback(pass).with_state(services);
        let server = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { url, fatal, server }
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn pass(State(services): State<Arc<Services>>, headers: HeaderMap, body: Bytes) -> Response<Body> {
    let target = headers["x-amz-target"].to_str().unwrap().to_owned();
    let (service, operation) = target.split_once('.').unwrap();
    let service = if service == "AmazonSQS" { Service::Queues } else { Service::Tables };
    match (services.troubles.meet(service, &String::from_utf8_lossy(&body)), service) {
        (Some(fate @ (Fate::Dies | Fate::Hangs)), _) => {
            services.fatal.send(fate).ok(); // a process that is being killed has no receiver any more
            std::future::pending().await
        }
        // The SDK would repeat a call that is answered with 500, after a pause.
        (Some(Fate::Refused), _) => {
            answer(400, &json!({ "__type": "ServiceUnavailable", "message": "simulated failure" }))
        }
        (None, Service::Queues) => {
            answer(200, &services.sqs.answer(operation, &serde_json::from_slice(&body).unwrap()))
        }
        (None, Service::Tables) => services.forward(headers, body).await,
    }
}

impl Services {
    async fn forward(&self, mut headers: HeaderMap, body: Bytes) -> Response<Body> {
        headers.remove(header::HOST);
        let answer = self.http.post(&self.engine).headers(headers).body(body).send().await.unwrap();
        let mut response = Response::builder().status(answer.status());
        *response.headers_mut().unwrap() = answer.headers().clone();
        response.body(Body::from(answer.bytes().await.unwrap())).unwrap()
    }
}

fn answer(status: u16, body: &Value) -> Response<Body> {
    let response =
        Response::builder().status(status).header(header::CONTENT_TYPE, "application/x-amz-json-1.0");
    response.body(Body::from(body.to_string())).unwrap()
}
